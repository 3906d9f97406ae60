"""How a verb that may need weights ends when it cannot be carried out."""

import argparse
import sys
from collections.abc import Callable, Sequence

from lit_restore.commands._batch import UsageError
from lit_restore.commands._weights import MissingWeightsError

MISSING = 3


def carry_out(
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
    work: Callable[[argparse.Namespace], int],
) -> int:
    """Read the arguments of a verb and do its work.

    Args:
        parser: Of the verb.
        argv: The words after the verb.
        work: Gets the arguments, returns the exit code.

    Returns:
        What ``work`` returns; 3 if weights are missing or broken, told in one line. Wrong usage
        ends in ``SystemExit`` 2.
    """
    arguments = parser.parse_args(argv)
    try:
        return work(arguments)
    except UsageError as error:
        parser.error(str(error))
    except MissingWeightsError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return MISSING
