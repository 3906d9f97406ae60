"""From a decoded Pillow picture to tensors: one or three channels, and alpha."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lit_restore.data._matrix_profile import matrix_to_srgb
from lit_restore.data._picture import ReadOptions, warn
from lit_restore.data._profile import UNUSABLE, is_srgb, to_srgb

_READABLE = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr", "LAB", "CMYK"}


@dataclass(frozen=True)
class Pixels:
    """Channels of a picture.

    Attributes:
        colour: Shape (1, H, W) for grey, (3, H, W) for RGB; uint8, or float32 in unit range.
        alpha: Shape (1, H, W), of the same type, or ``None``.
    """

    colour: Tensor
    alpha: Tensor | None


def from_8_bits(image: Image.Image, path: Path) -> Pixels:
    """Take the channels of an upright 8-bit picture of any readable mode, in sRGB.

    Raises:
        ValueError: If the picture is of another mode, such as float.
    """
    if image.mode not in _READABLE:
        hint = "; float and 32-bit pixels have no agreed range" if image.mode in "FI" else ""
        raise ValueError(f"pixels of mode {image.mode!r} cannot be read{hint}")
    alpha = None
    if image.has_transparency_data:
        alpha = _planes(image.convert("RGBA").getchannel("A"))
    grey = image.mode in ("1", "L", "LA") or _has_grey_palette(image)
    if image.mode != "CMYK":
        image = _opaque(image, "L" if grey else "RGB")
    return Pixels(_planes(_in_srgb(image, path)), alpha)


def from_16_bits(values: NDArray[np.uint16], key: object) -> Pixels:
    """Take the channels of a 16-bit picture as ``value / 65535``.

    Args:
        values: Shape (H, W, channels): grey, grey and alpha, RGB, or RGB and alpha.
        key: The value, or the three, that stand for a transparent pixel; ``None`` without.
    """
    count = values.shape[-1]
    planes = _unit(values.transpose(2, 0, 1))
    if count in (2, 4):
        return Pixels(planes[:-1], planes[-1:])
    if key is None:
        return Pixels(planes, None)
    opaque = (values != np.array(key, dtype=np.uint16)).any(axis=-1)
    return Pixels(planes, torch.from_numpy(opaque[None].astype(np.float32)))


def in_srgb_16(pixels: Pixels, profile: bytes, path: Path) -> Pixels:
    """Convert the channels of a 16-bit picture to sRGB by its profile.

    A profile of a matrix and curves is applied in float. Any other is applied with 8 bits, for
    that is what Pillow can do, with a warning.
    """
    grey = len(pixels.colour) == 1
    try:
        if is_srgb(profile, "L" if grey else "RGB"):
            return pixels
        converted = matrix_to_srgb(pixels.colour.double().numpy(), profile)
    except UNUSABLE as error:
        warn(path, f"its colour profile cannot be used and is ignored ({error})")
        return pixels
    if converted is not None:
        return replace(pixels, colour=torch.from_numpy(converted.astype(np.float32)))
    warn(path, "its colour profile is applied with 8 bits")
    octets = to_8_bits(pixels.colour).permute(1, 2, 0).numpy()
    image = Image.fromarray(np.ascontiguousarray(octets[..., 0] if grey else octets))
    image.info["icc_profile"] = profile
    return replace(pixels, colour=to_unit(_planes(_in_srgb(image, path))))


def finish(pixels: Pixels, options: ReadOptions) -> Pixels:
    """Bring channels to the depth and the treatment of alpha that the options ask for."""
    background = options.background
    if pixels.alpha is not None and background is not None:
        pixels = _composite(pixels, background)
    elif options.alpha == "drop":
        pixels = replace(pixels, alpha=None)
    if options.bit_depth == "auto":
        return pixels
    convert = to_8_bits if options.bit_depth == 8 else to_unit
    alpha = None if pixels.alpha is None else convert(pixels.alpha)
    return Pixels(convert(pixels.colour), alpha)


def to_8_bits(image: Tensor) -> Tensor:
    """Round unit range half up to uint8; leave uint8 alone."""
    if image.dtype == torch.uint8:
        return image
    return image.mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)


def to_unit(image: Tensor) -> Tensor:
    """Divide uint8 by 255; leave unit range alone."""
    return image.float().div_(255) if image.dtype == torch.uint8 else image


def _in_srgb(image: Image.Image, path: Path) -> Image.Image:
    converted = to_srgb(image, path) if "icc_profile" in image.info else None
    if image.mode != "CMYK":
        return image if converted is None else converted
    warn(path, f"CMYK is read as RGB, {'without' if converted is None else 'by its'} profile")
    return image.convert("RGB") if converted is None else converted


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image
    if "transparency" in image.info:  # Pillow would carry the key over as a colour of the new mode
        profile = image.info.get("icc_profile")
        image = image.convert("RGBA")
        image.info = {"icc_profile": profile} if profile else {}
    return image.convert(mode)


def _has_grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return False
    palette = np.array(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _planes(image: Image.Image) -> Tensor:
    data = bytearray().join(band.tobytes() for band in image.split())
    return torch.frombuffer(data, dtype=torch.uint8).view(-1, image.height, image.width)


def _unit(values: NDArray[np.uint16]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32) / np.float32(65535))


def _composite(pixels: Pixels, background: tuple[int, int, int]) -> Pixels:
    colour, alpha = to_unit(pixels.colour), to_unit(pixels.alpha)  # type: ignore[arg-type]
    behind = torch.tensor(background).view(3, 1, 1) / 255
    result = colour * alpha + behind * (1 - alpha)
    return Pixels(to_8_bits(result) if pixels.colour.dtype == torch.uint8 else result, None)
