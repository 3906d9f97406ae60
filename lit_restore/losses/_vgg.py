"""VGG as losses use it: looked for when they are made, frozen, and kept out of their state."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor

from lit_restore.losses._frozen import Frozen
from lit_restore.losses._wide import wide
from lit_restore.models import VGGFeatures
from lit_restore.models.vgg import layer_names

POOLS = ("block1_pool", "block2_pool", "block3_pool")


class FrozenMaps(Frozen):
    """Several maps of a VGG that stays as it is, in float32 at least.

    Args:
        network: Put into eval mode, and its parameters out of training, for good.
        layers: Whose maps, as ``VGGFeatures.maps`` takes them.
        scale: What the maps are multiplied by.
    """

    def __init__(self, network: VGGFeatures, layers: Sequence[str], scale: float = 1.0) -> None:
        super().__init__(network)
        self.layers = tuple(layers)
        self.scale = scale

    def forward(self, image: Tensor) -> list[Tensor]:
        """Compute the maps, in the order of the network; shape (N, 3, H, W), in its range."""
        maps = cast(VGGFeatures, self.network).maps(image, self.layers)
        return [wide(one) * self.scale for one in maps.values()]


def make_vgg(depth: Literal[16, 19], layer: str, weights: str | Path | None) -> VGGFeatures:
    """Make VGG up to a layer, in the layout that is faster.

    Args:
        depth: 16 or 19.
        layer: The last layer.
        weights: A file, as ``load_vgg`` reads it; None: where ``load_vgg`` looks for them;
            ``"random"``: random ones, always the same.

    Raises:
        ValueError: If ``depth`` or ``layer`` is unknown.
        VGGWeightsError: If there are no weights, or they are not such a VGG's.
    """
    return _made(depth, layer, weights).to(memory_format=torch.channels_last)


def last_layer(depth: Literal[16, 19], layers: Sequence[str]) -> str:
    """Name the layer that comes last in the network.

    Raises:
        ValueError: If ``depth`` or a layer is unknown, or there are no layers.
    """
    if depth not in (16, 19):
        raise ValueError(f"depth must be 16 or 19, got {depth}")
    names = list(layer_names(depth))
    unknown = [name for name in layers if name not in names]
    if unknown or not layers:
        raise ValueError(f"layers must be some of {', '.join(names)}; got {unknown or 'none'}")
    return max(layers, key=names.index)


def _made(depth: Literal[16, 19], layer: str, weights: str | Path | None) -> VGGFeatures:
    if weights == "random":
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            return VGGFeatures(depth, layer)
    from lit_restore.interop.vgg_weights import load_vgg

    return load_vgg(weights, depth, layer)
