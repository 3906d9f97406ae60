"""Networks of partial convolutions in PyTorch: as the library runs them, and as plain ports do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.process import Work
from benchmarks.torch_side import Recipe, count_parameters, prepare

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH, NOTES_BATCH, SIZE = 4, 8, 128
WIDTHS, SIZES = (64, 128, 256, 256, 256), (7, 5, 5, 3)
HOLES = ((8, 70, 20, 60), (50, 110, 80, 120), (90, 104, 4, 64), (20, 30, 70, 124))  # 32 %


@dataclass(frozen=True)
class MaskRecipe(Recipe):
    """What makes it fast, and how holes are known.

    Attributes:
        masks: ``"groups"`` is the library's way, a mask for each group of channels; the others are
            those of ``pconv_plain``.
    """

    masks: Literal["groups", "dense", "none"] = "groups"


GROUPS = MaskRecipe()
GROUPS_NO_MALLOC = MaskRecipe(keep_memory=False)
DENSE = MaskRecipe(masks="dense")
UNMASKED = MaskRecipe(masks="none")
PLAIN_DENSE = MaskRecipe(channels_last=False, fused=False, keep_memory=False, masks="dense")


def unet_training(threads: int, recipe: MaskRecipe) -> Work:
    """Set up a training step of the paper's U-Net: mean absolute error, Adam.

    Args:
        threads: To use.
        recipe: How.
    """
    order = prepare(threads, recipe)
    return _training(_unet(recipe.masks).to(memory_format=order), recipe, BATCH)


def unet_inference(threads: int, recipe: MaskRecipe) -> Work:
    """Set up the filling of a batch by the paper's U-Net; arguments as above."""
    import torch

    order = prepare(threads, recipe)
    model = _unet(recipe.masks).to(memory_format=order).eval()
    image, mask = _pictures(BATCH)

    @torch.inference_mode()
    def step() -> Any:
        return model(image.contiguous(memory_format=order), mask)

    return Work(step, {"network": count_parameters(model), "output": step().numel()})


def notes_training(threads: int, recipe: Recipe | None) -> Work:
    """Set up a training step of the notes' network.

    Args:
        threads: To use.
        recipe: How the library does it; None: a plain port.
    """
    from benchmarks import pconv_plain
    from lit_restore.models import PartialConvNet

    order = prepare(threads, recipe)
    model = pconv_plain.NotesNet() if recipe is None else PartialConvNet()
    return _training(model.to(memory_format=order), recipe, NOTES_BATCH)


def _training(model: "nn.Module", recipe: Recipe | None, count: int) -> Work:
    import torch

    from lit_restore.losses import L1Loss

    image, mask = _pictures(count)
    loss = L1Loss()
    order = torch.channels_last if recipe and recipe.channels_last else torch.contiguous_format
    optimizer = torch.optim.Adam(
        model.parameters(), fused=True if recipe and recipe.fused else None
    )

    def step() -> None:
        optimizer.zero_grad()
        loss(model(image.contiguous(memory_format=order), mask), image).backward()
        optimizer.step()

    with torch.no_grad():
        output = model(image, mask).numel()
    return Work(step, {"network": count_parameters(model), "output": output})


def _unet(masks: Literal["groups", "dense", "none"]) -> "nn.Module":
    from benchmarks import pconv_plain
    from lit_restore.models import PartialConvUNet

    if masks == "groups":
        return PartialConvUNet(WIDTHS, SIZES)
    return pconv_plain.UNet(WIDTHS, SIZES, masks)


def _pictures(count: int) -> "tuple[Tensor, Tensor]":
    import torch

    mask = torch.ones(count, 1, SIZE, SIZE)
    for top, bottom, left, right in HOLES:
        mask[:, :, top:bottom, left:right] = 0
    return torch.rand(count, 3, SIZE, SIZE), mask
