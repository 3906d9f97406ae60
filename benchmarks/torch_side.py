"""Training steps and inference in PyTorch: as the library does them, and as a plain port would."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.process import Step

if TYPE_CHECKING:
    import torch
    from torch import nn

Network = Literal["small", "full"]
BATCH, SIZE = 32, 64


@dataclass(frozen=True)
class Recipe:
    """What makes it fast: each is exact but for rounding.

    Attributes:
        channels_last: Whether maps lie in memory pixel by pixel.
        fused: Whether Adam updates all parameters in one call.
        folded: Whether ``SmallMosaicUNet`` folds its upsampling into the kernel.
        keep_memory: Whether the allocator keeps freed memory.
    """

    channels_last: bool = True
    fused: bool = True
    folded: bool = True
    keep_memory: bool = True


OURS = Recipe()
NO_MALLOC = Recipe(keep_memory=False)
NAIVE = Recipe(channels_last=False, fused=False, folded=False, keep_memory=False)


def training(threads: int, network: Network, recipe: Recipe) -> Step:
    """Set up a training step: forward, mean absolute error, backward, Adam.

    Args:
        threads: To use.
        network: ``"small"`` is the notes' U-Net, ``"full"`` the library's.
        recipe: How.
    """
    import torch

    from lit_restore.losses import L1Loss

    source, target = torch.rand(2, BATCH, 3, SIZE, SIZE)
    model, order = _set_up(threads, network, recipe)
    loss = L1Loss()
    optimizer = torch.optim.Adam(model.parameters(), fused=True if recipe.fused else None)

    def step() -> None:
        optimizer.zero_grad()
        loss(model(source.contiguous(memory_format=order)), target).backward()
        optimizer.step()

    return step


def inference(threads: int, network: Network, recipe: Recipe) -> Step:
    """Set up the restoration of a batch; arguments as for ``training``."""
    import torch

    source = torch.rand(BATCH, 3, SIZE, SIZE)
    model, order = _set_up(threads, network, recipe)
    model.eval()

    @torch.inference_mode()
    def step() -> None:
        model(source.contiguous(memory_format=order))

    return step


def build(network: Network, folded: bool = True) -> "nn.Module":
    """Build a network; the full one as the shipped configuration has it."""
    from lit_restore.models import MosaicUNet, SmallMosaicUNet

    if network == "small":
        return SmallMosaicUNet(folded=folded)
    return MosaicUNet(widths=(64, 80, 96), skip="add")


def prepare(threads: int, recipe: Recipe | None) -> "torch.memory_format":
    """Set up the process as a recipe says, and tell the order of maps in memory.

    Args:
        threads: To use.
        recipe: How; None: as PyTorch is.
    """
    import torch

    from lit_restore.malloc import keep_freed_memory

    if recipe and recipe.keep_memory:
        keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(threads)
    return torch.channels_last if recipe and recipe.channels_last else torch.contiguous_format


def count_parameters(network: "nn.Module") -> int:
    """Count a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def _set_up(
    threads: int, network: Network, recipe: Recipe
) -> "tuple[nn.Module, torch.memory_format]":
    order = prepare(threads, recipe)
    return build(network, recipe.folded).to(memory_format=order), order
