"""The worker's side of a conversation: a greeting, then one answer per request."""

import os
import sys
from collections.abc import Callable
from typing import IO, Any

from parity.arrays import Arrays
from parity.wire import receive, send

Compute = Callable[[dict[str, Any], Arrays], Arrays]


def serve(greeting: dict[str, Any], compute: Compute) -> int:
    """Answer on standard output whatever comes on standard input, until that ends.

    Args:
        greeting: Who is here.
        compute: Maps a request and its arrays to arrays; what it raises is sent as ``error``.
    """
    # Whoever prints must not spoil an answer: all else goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    send(answers, greeting)
    while _answer(sys.stdin.buffer, answers, compute):
        pass
    return 0


def _answer(requests: IO[bytes], answers: IO[bytes], compute: Compute) -> bool:
    try:
        request, arrays = receive(requests)
    except EOFError:
        return False
    try:
        result = compute(request, arrays)
    except Exception as error:  # whatever it is, the asking process has to know
        send(answers, {"error": f"{request['reference']}: {type(error).__name__}: {error}"})
    else:
        send(answers, {}, result)
    return True
