"""Colour profiles: pictures to sRGB."""

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from lit_restore.data._picture import warn

UNUSABLE = (ImageCms.PyCMSError, OSError, ValueError)
"""What a broken profile, or one for pictures of another kind, can raise."""

_SPACES = {"RGB": ("RGB",), "L": ("GRAY", "RGB"), "CMYK": ("CMYK",)}


def to_srgb(image: Image.Image, path: Path) -> Image.Image | None:
    """Convert a picture of mode RGB, L or CMYK to sRGB by the profile that it carries.

    The rendering intent is relative colorimetric with black point compensation. A profile that
    changes no colour by more than one level is taken for sRGB, and the pixels are left alone.

    Returns:
        A picture of mode L if ``image`` is, else RGB; ``None`` if there is no profile or, with a
        warning, if it is broken or for pictures of another kind.
    """
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        transform = _transform(profile, image.mode)
    except UNUSABLE as error:
        warn(path, f"its colour profile cannot be used and is ignored ({error})")
        return None
    if transform is None:
        return image
    source = image if image.mode == transform.input_mode else image.convert(transform.input_mode)
    result = ImageCms.applyTransform(source, transform)
    if result is None:  # what the stubs allow for; only an in-place call returns nothing
        return None
    return result.convert("L") if image.mode == "L" else result


def is_srgb(profile: bytes, mode: str) -> bool:
    """Whether a profile changes no colour of a picture of mode RGB or L by more than one level.

    Raises:
        UNUSABLE: If the profile is broken, or for pictures of another kind.
    """
    return _transform(profile, mode) is None


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space not in _SPACES[mode]:
        raise ValueError(f"it is for {space} pictures, this one is {mode}")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        "L" if space == "GRAY" else space,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        # The optimised form of a grey curve is off by up to ten levels.
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE * (space == "GRAY"),
    )
    return None if space != "CMYK" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    if transform.input_mode == "L":
        levels = np.arange(256, dtype=np.uint8)[None]
    else:
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        levels = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    result = ImageCms.applyTransform(Image.fromarray(levels), transform)
    before = levels if levels.ndim == 3 else levels[..., None]
    return bool(np.abs(np.asarray(result).astype(int) - before).max() <= 1)
