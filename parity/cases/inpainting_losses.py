"""The six terms of the inpainting paper's loss, with a thin VGG."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lit_restore.losses import InpaintingLoss
from lit_restore.models import VGGFeatures
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.total_variation import HOLE
from parity.layout import to_torch
from parity.network import Network, terms, to_state

_WIDTHS = (4, 5, 6, 7, 8)
_SIZE = (2, 18, 27)
_CONVOLUTIONS = ("block1_conv2", "block2_conv2", "block3_conv3")
_SCALE = 1 / (255 * 0.226)
_WEIGHTS = {
    "valid": 1.0,
    "hole": 6.0,
    "perceptual": 0.05,
    "style_prediction": 120.0,
    "style_composite": 120.0,
    "total_variation": 0.1,
}
_PIXELS = ("valid", "hole", "total_variation")

_build = partial(VGGFeatures, 16, "block3_pool", "caffe", _WIDTHS)
_network = Network(_build, _SIZE)

Masks = Callable[[Tensor], Tensor]


def inpainting(
    t: Tensors,
    term: str,
    weight: float | None = None,
    mask: Masks | None = None,
    factor: float = 1.0,
    **options: Any,
) -> Tensors:
    """One term of InpaintingLoss, times a factor that is 1."""
    given: dict[str, Any] = {**dict.fromkeys(_WEIGHTS, 0.0), **options}
    given[term] = _WEIGHTS[term] if weight is None else weight
    loss = InpaintingLoss(features=_features(t), **given).to(t["prediction"].dtype)
    valid = (to_torch(t["mask"]) >= HOLE).to(t["prediction"].dtype)
    pictures = (to_torch(t["prediction"]), to_torch(t["target"]))
    value = loss(*pictures, mask(valid) if mask else valid)[term]
    return {"output": value.reshape(1) * factor}


def _features(t: Tensors) -> VGGFeatures:
    """The VGG of the case's arrays; without any, one that no term reads."""
    network = _build()
    state = {name: value for name, value in t.items() if "/" in name}
    if state:
        network.load_state_dict(to_state(state))
    return network


def of_rgb(t: Tensors, term: str) -> Tensors:
    """The term with a VGG that sees RGB where its weights want BGR."""
    return inpainting({**t, "features.0/kernel": t["features.0/kernel"].flip(2)}, term)


def renamed(t: Tensors, term: str, other: str) -> Tensors:
    """Another term in its place, with its weight."""
    return inpainting(t, other, _WEIGHTS[term])


def squared(t: Tensors, term: str) -> Tensors:
    """Squared differences of the pixels in one region."""
    mask = (to_torch(t["mask"]) >= HOLE).to(t["prediction"].dtype)
    where = mask if term == "valid" else 1 - mask
    difference = to_torch(t["prediction"]) - to_torch(t["target"])
    return {"output": (where * difference.square()).mean().reshape(1) * _WEIGHTS[term]}


def over_region(t: Tensors, term: str) -> Tensors:
    """The mean over the region, not over all pixels."""
    share = (t["mask"] >= HOLE).to(t["prediction"].dtype).mean()
    return inpainting(t, term, factor=1 / float(share if term == "valid" else 1 - share))


def everywhere(t: Tensors, term: str) -> Tensors:
    """The term as if all of the picture were the hole."""
    return inpainting(t, term, mask=torch.zeros_like)


def _wrong(term: str) -> Mapping[str, Ours]:
    wrong: dict[str, Ours] = {
        "not weighted": partial(inpainting, term=term, weight=1.0),
        "valid for hole": partial(inpainting, term=term, mask=lambda mask: 1 - mask),
    }
    if term in ("valid", "style_prediction"):
        del wrong["not weighted" if term == "valid" else "valid for hole"]
    if term in ("valid", "hole"):
        wrong["squared"] = partial(squared, term=term)
        wrong["mean over the region"] = partial(over_region, term=term)
    if term not in ("valid", "hole", "style_prediction"):
        wrong["of the prediction alone"] = partial(everywhere, term=term)
    if term not in _PIXELS:
        wrong["before the poolings"] = partial(inpainting, term=term, layers=_CONVOLUTIONS)
        wrong["two layers"] = partial(inpainting, term=term, layers=("block1_pool", "block3_pool"))
        wrong["maps not scaled"] = partial(inpainting, term=term, scale=1.0)
        wrong["RGB"] = partial(of_rgb, term=term)
    if term == "style_prediction":
        wrong["of the composite"] = partial(renamed, term=term, other="style_composite")
    return wrong


def _case(term: str) -> Case:
    weights = {} if term in _PIXELS else _network.weights()
    count, height, width = _SIZE
    return Case(
        name=f"loss/inpainting/{term}",
        inputs={
            "prediction": Draw((*_SIZE, 3), 0.0, 1.0),
            "target": Draw((*_SIZE, 3), 0.0, 1.0, kind="constant"),
            "mask": Draw((*_SIZE, 1), 0.0, 1.0, kind="constant"),
            **{name: replace(one, kind="constant") for name, one in weights.items()},
        },
        ours=partial(inpainting, term=term),
        reference="inpainting_losses.inpainting",
        settings={
            "term": term,
            "weight": _WEIGHTS[term],
            "scale": _SCALE,
            "depth": 16,
            "widths": list(_WIDTHS),
        },
        wrong=_wrong(term),
        terms=terms(_network) if weights else 2 * 3 * count * height * width,
        depth=2 * len(_network.layers) if weights else 1,
    )


CASES = tuple(_case(term) for term in _WEIGHTS)
