"""The loss of style transfer: what a picture has of one picture's content and others' style."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from lit_restore.losses._aims import Aims, shares_of
from lit_restore.losses._frozen import Frozen
from lit_restore.losses._wide import wide
from lit_restore.losses.gram import gram_matrix
from lit_restore.losses.style import style_loss
from lit_restore.losses.total_variation import isotropic_total_variation
from lit_restore.models import VGGFeatures

Normalize = Literal["relative", "notes", "gatys"]

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))


class Weights(NamedTuple):
    """What the terms are multiplied by."""

    content: float
    style: float
    total_variation: float


WEIGHTS: Mapping[str, Weights] = {
    "relative": Weights(1.0, 10.0, 1.0),
    "notes": Weights(0.01, 1.0, 1e-4),
    "gatys": Weights(1.0, 1e3, 0.0),
}


class StyleTransferLoss(nn.Module):
    """Named terms of a picture: its content, its style, its roughness; each weighted.

    What they are compared with is computed once, by ``remember``. Styles may have any size: a Gram
    matrix counts as if it were of as many positions as the picture's own. ``normalize`` says what
    the terms are divided by:

    - ``"relative"``: squared differences over the squares of what is aimed at, so that 1 is a
      picture that has nothing of it, whatever the size, the weights of VGG and its layers. A layer
      where the aim is 0 has no say. The roughness is the mean over the values in unit range.
    - ``"notes"``: the study notes' sums. The content's is divided by nothing, and the style's by
      ``4 * 3**2 * (H * W)**2`` of the *picture* at every layer; the roughness is that of 0 .. 255.
    - ``"gatys"``: the paper's. The content's sum is halved, the style's divided by
      ``4 * C**2 * (h * w)**2`` of each layer's maps; the roughness is the notes'.

    Args:
        features: VGG up to the last layer that is needed, or further; out of training for good.
        content_layer: Whose maps are the content.
        style_layers: Whose Gram matrices are the style.
        content_weight: None: what suits ``normalize``, from ``WEIGHTS``; so are the next two.
        style_weight: Of the mean over the layers.
        total_variation_weight: Of the roughness; 0 does not compute it.
        layer_weights: Share of each of ``style_layers``; None: one over their number.
        normalize: As above.
        exponent: Of the squared length of the gradient in the roughness; positive.

    Raises:
        ValueError: If ``features`` lacks a layer, there is none for the style, ``layer_weights``
            are not as many, or ``normalize`` or ``exponent`` is none of the above.

    Source:
        Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
        equations 1 to 7; the study notes.
    """

    def __init__(
        self,
        features: VGGFeatures,
        content_layer: str = "block5_conv2",
        style_layers: Sequence[str] = STYLE_LAYERS,
        content_weight: float | None = None,
        style_weight: float | None = None,
        total_variation_weight: float | None = None,
        layer_weights: Sequence[float] | None = None,
        normalize: Normalize = "relative",
        exponent: float = 1.25,
    ) -> None:
        _check(features, [content_layer, *style_layers], layer_weights, normalize, exponent)
        super().__init__()
        usual = WEIGHTS[normalize]
        self.weights = Weights(
            usual.content if content_weight is None else content_weight,
            usual.style if style_weight is None else style_weight,
            usual.total_variation if total_variation_weight is None else total_variation_weight,
        )
        self.features = Frozen(features.to(memory_format=torch.channels_last))  # which is faster
        self.content_layer = content_layer
        self.style_layers = tuple(style_layers)
        count = len(self.style_layers)
        self.layer_weights = tuple(layer_weights or [1 / count] * count)
        self.normalize = normalize
        self.exponent = exponent
        self.white = 255 if features.inputs in ("caffe", "imagenet") else 1
        self.aims = Aims(torch.empty(0), [], [])

    @torch.no_grad()
    def remember(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        style_weights: Sequence[float] | None = None,
    ) -> None:
        """Compute what pictures will be compared with; on the pictures' device.

        Args:
            content: Shape (1, 3, H, W), in the range that VGG reads; H and W are the result's.
            styles: Each of shape (1, 3, h, w), of any size.
            style_weights: Share of each style, at least 0; divided by their sum. None: all alike.

        Raises:
            ValueError: If a shape is another, there is no style, or the weights do not fit.
        """
        shares = shares_of(style_weights, len(styles))
        for image in (content, *styles):
            if image.ndim != 4 or len(image) != 1:
                raise ValueError(f"expected one picture, (1, 3, H, W), got {tuple(image.shape)}")
        grams = []
        for style in styles:
            maps = self._maps(style, self.style_layers)
            grams.append({name: gram_matrix(one) / one[0, 0].numel() for name, one in maps.items()})
        aim = self._maps(content, [self.content_layer])[self.content_layer]
        self.aims = Aims(aim, grams, shares)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Compute the weighted terms.

        Args:
            image: Shape (1, 3, H, W), the content's, in the same range; values outside it are
                taken as they are.

        Returns:
            ``content``, ``style`` and ``total_variation``, scalars; what is optimised is their sum.

        Raises:
            RuntimeError: If there is nothing to compare with yet.
            ValueError: If the picture has not the content's size.
        """
        if not self.aims.shares:
            raise RuntimeError("remember(content, styles) must come before the loss is computed")
        maps = self._maps(image, [self.content_layer, *self.style_layers])
        weights, pixels = self.weights, image[0, 0].numel()
        rough = self._roughness(image) if weights.total_variation else image.new_zeros(())
        return {
            "content": weights.content * self._content(maps[self.content_layer]),
            "style": weights.style * self._style(maps, pixels),
            "total_variation": weights.total_variation * rough,
        }

    def _content(self, maps: Tensor) -> Tensor:
        aim = self.aims.content
        if maps.shape != aim.shape:
            raise ValueError(
                f"expected a picture as large as the content, whose maps are {tuple(aim.shape)}, "
                f"got maps of {tuple(maps.shape)}"
            )
        squares = (maps - aim).square().sum()
        if self.normalize == "relative":
            return squares / _power(aim)
        return squares / 2 if self.normalize == "gatys" else squares

    def _style(self, maps: Mapping[str, Tensor], pixels: int) -> Tensor:
        total = self.aims.content.new_zeros(())
        for name, layer_weight in zip(self.style_layers, self.layer_weights, strict=True):
            gram, positions = gram_matrix(maps[name]), maps[name][0, 0].numel()
            for index, share in enumerate(self.aims.shares):
                aim = self.aims.gram(index, name)
                total = total + layer_weight * share * self._distance(gram, aim, positions, pixels)
        return total

    def _distance(self, gram: Tensor, aim: Tensor, positions: int, pixels: int) -> Tensor:
        """Compare a layer's Gram matrix with the mean over the positions of a style's."""
        if self.normalize == "relative":
            return (gram / positions - aim).square().sum() / _power(aim)
        notes = self.normalize == "notes"
        size, channels = (pixels, 3) if notes else (positions, None)
        return style_loss(gram, aim * positions, size, "squared", channels).sum()

    def _roughness(self, image: Tensor) -> Tensor:
        relative = self.normalize == "relative"
        scaled = wide(image) * (self.white / 255 if relative else self.white)
        value = isotropic_total_variation(scaled, self.exponent).sum()
        return value / image[..., 1:, 1:].numel() if relative else value

    def _maps(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        network: VGGFeatures = self.features.network  # type: ignore[assignment]
        return {name: wide(one) for name, one in network.maps(image, layers).items()}


def _power(aim: Tensor) -> Tensor:
    """Sum the squares of what is aimed at; infinite if it is nothing, which then has no say."""
    power = aim.square().sum()
    return power.where(power > 0, torch.inf)


def _check(
    features: VGGFeatures,
    layers: Sequence[str],
    weights: Sequence[float] | None,
    normalize: str,
    exponent: float,
) -> None:
    if normalize not in WEIGHTS:
        raise ValueError(f"normalize must be one of {', '.join(WEIGHTS)}; got {normalize!r}")
    if exponent <= 0:
        raise ValueError(f"exponent must be positive, got {exponent}")
    unknown = [name for name in layers if name not in features.ends]
    if unknown or len(layers) < 2:
        known = ", ".join(features.ends)
        raise ValueError(f"expected a content layer and style layers of {known}; got {layers}")
    if weights is not None and len(weights) != len(layers) - 1:
        raise ValueError(f"layer_weights must be {len(layers) - 1}, got {list(weights)}")
