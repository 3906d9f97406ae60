"""The notes' segmentation networks; each convolution is followed by ReLU, then by normalisation."""

from typing import Any

import chainer.functions as F

from parity.chainer.layers import Variables, normalise


def conv_segmenter(t: Variables, training: bool, depth: int) -> Variables:
    """Convolutions in a row, scored."""
    after: Variables = {}
    x = t["image"]
    for index in range(depth):
        x = _block(t, f"blocks.{index}", x, training, after)
    return {"output": _scored(t, x), **(after if training else {})}


def pooling_segmenter(t: Variables, training: bool, skip: bool) -> Variables:
    """Down by max pooling, up by Deconvolution2D, joined or not, scored."""
    after: Variables = {}

    def pair(name: str, x: Any) -> Any:
        x = _block(t, f"{name}.0", x, training, after)
        return _block(t, f"{name}.1", x, training, after)

    fine = pair("fine", t["image"])
    x = pair("coarse", F.max_pooling_2d(fine, 2))
    x = F.relu(F.deconvolution_2d(x, t["up.conv.weight"], t["up.conv.bias"], stride=2))
    x = _norm(t, "up.norm", x, training, after)
    x = _block(t, "fuse", F.concat([x, fine], axis=1), training, after) if skip else x
    return {"output": _scored(t, pair("last", x)), **(after if training else {})}


def _scored(t: Variables, x: Any) -> Any:
    return F.convolution_2d(x, t["head.weight"], t["head.bias"])


def _block(t: Variables, name: str, x: Any, training: bool, after: Variables) -> Any:
    weight, bias = t[f"{name}.conv.weight"], t[f"{name}.conv.bias"]
    x = F.relu(F.convolution_2d(x, weight, bias, pad=weight.shape[-1] // 2))
    return _norm(t, f"{name}.norm", x, training, after)


def _norm(t: Variables, name: str, x: Any, training: bool, after: Variables) -> Any:
    mean, variance = (t[f"{name}.running_{key}"].array.copy() for key in ("mean", "var"))
    after.update({f"after {name}.mean": mean, f"after {name}.var": variance})
    return normalise(x, t[f"{name}.weight"], t[f"{name}.bias"], mean, variance, training)
