"""Training steps of segmentation networks in PyTorch: as the library does them, and plainly."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from benchmarks.process import Work
from benchmarks.torch_side import Recipe, prepare

if TYPE_CHECKING:
    from torch import nn

Network = Literal["convs", "unet"]


class Setting(NamedTuple):
    """What is trained on.

    Attributes:
        batch: Pictures.
        size: Their side, in pixels.
        options: Of the network.
    """

    batch: int
    size: int
    options: Mapping[str, Any]


SETTINGS: Mapping[Network, Setting] = {
    "convs": Setting(16, 64, {"width": 32, "depth": 6, "order": "can"}),
    "unet": Setting(
        8,
        128,
        {
            "widths": (32, 64, 128, 256),
            "depth": 2,
            "padding": "same",
            "upsample": "transposed",
            "norm": "batch",
            "order": "can",
        },
    ),
}


def training(threads: int, recipe: Recipe, network: Network, num_classes: int) -> Work:
    """Set up a training step: forward, cross-entropy of every pixel, backward, Adam.

    Args:
        threads: To use.
        recipe: How.
        network: The notes' six convolutions, or a U-Net with BatchNorm and without dropout.
        num_classes: 1 for a sigmoid, more for a softmax.
    """
    import torch

    from lit_restore.losses import SegmentationCrossEntropy

    order = prepare(threads, recipe)
    batch, size, _ = SETTINGS[network]
    image = torch.rand(batch, 3, size, size)
    classes = torch.randint(max(num_classes, 2), (batch, size, size))
    model = build(network, num_classes).to(memory_format=order)
    loss = SegmentationCrossEntropy()
    optimizer = torch.optim.Adam(model.parameters(), fused=True if recipe.fused else None)

    def step() -> None:
        optimizer.zero_grad()
        loss(model(image.contiguous(memory_format=order)), classes).backward()
        optimizer.step()

    return Work(step, sizes(model, batch * num_classes * size * size))


def build(network: Network, num_classes: int) -> "nn.Module":
    """Build a network with Keras's constants and first weights."""
    from lit_restore.models import ConvSegmenter, UNet

    options = SETTINGS[network].options
    if network == "convs":
        return ConvSegmenter(num_classes=num_classes, style="keras", **options)
    return UNet(num_classes=num_classes, dropout=0.0, style="keras", **options)


def sizes(network: "nn.Module", output: int) -> dict[str, int]:
    """Count a network's trained numbers, and the numbers that come out."""
    return {"trained": sum(one.numel() for one in network.parameters()), "output": output}
