"""The small network that the notes' segmentation chapter ends its first part with."""

from typing import Any

import chainer.functions as F

from parity.chainer.layers import Variables, normalise


def skip_network(t: Variables, training: bool) -> Variables:
    """Down by max pooling, up by Deconvolution2D, joined, scored.

    Each convolution is followed by ReLU, then by BatchNormalization.
    """
    after: Variables = {}
    fine = _block(t, "fine", t["image"], training, after)
    coarse = _block(t, "coarse", F.max_pooling_2d(fine, 2), training, after)
    enlarged = F.relu(F.deconvolution_2d(coarse, t["up.weight"], t["up.bias"], stride=2))
    enlarged = _norm(t, "up_norm", enlarged, training, after)
    joined = F.concat([enlarged, fine], axis=1)
    mixed = _block(t, "mixed", joined, training, after)
    output = F.convolution_2d(mixed, t["score.weight"], t["score.bias"])
    return {"output": output, **(after if training else {})}


def _block(t: Variables, name: str, x: Any, training: bool, after: Variables) -> Any:
    weight, bias = t[f"{name}.conv.weight"], t[f"{name}.conv.bias"]
    x = F.relu(F.convolution_2d(x, weight, bias, pad=weight.shape[-1] // 2))
    return _norm(t, f"{name}.norm", x, training, after)


def _norm(t: Variables, name: str, x: Any, training: bool, after: Variables) -> Any:
    mean, variance = (t[f"{name}.running_{key}"].array.copy() for key in ("mean", "var"))
    after.update({f"after {name}.mean": mean, f"after {name}.var": variance})
    return normalise(x, t[f"{name}.weight"], t[f"{name}.bias"], mean, variance, training)
