"""What networks refuse: options, numbers and pictures that they do not take."""

from torch import Tensor


def check_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Refuse a value that is none of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}")


def check_at_least(least: float, **values: float) -> None:
    """Refuse arguments below a number."""
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def check_picture(image: Tensor, channels: int, multiple: int = 1, least: int = 1) -> None:
    """Refuse what is no batch of pictures of so many channels and such a size.

    Raises:
        ValueError: If the shape is not (N, channels, H, W), or H or W is no such multiple or less
            than ``least`` pixels.
    """
    if image.ndim != 4 or image.shape[1] != channels:
        raise ValueError(f"expected shape (N, {channels}, H, W), got {tuple(image.shape)}")
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(f"height and width must be multiples of {multiple}, got {height}x{width}")
    if min(height, width) < least:
        raise ValueError(f"height and width must be at least {least}, got {height}x{width}")
