"""What a file of another framework may ask for, and the error when it asks for more."""

import json
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


class KerasFileError(ValueError):
    """A file that cannot be read as one of Keras's, or that asks for what no such file needs."""


@dataclass(frozen=True)
class Limits:
    """The most that a file may hold.

    Attributes:
        total_bytes: Of all arrays together, unpacked.
        arrays: How many arrays and groups.
        depth: Of nested groups.
        rank: Dimensions of one array.
        json_bytes: Of a model's configuration.
        text_bytes: That one attribute of texts may come to.
        ratio: How many times larger than packed an array of more than 1 MiB may be.
    """

    total_bytes: int = 4096 * MIB
    arrays: int = 100_000
    depth: int = 64
    rank: int = 8
    json_bytes: int = 64 * MIB
    text_bytes: int = 2048 * MIB
    ratio: int = 200


LIMITS = Limits()


def parse_json(text: str, what: str, limits: Limits = LIMITS) -> dict[str, Any]:
    """Parse a JSON object of bounded size.

    Raises:
        KerasFileError: If the text is too long or no JSON object.
    """
    if len(text) > limits.json_bytes:
        raise KerasFileError(f"{what} may have {limits.json_bytes} characters, got {len(text)}")
    try:
        value = json.loads(text)
    except RecursionError:
        raise KerasFileError(f"{what} is nested too deeply to be a model's JSON") from None
    except ValueError as error:
        raise KerasFileError(f"{what} must be JSON, got something else: {error}") from error
    if not isinstance(value, dict):
        raise KerasFileError(f"{what} must be a JSON object, got {type(value).__name__}")
    return value


def check_size(what: str, unpacked: int, packed: int, limits: Limits) -> None:
    """Refuse what is absurdly large, or grows absurdly when unpacked.

    Args:
        what: Named in the error.
        unpacked: Bytes once read.
        packed: Bytes in the file.
        limits: The most that is allowed.

    Raises:
        KerasFileError: As said.
    """
    if unpacked > limits.total_bytes:
        raise KerasFileError(
            f"{what} asks for {unpacked} bytes; at most {limits.total_bytes} are read"
        )
    if unpacked > MIB and unpacked > limits.ratio * packed:
        raise KerasFileError(
            f"{what} asks for {unpacked} bytes but holds only {packed}; "
            f"at most {limits.ratio} times as many are believed"
        )
