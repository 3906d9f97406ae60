"""What happens to pictures before training: bit for bit, or wrong."""

from collections.abc import Callable
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from lit_restore.data import Mosaic
from lit_restore.data.codes import tensorflow_codes
from lit_restore.data.restoration import unit_range
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_keras, to_torch


def mosaic(t: Tensors, block: int = 4, sigma: float = 1.5, shift: int = 0) -> Tensors:
    """Mosaic of each picture, of which each block may be read ``shift`` pixels off its centre."""
    pictures = to_torch(t["image"]).roll((-shift, -shift), dims=(2, 3))
    output = torch.stack([Mosaic(block, sigma)(picture) for picture in pictures])
    return {"output": to_keras(output)}


def averaged(t: Tensors) -> Tensors:
    """The mean of each block, without a blur."""
    size = t["image"].shape[2], t["image"].shape[1]
    return {"output": torch.stack([_averaged(picture, size) for picture in t["image"]])}


def _averaged(picture: Tensor, size: tuple[int, int]) -> Tensor:
    small = Image.fromarray(picture.numpy()).reduce(4)
    large = small.resize(size, Image.Resampling.NEAREST)
    return torch.frombuffer(bytearray(large.tobytes()), dtype=torch.uint8).reshape(picture.shape)


def _per_pixel(convert: Callable[[Tensor], Tensor]) -> Ours:
    return lambda t: {"output": convert(t["image"])}


def codes(t: Tensors, saturate: bool) -> Tensors:
    """tensorflow_codes of -0.5 .. 1.5, or of unit range."""
    return {"output": tensorflow_codes(_values(t, saturate))}


def rounded(t: Tensors, saturate: bool) -> Tensors:
    """The nearest code."""
    return {"output": (_values(t, saturate).clamp(0, 1) * 255).round().to(torch.uint8)}


def truncated(t: Tensors, saturate: bool) -> Tensors:
    """The code below."""
    return {"output": (_values(t, saturate).clamp(0, 1) * 255).to(torch.uint8)}


def wrapped(t: Tensors, saturate: bool) -> Tensors:
    """Codes that begin anew above 255."""
    return {"output": (_values(t, saturate) * 255.5).floor().long().remainder(256).byte()}


def _values(t: Tensors, saturate: bool) -> Tensor:
    values = (256 * t["high"].float() + t["low"].float()) / 2**15 - 0.5
    return values if saturate else values.clamp(0, 1)


def _codes_case(saturate: bool) -> Case:
    wrong: dict[str, Callable[..., Tensors]] = {"rounded": rounded, "truncated": truncated}
    if saturate:
        wrong["wrapped"] = wrapped
    return Case(
        name=f"picture/codes{'_saturated' if saturate else ''}",
        inputs={name: Draw((2, 8, 20, 3), kind="codes") for name in ("high", "low")},
        ours=partial(codes, saturate=saturate),
        reference="pictures.codes",
        settings={"saturate": saturate},
        wrong={name: partial(one, saturate=saturate) for name, one in wrong.items()},
        precision="exact",
    )


CASES = (
    *(_codes_case(saturate) for saturate in (False, True)),
    Case(
        name="picture/unit_range",
        inputs={"image": Draw((2, 8, 11, 3), kind="codes")},
        ours=_per_pixel(unit_range),
        reference="pictures.unit_range",
        wrong={"divided by 255": _per_pixel(lambda image: image / 255)},
        precision="exact",
    ),
    Case(
        name="picture/mosaic",
        inputs={"image": Draw((2, 24, 36, 3), kind="codes")},
        ours=mosaic,
        reference="pictures.mosaic",
        settings={"block": 4},
        wrong={
            "no blur": lambda t: mosaic(t, sigma=0.0),
            "left of the centre": lambda t: mosaic(t, shift=-1),
            "mean of each block": averaged,
        },
        precision="exact",
    ),
)
