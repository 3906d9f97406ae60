"""Writing pictures, whole or not at all."""

import io
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lit_restore.atomic import replace_file
from lit_restore.data._picture import ImageFileError, warn
from lit_restore.data._png16 import encode_png16
from lit_restore.data._tiff import encode_tiff

_BT601 = (0.299, 0.587, 0.114)
_LONGEST_JPEG_EXIF = 65533


class _Format(NamedTuple):
    suffixes: tuple[str, ...]
    alpha: bool = False
    deep: bool = False
    exif: bool = False
    settings: dict[str, Any] | None = None


_FORMATS = {
    "PNG": _Format((".png",), alpha=True, deep=True, exif=True),
    "JPEG": _Format(
        (".jpg", ".jpeg", ".jpe", ".jfif"), exif=True, settings={"quality": 95, "subsampling": 0}
    ),
    "TIFF": _Format((".tif", ".tiff"), alpha=True, deep=True, exif=True),
    "WEBP": _Format((".webp",), alpha=True, exif=True, settings={"quality": 95}),
    "BMP": _Format((".bmp", ".dib")),
    "PPM": _Format((".ppm", ".pgm", ".pnm")),
}
_BY_SUFFIX = {suffix: name for name, form in _FORMATS.items() for suffix in form.suffixes}


def can_hold(name: str, *, bit_depth: int = 8, alpha: bool = False) -> bool:
    """Whether a format can be written, and holds pictures of such a kind.

    Args:
        name: Pillow's name, such as ``"JPEG"``, or a suffix with or without its dot.
        bit_depth: Bits per channel, 8 or 16.
        alpha: Whether the picture has transparency.
    """
    form = _FORMATS.get(_BY_SUFFIX.get(f".{name.lower().lstrip('.')}", name.upper()))
    return form is not None and form.deep >= (bit_depth > 8) and form.alpha >= alpha


def suffix_of(name: str, grey: bool = False) -> str:
    """The usual suffix of a format, such as ``".jpg"``.

    Args:
        name: Pillow's name or a suffix with or without its dot, of a format that is written.
        grey: Whether the picture is grey, for the one format that has a suffix of its own for it.

    Raises:
        ValueError: If the format is not written.
    """
    name = _BY_SUFFIX.get(f".{name.lower().lstrip('.')}", name.upper())
    if name not in _FORMATS:
        raise ValueError(f"format must be one of {', '.join(_FORMATS)}, got {name}")
    return ".pgm" if name == "PPM" and grey else _FORMATS[name].suffixes[0]


def write_image(
    image: Tensor,
    path: Path | str,
    *,
    alpha: Tensor | None = None,
    grey: bool = False,
    bit_depth: Literal[8, 16] = 8,
    exif: bytes | None = None,
) -> None:
    """Write a picture in the format of the suffix, as sRGB, whole or not at all.

    The file appears under its name when it is complete, replacing the one that was there. JPEG is
    written with quality 95 and full colour resolution. A format that cannot hold 16 bits gets 8,
    and one that cannot hold transparency or EXIF goes without: ask ``can_hold`` before.

    Args:
        image: Shape (3, H, W), or (1, H, W) for grey; uint8, or float in unit range, which is
            clipped and rounded half up.
        path: Its folder must exist.
        alpha: Shape (1, H, W), of either type.
        grey: Whether to write one channel: the BT.601 luma, which of equal channels is their value.
        bit_depth: Bits per channel to write.
        exif: An EXIF block.

    Raises:
        ImageFileError: If the suffix is not one that is written, or writing fails; nothing is
            left behind then, and an older file is untouched.
        ValueError: If ``image`` or ``alpha`` is of another shape, or has NaN.
    """
    path = Path(path)
    name = _BY_SUFFIX.get(path.suffix.lower())
    if name is None:
        raise ImageFileError(
            f"{path}: suffix must be one of {' '.join(_BY_SUFFIX)}, got {path.suffix!r}"
        )
    _check(image, alpha)
    form = _FORMATS[name]
    channels = [_luma(image) if grey and len(image) == 3 else image]
    if alpha is not None and form.alpha:
        channels.append(alpha)
    maximum = 65535 if form.deep and bit_depth == 16 else 255
    values = np.concatenate([_levels(channel, maximum) for channel in channels]).transpose(1, 2, 0)
    try:
        replace_file(path, _encode(values, name, exif if form.exif else None, path))
    except Exception as error:  # what Pillow raises depends on the format
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageFileError(f"{path}: cannot be written: {reason}") from error


def _check(image: Tensor, alpha: Tensor | None) -> None:
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"image must have shape (3, H, W) or (1, H, W), got {tuple(image.shape)}")
    expected = (1, *image.shape[1:])
    if alpha is not None and alpha.shape != expected:
        raise ValueError(f"alpha must have shape {expected}, got {tuple(alpha.shape)}")
    for tensor in (image, alpha):
        if tensor is None or tensor.dtype == torch.uint8:
            continue
        if not tensor.is_floating_point():
            raise ValueError(f"image must be uint8 or float in unit range, got {tensor.dtype}")
        if tensor.isnan().any():
            raise ValueError("image must have numbers only, got NaN")


def _luma(image: Tensor) -> Tensor:
    unit = image.double() / 255 if image.dtype == torch.uint8 else image.double().clamp(0, 1)
    weights = torch.tensor(_BT601, dtype=torch.float64, device=image.device)
    return torch.einsum("chw,c->hw", unit, weights)[None]


def _levels(image: Tensor, maximum: int) -> NDArray[Any]:
    image = image.detach().cpu()
    if image.dtype == torch.uint8:
        values = image.numpy()
        return values if maximum == 255 else values.astype(np.uint16) * 257
    wide = image.double() if maximum > 255 else image.float()
    levels = (wide.clamp(0, 1) * maximum + 0.5).floor().numpy()
    return levels.astype(np.uint8 if maximum == 255 else np.uint16)


def _encode(values: NDArray[Any], name: str, exif: bytes | None, path: Path) -> bytes:
    if name == "TIFF":
        return encode_tiff(values, exif)
    if values.dtype == np.uint16:
        return encode_png16(values, exif)
    settings = dict(_FORMATS[name].settings or {})
    if exif and name == "JPEG" and len(exif) > _LONGEST_JPEG_EXIF:
        warn(path, f"its EXIF of {len(exif)} bytes is too long for JPEG and is left out")
    elif exif:
        settings["exif"] = exif
    flat = np.ascontiguousarray(values if values.shape[-1] > 1 else values[..., 0])
    buffer = io.BytesIO()
    Image.fromarray(flat).save(buffer, format=name, **settings)
    return buffer.getvalue()
