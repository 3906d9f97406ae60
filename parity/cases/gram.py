"""Gram, covariance and correlation matrices, and the style losses between Gram matrices."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from lit_restore.losses import correlation_matrix, covariance_matrix, gram_matrix, style_loss
from lit_restore.losses.style import Kind
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.layout import to_torch

_HEIGHT, _WIDTH, _CHANNELS = _SHAPE = (6, 7, 4)
_PICTURE = 24 * 28

Matrix = Callable[[Tensor], Tensor]


def matrix(t: Tensors, function: Matrix) -> Tensors:
    """A function of feature maps in PyTorch's layout."""
    return {"output": function(to_torch(t["features"]))}


def _wrong_order(features: Tensor) -> Tensor:
    """Gram matrix of maps whose channels, in Keras's layout, were not moved to the front."""
    rows = features.permute(0, 2, 3, 1).reshape(len(features), features.shape[1], -1)
    return rows @ rows.mT


def _normalised(features: Tensor) -> Tensor:
    """Gram matrix as PyTorch's tutorial has it."""
    return gram_matrix(features) / features[0].numel()


def _unbiased(features: Tensor) -> Tensor:
    count = features[0, 0].numel()
    return covariance_matrix(features) * count / (count - 1)


def _over_channels(features: Tensor) -> Tensor:
    centred = features - features.mean(dim=1, keepdim=True)
    return gram_matrix(centred) / features[0, 0].numel()


def _mean_gram(features: Tensor) -> Tensor:
    return gram_matrix(features) / features[0, 0].numel()


def _cosine(features: Tensor) -> Tensor:
    """Correlation of channels whose mean was not taken off."""
    return gram_matrix(features / features.square().sum(dim=(2, 3), keepdim=True).sqrt())


def _by_variance(features: Tensor) -> Tensor:
    variance = features.var(dim=(2, 3), correction=0, keepdim=True)
    return covariance_matrix(features / variance)


def style(
    t: Tensors,
    gram: Matrix = gram_matrix,
    size: int = _HEIGHT * _WIDTH,
    kind: Kind = "absolute",
    channels: int | None = None,
    factor: float = 1.0,
) -> Tensors:
    """style_loss of two batches of maps, times a factor that is 1."""
    prediction, target = (gram(to_torch(t[name])) for name in ("prediction", "target"))
    return {"output": style_loss(prediction, target, size, kind, channels) * factor}


_MAPS = Draw((2, *_SHAPE), 0.0, 1.0)
_PAIR = {"prediction": _MAPS, "target": Draw((2, *_SHAPE), 0.0, 1.0, kind="constant")}
_notes = partial(style, size=_PICTURE, kind="squared", channels=3)

CASES = (
    Case(
        name="loss/gram",
        inputs={"features": _MAPS},
        ours=partial(matrix, function=gram_matrix),
        reference="inpainting_losses.gram",
        wrong={
            "reshaped in the wrong order": partial(matrix, function=_wrong_order),
            "PyTorch's tutorial": partial(matrix, function=_normalised),
            "covariance": partial(matrix, function=covariance_matrix),
        },
        terms=_HEIGHT * _WIDTH,
    ),
    Case(
        name="loss/covariance",
        inputs={"features": _MAPS},
        ours=partial(matrix, function=covariance_matrix),
        reference="inpainting_losses.covariance",
        wrong={
            "unbiased": partial(matrix, function=_unbiased),
            "not centred": partial(matrix, function=_mean_gram),
            "centred over the channels": partial(matrix, function=_over_channels),
        },
        terms=_HEIGHT * _WIDTH,
        depth=2,
    ),
    Case(
        name="loss/correlation",
        inputs={"features": _MAPS},
        ours=partial(matrix, function=correlation_matrix),
        reference="inpainting_losses.correlation",
        wrong={
            "not centred": partial(matrix, function=_cosine),
            "covariance": partial(matrix, function=covariance_matrix),
            "over the variance": partial(matrix, function=_by_variance),
        },
        terms=_HEIGHT * _WIDTH,
        depth=3,
    ),
    Case(
        name="loss/style/notes",
        inputs=_PAIR,
        ours=_notes,
        reference="inpainting_losses.style_notes",
        settings={"size": _PICTURE},
        wrong={
            "reshaped in the wrong order": partial(_notes, gram=_wrong_order),
            "PyTorch's tutorial": partial(_notes, gram=_normalised),
            "channels of the maps": partial(_notes, channels=None),
            "size of the maps": partial(_notes, size=_HEIGHT * _WIDTH),
            "absolute": partial(_notes, kind="absolute"),
        },
        terms=_HEIGHT * _WIDTH,
        depth=2,
    ),
    Case(
        name="loss/style/paper",
        inputs=_PAIR,
        ours=style,
        reference="inpainting_losses.style_paper",
        wrong={
            "reshaped in the wrong order": partial(style, gram=_wrong_order),
            "not normalised": partial(style, factor=_HEIGHT * _WIDTH * _CHANNELS),
            "normalised twice": partial(style, gram=_normalised),
            "sum over the entries": partial(style, factor=_CHANNELS**2),
            "Gatys's": partial(style, kind="squared"),
        },
        terms=_HEIGHT * _WIDTH,
        depth=2,
    ),
)
