"""Total variation: TensorFlow's, the study notes', and the inpainting paper's."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses import dilated_hole, isotropic_total_variation, total_variation
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import to_torch

HOLE = 0.1  # a pixel is in the hole if what was drawn for it is less
_SIZE = (2, 6, 7)
_VALUES = 6 * 7 * 3


def variation(t: Tensors, function: Callable[[Tensor], Tensor]) -> Tensors:
    """A function of pictures in PyTorch's layout."""
    return {"output": function(to_torch(t["image"]))}


def in_region(t: Tensors, region: Callable[[Tensor], Tensor]) -> Tensors:
    """total_variation in a region that follows from the drawn mask."""
    mask = (to_torch(t["mask"]) >= HOLE).to(t["image"].dtype)
    return {"output": total_variation(to_torch(t["image"]), region(mask))}


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    return image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]


def _squared(image: Tensor) -> Tensor:
    down, right = (one.square().sum(dim=(1, 2, 3)) for one in _differences(image))
    return (down + right) / image[0].numel()


def _mean_of_each(image: Tensor) -> Tensor:
    """Each direction over the number of its own differences."""
    down, right = _differences(image)
    return down.abs().mean(dim=(1, 2, 3)) + right.abs().mean(dim=(1, 2, 3))


def _uncropped(image: Tensor) -> Tensor:
    """Each direction to the power on its own, and none of its differences left out."""
    down, right = (one.abs().pow(2.5).sum(dim=(1, 2, 3)) for one in _differences(image))
    return down + right


def _upper_and_left(image: Tensor) -> Tensor:
    return isotropic_total_variation(image.flip(2, 3))


def _cross(mask: Tensor) -> Tensor:
    """The hole dilated in four directions, not in eight."""
    hole = 1 - mask
    down = F.max_pool2d(hole, (3, 1), stride=1, padding=(1, 0))
    return down.maximum(F.max_pool2d(hole, (1, 3), stride=1, padding=(0, 1)))


_IMAGE = Draw((*_SIZE, 3), 0.0, 1.0)

CASES = (
    Case(
        name="loss/total_variation/absolute",
        inputs={"image": _IMAGE},
        ours=partial(variation, function=total_variation),
        reference="inpainting_losses.variation",
        wrong={
            "squared": partial(variation, function=_squared),
            "mean of each direction": partial(variation, function=_mean_of_each),
            "isotropic": partial(
                variation, function=lambda x: isotropic_total_variation(x, 0.5) / _VALUES
            ),
        },
        terms=2 * _VALUES,
    ),
    Case(
        name="loss/total_variation/notes",
        inputs={"image": Draw((*_SIZE, 3), 0.0, 255.0)},
        ours=partial(variation, function=isotropic_total_variation),
        reference="inpainting_losses.variation_notes",
        wrong={
            "plain squares": partial(
                variation, function=partial(isotropic_total_variation, exponent=1.0)
            ),
            "not cropped": partial(variation, function=_uncropped),
            "to the upper and left": partial(variation, function=_upper_and_left),
            "mean": partial(variation, function=lambda x: isotropic_total_variation(x) / _VALUES),
        },
        terms=_VALUES,
    ),
    Case(
        name="loss/total_variation/hole",
        inputs={"image": _IMAGE, "mask": Draw((*_SIZE, 1), 0.0, 1.0, kind="constant")},
        ours=partial(in_region, region=dilated_hole),
        reference="inpainting_losses.variation_in_hole",
        wrong={
            "not dilated": partial(in_region, region=lambda mask: 1 - mask),
            "dilated twice": partial(
                in_region, region=lambda mask: dilated_hole(1 - dilated_hole(mask))
            ),
            "dilated in four directions": partial(in_region, region=_cross),
            "valid for hole": partial(in_region, region=lambda mask: dilated_hole(1 - mask)),
            "everywhere": partial(in_region, region=lambda mask: mask.new_ones(mask.shape)),
        },
        terms=2 * _VALUES,
    ),
)
