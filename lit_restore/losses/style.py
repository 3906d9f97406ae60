"""The loss between Gram matrices of feature maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.losses._vgg import POOLS, FrozenMaps, last_layer, make_vgg
from lit_restore.losses.gram import gram_matrix
from lit_restore.models import VGGFeatures

Kind = Literal["absolute", "squared"]


def style_loss(
    gram: Tensor,
    target: Tensor,
    size: int,
    kind: Kind = "absolute",
    channels: int | None = None,
) -> Tensor:
    """Compare un-normalised Gram matrices of a layer's maps, as ``gram_matrix`` computes them.

    ``"absolute"`` is the inpainting paper's: the mean over the C * C entries of the absolute
    difference, over ``channels * size``. ``"squared"`` is Gatys's: the sum of the squared
    differences, over ``4 * channels**2 * size**2``. Both take ``channels`` and ``size`` of the
    maps; the study notes' style transfer takes them of the picture, hence 3 channels and the
    picture's pixels at every layer.

    Args:
        gram: Shape (N, C, C).
        target: The same shape; computed once where it is always the same.
        size: Pixels, H * W, of the maps or of the picture.
        kind: Which differences are summed.
        channels: None: C.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the shapes differ, or ``kind`` is unknown.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, equations 4 and 5; Gatys et al., "Image Style Transfer
        Using Convolutional Neural Networks", CVPR 2016, equation 4.
    """
    if gram.shape != target.shape:
        raise ValueError(
            "gram and target must have the same shape, got "
            f"{tuple(gram.shape)} and {tuple(target.shape)}"
        )
    _check_kind(kind)
    scaled = (gram - target) / ((channels or gram.shape[-1]) * size)
    if kind == "squared":
        return (scaled / 2).square().sum(dim=(1, 2))
    return scaled.abs().mean(dim=(1, 2))


class StyleLoss(nn.Module):
    """``style_loss`` of VGG's maps at several layers, summed over the layers.

    The defaults are the inpainting paper's. No gradient is taken of the target. VGG's weights are
    looked for when the loss is made, and are not in the checkpoints of what is trained by it.

    Args:
        kind: Which differences of the Gram matrices are summed; the notes: ``"squared"``.
        layers: Whose maps: ``block1_conv1`` ... ``block5_pool``, convolutions with their ReLU.
        of: What ``channels`` and ``size`` of ``style_loss`` are those of; the notes:
            ``"picture"``.
        layer_weight: What each layer's loss is multiplied by; the notes: 1 over their number.
        depth: 16 or 19.
        weights: A file, as ``load_vgg`` reads it; None: where ``load_vgg`` looks for them;
            ``"random"``: random ones, always the same, to try things out.
        features: A network of one's own in place of that which ``depth`` and ``weights`` say.

    Raises:
        ValueError: If ``kind``, ``of``, ``depth`` or a layer is unknown.
        VGGWeightsError: If there are no weights, or they are not such a VGG's.

    Source:
        As for ``style_loss``.
    """

    def __init__(
        self,
        kind: Kind = "absolute",
        layers: Sequence[str] = POOLS,
        of: Literal["maps", "picture"] = "maps",
        layer_weight: float = 1.0,
        depth: Literal[16, 19] = 16,
        weights: str | Path | None = None,
        features: VGGFeatures | None = None,
    ) -> None:
        _check_kind(kind)
        if of not in ("maps", "picture"):
            raise ValueError(f"of must be 'maps' or 'picture', got {of!r}")
        super().__init__()
        self.kind = kind
        self.of = of
        self.layer_weight = layer_weight
        if features is None:
            features = make_vgg(depth, last_layer(depth, layers), weights)
        self.features = FrozenMaps(features, layers)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare the styles of two batches of pictures.

        Args:
            prediction: Shape (N, 3, H, W), in the range that the network reads; unit range unless
                ``features`` were given.
            target: The same range, and as many pictures, but of any size.

        Returns:
            A scalar, the mean over the pictures.

        Raises:
            ValueError: If the numbers of pictures differ.
        """
        with torch.no_grad():
            expected = self._styles(target)
        pairs = zip(self._styles(prediction), expected, strict=True)
        losses = [
            style_loss(gram, other, 1, self.kind, channels)
            for (gram, channels), (other, _) in pairs
        ]
        return torch.stack(losses).sum(dim=0).mean() * self.layer_weight

    def _styles(self, picture: Tensor) -> list[tuple[Tensor, int]]:
        """Gram matrices per pixel, so that pictures of two sizes compare, and their channels."""
        maps = self.features(picture)
        rulers = [picture if self.of == "picture" else one for one in maps]
        return [
            (gram_matrix(one) / ruler[0, 0].numel(), ruler.shape[1])
            for one, ruler in zip(maps, rulers, strict=True)
        ]


def _check_kind(kind: str) -> None:
    if kind not in ("absolute", "squared"):
        raise ValueError(f"kind must be 'absolute' or 'squared', got {kind!r}")
