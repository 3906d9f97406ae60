"""The study notes' style transfer on a thin VGG19: its loss, and SciPy's L-BFGS-B on it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_restore.inference.descent import total
from lit_restore.losses import StyleTransferLoss
from lit_restore.losses.style_transfer import STYLE_LAYERS
from lit_restore.models import VGGFeatures
from parity.arrays import Array, Draw
from parity.case import Case, Tensors
from parity.layout import to_torch
from parity.network import Network, terms, to_state

WIDTHS = (4, 5, 6, 7, 8)
SIZE = (1, 35, 50)
CONTENT = "block5_conv2"
WEIGHTS = (3000.0, 0.1, 1e-7)  # of thin maps of random weights, so that no term is lost
MAXFUN, SHOWN = 20, 10

_MEAN = (103.939, 116.779, 123.68)

Loss = Callable[..., StyleTransferLoss]


def vgg(**changed: Any) -> VGGFeatures:
    """Make the thin VGG19, but for what is changed."""
    return VGGFeatures(**{"depth": 19, "layer": CONTENT, "widths": WIDTHS, **changed})


def notes(network: VGGFeatures, **changed: Any) -> StyleTransferLoss:
    """Make the loss with the notes' arithmetic, but for what is changed."""
    names = ("content_weight", "style_weight", "total_variation_weight")
    options = dict(zip(names, WEIGHTS, strict=True)) | {"normalize": "notes"}
    return StyleTransferLoss(network, **{**options, **changed})


class Reshaped(StyleTransferLoss):
    """Takes maps of shape (H, W, C) for ones of (C, H, W), as a Gram matrix may be made of."""

    def _maps(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        found = super()._maps(image, layers)
        return {name: one.permute(0, 2, 3, 1).reshape(one.shape) for name, one in found.items()}


def reshaped(network: VGGFeatures) -> StyleTransferLoss:
    """Make the notes' loss with Gram matrices of wrongly ordered maps."""
    right = notes(network)
    return Reshaped(network, CONTENT, STYLE_LAYERS, *right.weights, normalize="notes")


def prepared(t: Tensors, loss: Loss, network: Callable[[], VGGFeatures]) -> StyleTransferLoss:
    """Make a loss with the weights of the case, that remembers its pictures."""
    features = network()
    features.load_state_dict(to_state({name: one for name, one in t.items() if "/" in name}))
    made = loss(features).to(t["content"].dtype)
    made.remember(to_torch(t["content"]), [to_torch(t["style"])])
    return made


def transfer(t: Tensors, loss: Loss = notes, network: Callable[[], VGGFeatures] = vgg) -> Tensors:
    """The terms of a picture, and their sum."""
    found = prepared(t, loss, network)(to_torch(t["image"]))
    one = {f"{name} term": term.reshape(1) for name, term in found.items()}
    return {"output": total(found).reshape(1)} | one


def as_rgb(t: Tensors) -> Tensors:
    """Show RGB to a VGG that wants BGR."""
    flipped = {name: t[name].flip(-1) for name in ("content", "style", "image")}
    return transfer(t | flipped)


def unit_of(x: Tensor) -> Tensor:
    """Turn BGR less the mean, (N, H, W, C), to RGB in unit range, (N, C, H, W)."""
    return to_torch((x + x.new_tensor(_MEAN)).flip(-1) / 255)


def descend(
    t: Tensors,
    loss: Loss = notes,
    maxfun: int = MAXFUN,
    memory: int = 10,
    gradient: Callable[[Tensor], Tensor] = lambda one: one,
    rounded: bool = False,
) -> Tensors:
    """SciPy's L-BFGS-B on our loss and gradient, from the content, in the range that VGG reads."""
    from scipy.optimize import fmin_l_bfgs_b  # type: ignore[import-untyped]

    terms_of, content = prepared(t, loss, vgg), t["content"]
    losses: list[float] = []

    def evaluate(x: Array) -> tuple[float, Array]:
        values = torch.tensor(x, dtype=torch.float32 if rounded else content.dtype)
        image = values.to(content.dtype).view(content.shape).requires_grad_()
        value = total(terms_of(unit_of(image)))
        (slope,) = torch.autograd.grad(value, image)
        losses.append(value.item())
        return losses[-1], gradient(slope).reshape(-1).double().numpy()

    start = content.flip(-1) * 255 - content.new_tensor(_MEAN)
    x, _, told = fmin_l_bfgs_b(evaluate, start.double().numpy().ravel(), maxfun=maxfun, m=memory)
    return {
        "output": content.new_tensor(losses[:SHOWN]),
        "after image": torch.tensor(np.asarray(x)).view(content.shape).to(content.dtype),
        "evaluations": content.new_tensor([float(told["funcalls"])]),
    }


_NETWORK = Network(vgg, SIZE)
_SETTINGS: dict[str, Any] = {
    "depth": 19,
    "widths": list(WIDTHS),
    "weights": list(WEIGHTS),
    "content_layer": CONTENT,
    "style_layers": list(STYLE_LAYERS),
}
_PICTURE = Draw((*SIZE, 3), 0.0, 1.0, kind="constant")
_INPUTS = {"content": _PICTURE, "style": _PICTURE} | {
    name: replace(one, kind="constant") for name, one in _NETWORK.weights().items()
}


def _with(**changed: Any) -> Callable[[Tensors], Tensors]:
    return partial(transfer, loss=partial(notes, **changed))


def _through(**changed: Any) -> Callable[[Tensors], Tensors]:
    return partial(transfer, network=partial(vgg, **changed))


CASES = (
    Case(
        name="loss/style_transfer/notes",
        inputs={"image": replace(_PICTURE, kind="variable"), **_INPUTS},
        ours=transfer,
        reference="style_transfer.loss",
        settings=_SETTINGS,
        wrong={
            "maps in another order": partial(transfer, loss=reshaped),
            "Gatys's divisors": _with(normalize="gatys"),
            "relative terms": _with(normalize="relative"),
            "another content layer": _with(content_layer="block4_conv2"),
            "the content's weight of the style": _with(style_weight=WEIGHTS[0]),
            "not over the layers": _with(layer_weights=[1.0] * 5),
            "squares as total variation": _with(exponent=1.0),
            "RGB": as_rgb,
            "average pooling": _through(pool="average"),
            "torchvision's pixels": _through(inputs="imagenet"),
            "pictures in 0 .. 1": _through(inputs="caffe-unscaled"),
        },
        terms=terms(_NETWORK),
        depth=2 * len(_NETWORK.layers),  # there and back
    ),
    Case(
        name="trajectory/style_transfer/scipy",
        inputs=_INPUTS,
        ours=descend,
        reference="style_transfer.descend",
        settings=_SETTINGS | {"maxfun": MAXFUN, "shown": SHOWN},
        wrong={
            "the gradient of RGB": partial(descend, gradient=lambda one: one.flip(-1)),
            "the gradient in unit range": partial(descend, gradient=lambda one: one * 255),
            "the gradient in another layout": partial(
                descend, gradient=lambda one: to_torch(one).contiguous()
            ),
            "pictures in float32": partial(descend, rounded=True),
            "half the history": partial(descend, memory=5),
            "a step less": partial(descend, maxfun=MAXFUN - 2),
            "squares as total variation": partial(descend, loss=partial(notes, exponent=1.0)),
            "Gatys's divisors": partial(descend, loss=partial(notes, normalize="gatys")),
        },
        gates32=("output",),
        terms=terms(_NETWORK),
        depth=2 * len(_NETWORK.layers) * MAXFUN,
    ),
)
