"""What is random: two generators agree in their law, and the samples' shares show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lit_restore.nn import glorot_uniform_
from parity.arrays import Draw
from parity.case import Case, Tensors

_MAPS = 50_000
_RATE = 0.3
_LAW = "two random generators agree in law only"


def dropped(t: Tensors, drop: Callable[[Tensor], Tensor]) -> Tensors:
    """Ones of which some are dropped: single values, and means over maps of 4x5 pixels."""
    with _seeded():
        values = drop(torch.ones(_MAPS // 10, 10, 4, 5))
    means = values.mean(dim=(2, 3))
    return {"output": shares(values, t["points"]), "means": shares(means, t["points"])}


def evaluated(t: Tensors, rate: float, training: bool = False) -> Tensors:
    """Dropout of an image in evaluation, which is the image."""
    with _seeded():
        return {"output": nn.Dropout(rate).train(training)(t["image"])}


def unscaled(image: Tensor, rate: float) -> Tensor:
    """Dropout that leaves what it keeps as it is."""
    return nn.Dropout(rate)(image) * (1 - rate)


def initial(t: Tensors, make: Callable[[], Any], draw: Callable[[Any], object]) -> Tensors:
    """Weight and bias of a layer after ``draw``."""
    with _seeded():
        layer = make()
        draw(layer)
    weights = {"output": layer.weight, "bias": layer.bias}
    return {name: shares(value, t["points"]) for name, value in weights.items()}


def shares(values: Tensor, points: Tensor) -> Tensor:
    """The share of the values that are at most as large as each point."""
    ordered = values.detach().flatten().sort().values
    return torch.searchsorted(ordered, points.contiguous(), right=True) / len(ordered)


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        yield


def _as_torch(layer: nn.Module) -> None:
    """Leave what the layer was made with."""


def _normal(layer: Any) -> None:
    nn.init.xavier_normal_(layer.weight)
    nn.init.zeros_(layer.bias)


def _only_weight(layer: Any) -> None:
    nn.init.xavier_uniform_(layer.weight)


def _he(layer: Any) -> None:
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


_WRONG = {
    "torch's own": _as_torch,
    "He's": _he,
    "normal": _normal,
    "torch's own bias": _only_weight,
}


def _glorot_case(name: str, make: Callable[[], nn.Module], settings: dict[str, int]) -> Case:
    inputs, outputs, size = (settings.get(key, 1) for key in ("inputs", "outputs", "size"))
    limit = (6 / ((inputs + outputs) * size**2)) ** 0.5
    return Case(
        name=f"law/glorot_uniform/{name}",
        inputs={"points": Draw((37,), -1.3 * limit, 1.3 * limit, kind="constant")},
        ours=partial(initial, make=make, draw=glorot_uniform_),
        reference=f"laws.{name}",
        settings=settings,
        wrong={what: partial(initial, make=make, draw=draw) for what, draw in _WRONG.items()},
        terms=inputs * outputs * size**2,
        precision="law",
        accepted=_LAW,
    )


_KERNEL = {"inputs": 48, "outputs": 96, "size": 5}

CASES = (
    Case(
        name="layer/dropout/eval",
        inputs={"image": Draw((2, 4, 5, 3))},
        ours=partial(evaluated, rate=_RATE),
        reference="layers.dropout",
        settings={"rate": _RATE},
        wrong={"in training mode": partial(evaluated, rate=_RATE, training=True)},
    ),
    Case(
        name="law/dropout",
        inputs={"points": Draw((41,), -0.2, 1.8, kind="constant")},
        ours=partial(dropped, drop=nn.Dropout(_RATE)),
        reference="laws.dropout",
        settings={"rate": _RATE, "maps": _MAPS},
        wrong={
            "the rate of what stays": partial(dropped, drop=nn.Dropout(1 - _RATE)),
            "unscaled": partial(dropped, drop=partial(unscaled, rate=_RATE)),
            "whole channels": partial(dropped, drop=nn.Dropout2d(_RATE)),
        },
        terms=_MAPS,
        precision="law",
        accepted=_LAW,
    ),
    _glorot_case("conv", partial(nn.Conv2d, 48, 96, 5), _KERNEL),
    _glorot_case("conv_transpose", partial(nn.ConvTranspose2d, 48, 96, 5), _KERNEL),
    _glorot_case("dense", partial(nn.Linear, 240, 480), {"inputs": 240, "outputs": 480}),
)
