"""How two processes exchange arrays: a length, then an npz file without pickles."""

import io
import json
from typing import IO, Any

import numpy as np

from parity.arrays import Arrays

_MESSAGE = "message"


def send(stream: IO[bytes], message: dict[str, Any], arrays: Arrays | None = None) -> None:
    """Write one message, of what JSON can hold, and its arrays."""
    file = io.BytesIO()
    content: dict[str, Any] = {f"array {name}": array for name, array in (arrays or {}).items()}
    content[_MESSAGE] = np.array(json.dumps(message))
    # No allow_pickle: Chainer's NumPy would take it for an array. The reader refuses pickles.
    np.savez(file, **content)
    data = file.getvalue()
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], Arrays]:
    """Read one message and its arrays.

    Raises:
        EOFError: If the other side has gone.
    """
    head = stream.read(8)
    data = stream.read(int.from_bytes(head, "big"))
    if len(head) < 8 or len(data) < int.from_bytes(head, "big"):
        raise EOFError("expected a message, got the end of the stream")
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {key.removeprefix("array "): file[key] for key in file.files if key != _MESSAGE}
        return json.loads(file[_MESSAGE].item()), arrays
