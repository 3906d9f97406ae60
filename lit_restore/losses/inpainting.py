"""The six terms by which the inpainting paper trains partial convolutions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.losses._vgg import POOLS, FrozenMaps, last_layer, make_vgg
from lit_restore.losses._wide import wide
from lit_restore.losses.gram import gram_matrix
from lit_restore.losses.style import style_loss
from lit_restore.losses.total_variation import dilated_hole, total_variation
from lit_restore.models import VGGFeatures
from lit_restore.nn.masks import composite

# Keras's weights read 0 .. 255 where torchvision's read standard deviations, .226 of that range.
_CAFFE_SCALE = 1 / (255 * 0.226)


class InpaintingLoss(nn.Module):
    """How far a filled picture is from the true one: in pixels, in VGG's maps and in style.

    Called as ``loss(prediction, target, mask)``, it returns six named scalars that are already
    weighted; their sum is the paper's loss. The composite is the target where the mask is valid
    and the prediction in the hole.

    - ``valid``, ``hole``: absolute difference in the one and the other region, over the number of
      *all* values in the paper, so that a small hole weighs little (``average="picture"``), or over
      the region's own, of each picture (``"region"``);
    - ``perceptual``: mean absolute difference of VGG's maps, of prediction and composite;
    - ``style_prediction``, ``style_composite``: ``style_loss`` of their maps, ``"absolute"``;
    - ``total_variation``: of the composite, in the hole grown by a pixel.

    A term whose weight is 0 is left out, and VGG is neither run nor looked for if no term needs
    it. It runs once on prediction and composite together, and once on the target without a graph;
    it is in nobody's checkpoint. Maps in half precision are compared in float32.

    Args:
        valid: Weight of the term; so are the five that follow.
        hole: As ``valid``.
        perceptual: As ``valid``; of prediction and composite alike.
        style_prediction: As ``valid``.
        style_composite: As ``valid``.
        total_variation: As ``valid``.
        layers: Whose maps: ``block1_conv1`` ... ``block5_pool``, convolutions with their ReLU.
        depth: 16 or 19.
        weights: A file, as ``load_vgg`` reads it; None: where ``load_vgg`` looks for them;
            ``"random"``: random ones, always the same, to try things out.
        features: A network of one's own in place of that which ``depth`` and ``weights`` say.
        average: What ``valid`` and ``hole`` are averaged over.
        scale: What the maps are multiplied by; ``perceptual`` has it once, the styles its square.
            None: 1, but 1 / 57.6 with Keras's weights, whose pictures have a range that much
            larger: the paper's weights are for torchvision's. By Keras's the styles still pull at
            the hole far more than the pixels do; 0.0043, a quarter of that, suits it better.

    Raises:
        ValueError: If a term's weight is negative, or all are 0; if ``depth``, ``average`` or a
            layer is unknown.
        VGGWeightsError: If there are no weights, or they are not such a VGG's.

    Source:
        Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
        https://arxiv.org/abs/1804.07723, section 3.3.
    """

    def __init__(
        self,
        valid: float = 1.0,
        hole: float = 6.0,
        perceptual: float = 0.05,
        style_prediction: float = 120.0,
        style_composite: float = 120.0,
        total_variation: float = 0.1,
        layers: Sequence[str] = POOLS,
        depth: Literal[16, 19] = 16,
        weights: str | Path | None = None,
        features: VGGFeatures | None = None,
        scale: float | None = None,
        average: Literal["picture", "region"] = "picture",
    ) -> None:
        if average not in ("picture", "region"):
            raise ValueError(f"average must be 'picture' or 'region', got {average!r}")
        super().__init__()
        self.average = average
        self.term_weights = {
            "valid": valid,
            "hole": hole,
            "perceptual": perceptual,
            "style_prediction": style_prediction,
            "style_composite": style_composite,
            "total_variation": total_variation,
        }
        _check_weights(self.term_weights)
        self.features: FrozenMaps | None = None
        if perceptual or style_prediction or style_composite:
            if features is None:
                features = make_vgg(depth, last_layer(depth, layers), weights)
            if scale is None:
                scale = _CAFFE_SCALE if features.inputs.startswith("caffe") else 1.0
            self.features = FrozenMaps(features, layers, scale)

    def forward(self, prediction: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Compare two batches of pictures.

        Args:
            prediction: Shape (N, 3, H, W), in unit range. At least 8x8 pixels with the layers that
                are compared unless told, which pool three times.
            target: The same shape and range.
            mask: Shape (N, 1, H, W); 1 where valid, 0 in the hole.

        Returns:
            The weighted terms, scalars, in the order above. Gradients flow to the prediction, and
            those of the composite to the hole alone.

        Raises:
            ValueError: If the shapes do not fit, or a side is too short.
        """
        _check_shapes(prediction, target, mask)
        target, inside = target.detach(), mask != 0
        filled = composite(prediction, target, mask)
        difference = (wide(prediction) - wide(target)).abs()
        regions = {"valid": inside, "hole": ~inside}
        mean = _mean_over_picture if self.average == "picture" else _mean_over_region
        terms = {name: mean(difference, region) for name, region in regions.items()}
        if self.term_weights["total_variation"]:
            terms["total_variation"] = total_variation(filled, dilated_hole(mask)).mean()
        if self.features is not None:
            pictures = {"prediction": prediction, "composite": filled}
            terms |= self._map_terms(self.features, pictures, target)
        weights = {name: weight for name, weight in self.term_weights.items() if weight}
        return {name: terms[name] * weight for name, weight in weights.items()}

    def _map_terms(
        self, features: FrozenMaps, pictures: dict[str, Tensor], target: Tensor
    ) -> dict[str, Tensor]:
        perceptual = self.term_weights["perceptual"]
        styles = [name for name in pictures if self.term_weights[f"style_{name}"]]
        used = [name for name in pictures if perceptual or name in styles]
        with torch.no_grad():
            expected = features(target)
        terms: dict[str, list[Tensor]] = {}
        found = features(torch.cat([pictures[name] for name in used]))
        for maps, true in zip(found, expected, strict=True):
            each = dict(zip(used, maps.chunk(len(used)), strict=True))
            if perceptual:
                terms.setdefault("perceptual", []).extend(
                    _apart(one, true) for one in each.values()
                )
            if styles:
                gram = gram_matrix(true)
            for name in styles:
                style = style_loss(gram_matrix(each[name]), gram, true[0, 0].numel())
                terms.setdefault(f"style_{name}", []).append(style.mean())
        return {name: torch.stack(values).sum() for name, values in terms.items()}


def _mean_over_picture(difference: Tensor, region: Tensor) -> Tensor:
    return difference.where(region, 0).mean()


def _mean_over_region(difference: Tensor, region: Tensor) -> Tensor:
    values = region.sum(dim=(1, 2, 3)) * difference.shape[1]
    return (difference.where(region, 0).sum(dim=(1, 2, 3)) / values.clamp(min=1)).mean()


def _apart(maps: Tensor, true: Tensor) -> Tensor:
    return (maps - true).abs().mean()


def _check_weights(weights: dict[str, float]) -> None:
    if min(weights.values()) < 0 or not any(weights.values()):
        raise ValueError(f"expected weights of terms of 0 or more, and one above 0; got {weights}")


def _check_shapes(prediction: Tensor, target: Tensor, mask: Tensor) -> None:
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    expected = (len(prediction), 1, *prediction.shape[-2:])
    if mask.shape != expected:
        raise ValueError(f"mask must have the shape {expected}, got {tuple(mask.shape)}")
