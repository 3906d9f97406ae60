"""The pictures of a style transfer: of the content, of the style, and to begin with."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from lit_restore.data.images import read_image
from lit_restore.data.resize import matlab_resize

LARGEST = 512


class StyleTransferPictures(NamedTuple):
    """Pictures in unit range, float32.

    Attributes:
        content: Shape (1, 3, H, W).
        styles: Each of shape (1, 3, h, w).
        initial: Shape (1, 3, H, W).
    """

    content: Tensor
    styles: list[Tensor]
    initial: Tensor

    def digest(self) -> str:
        """Hash the pixels of all of them."""
        sha = hashlib.sha256()
        for image in (self.content, *self.styles, self.initial):
            sha.update(f"{tuple(image.shape)}".encode())
            sha.update(image.contiguous().numpy().tobytes())
        return sha.hexdigest()


def read_unit(path: Path | str) -> Tensor:
    """Read a picture in unit range, shape (1, 3, H, W); transparency is thrown away."""
    image = read_image(path)
    return (image.float() / 255 if image.dtype == torch.uint8 else image)[None]


def with_side(image: Tensor, side: int) -> Tensor:
    """Resize by MATLAB's bicubic so that the longer side has so many pixels.

    Args:
        image: Shape (1, 3, H, W), in unit range.
        side: In pixels; the shorter side keeps the proportion, and has a pixel at least.

    Returns:
        In unit range; ``image`` itself if it has that side already.

    Raises:
        ValueError: If ``side`` is below 1.
    """
    if side < 1:
        raise ValueError(f"a picture's longer side must be at least 1 pixel, got {side}")
    height, width = image.shape[-2:]
    longer = max(height, width)
    if side == longer:
        return image
    size = (max(round(height * side / longer), 1), max(round(width * side / longer), 1))
    return matlab_resize(image, size=size).clamp(0, 1)


def longer_side(content: Tensor, size: int | None) -> int:
    """Say how many pixels the result's longer side has: the content's, ``LARGEST`` at most."""
    return min(max(content.shape[-2:]), LARGEST) if size is None else size


def noise_like(content: Tensor, seed: int) -> Tensor:
    """Draw a picture of the content's shape whose values are even in unit range."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(content.shape, generator=generator)


def read_style_transfer(
    content: Path | str,
    styles: Sequence[Path | str],
    size: int | None = None,
    style_size: int | None = None,
    initial: Path | str = "content",
    seed: int = 0,
) -> StyleTransferPictures:
    """Read the pictures of a style transfer, and bring them to size.

    Args:
        content: Image file.
        styles: Image files.
        size: Pixels of the result's longer side; None: the content's own, but 512 at most.
        style_size: Pixels of the styles' longer sides; None: the result's.
        initial: ``"content"``, ``"noise"``, or an image file, which gets the content's size.
        seed: Of the noise.

    Raises:
        ImageFileError: If a file cannot be read.
        ValueError: If a size is below 1.
    """
    whole = read_unit(content)
    side = longer_side(whole, size)
    reduced = with_side(whole, side)
    shown = [with_side(read_unit(path), style_size or side) for path in styles]
    return StyleTransferPictures(reduced, shown, initial_picture(reduced, initial, seed))


def initial_picture(content: Tensor, initial: Path | str, seed: int) -> Tensor:
    """Make the picture to begin with; the arguments are those of ``read_style_transfer``."""
    if initial == "content":
        return content.clone()
    if initial == "noise":
        return noise_like(content, seed)
    height, width = content.shape[-2:]
    return matlab_resize(read_unit(initial), size=(height, width)).clamp(0, 1)
