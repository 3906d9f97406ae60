"""The normalisations that are one argument of every network, as ``make_norm`` makes them."""

from collections.abc import Callable
from functools import partial

from torch import nn
from torch.func import functional_call

from lit_restore.nn import (
    ChannelLayerNorm2d,
    KerasBatchNorm2d,
    Norm,
    StdInstanceNorm2d,
    make_norm,
    set_norm_mode,
)
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases.normalization import interleaved
from parity.layout import to_keras, to_torch
from parity.network import draws, to_state

Make = Callable[[], nn.Module]

_SIZE = (2, 3, 5)
_CHANNELS = 6
_MANY = 34  # of which groups have two
_CONTRAST = (-0.3, 0.1)  # small, which shows the epsilon


def normalise(make: Make, t: Tensors, training: bool = False) -> Tensors:
    """A layer of ours with the arrays' weights, and its statistics afterwards in training."""
    module = make().to(t["image"].dtype).train(training)
    given = {f"norm/{name}": value for name, value in t.items() if name != "image"}
    state = {name.removeprefix("norm."): one for name, one in to_state(given).items()}
    state |= {name: one.clone() for name, one in state.items() if "running" in name}
    output = {"output": to_keras(functional_call(module, state, to_torch(t["image"])))}
    if not training:
        return output
    return output | {"mean": state["running_mean"], "variance": state["running_var"]}


def batchwise(mode: str, style: str = "keras") -> nn.Module:
    """BatchNorm whose statistics in evaluation are the running ones, or the batch's."""
    module = make_norm("batch", _CHANNELS, style)  # type: ignore[arg-type]
    set_norm_mode(module, mode)  # type: ignore[arg-type]
    return module


def _case(
    name: str,
    make: Make,
    wrong: dict[str, Ours],
    channels: int = _CHANNELS,
    training: bool = False,
    **settings: str | float,
) -> Case:
    norm = name.partition("/")[0]
    weights = dict(draws("norm", make())) if norm in ("batch", "layer", "group") else {}
    height_width = _SIZE[1] * _SIZE[2]
    longest = {"layer": channels, "group": 2}.get(norm, 2) * height_width
    return Case(
        name=f"layer/norm/{name}",
        inputs={"image": Draw((*_SIZE, channels), *_CONTRAST), **weights},
        ours=partial(normalise, make, training=training),
        reference="normalization.of_kind",
        settings={"norm": norm, "training": training, **settings},
        wrong=wrong,
        terms=longest,
        depth=3,
    )


def _kind(norm: Norm, others: dict[str, Make], channels: int = _CHANNELS) -> list[Case]:
    """The cases of a kind in both styles, each of which must not pass for the other."""
    epsilons = {"keras": 1e-3, "torch": 1e-5}
    if norm == "std_instance":  # it has but one style
        epsilons = {"keras": 1e-3}
    makes = {style: partial(make_norm, norm, channels, style) for style in ("keras", "torch")}
    cases = []
    for style, epsilon in epsilons.items():
        wrong: dict[str, Ours] = {what: partial(normalise, make) for what, make in others.items()}
        if len(epsilons) == 2:
            other = makes["torch" if style == "keras" else "keras"]
            wrong["the other style"] = partial(normalise, other)
        if norm == "group":
            wrong["interleaved"] = partial(interleaved, groups=channels // 2)
        name = f"{norm}/{style}"
        cases.append(_case(name, makes[style], wrong, channels, epsilon=epsilon))
    return cases


def _batch_cases() -> list[Case]:
    running = partial(normalise, partial(batchwise, "running"))
    own = partial(normalise, partial(batchwise, "batch"))
    bessel = partial(KerasBatchNorm2d, _CHANNELS, bessel=True)
    alone: dict[str, Ours] = {"each picture's own": _each_picture}
    return [
        _case("batch/own_statistics", partial(batchwise, "batch"),
              {"running statistics": running} | alone, statistics="batch"),
        _case("batch/recalibrated", partial(batchwise, "recalibrated"), {"the batch's own": own}),
        _case("batch/train", partial(make_norm, "batch", _CHANNELS, "keras"), {
            "Bessel's correction": partial(normalise, bessel, training=True),
            "torch's style": partial(normalise, partial(batchwise, "running", "torch"),
                                     training=True),
        }, training=True),
    ]  # fmt: skip


def _each_picture(t: Tensors) -> Tensors:
    return normalise(partial(nn.InstanceNorm2d, _CHANNELS, eps=1e-3, affine=True), t)


CASES = (
    *_kind("batch", {"its own statistics": partial(batchwise, "batch")}),
    *_batch_cases(),
    *_kind(
        "layer",
        {
            "over each pixel": partial(ChannelLayerNorm2d, _CHANNELS),
            "groups": partial(nn.GroupNorm, 2, _CHANNELS, 1e-3),
        },
    ),
    *_kind(
        "instance",
        {
            "deviation plus epsilon": partial(StdInstanceNorm2d, _CHANNELS),
            "over the whole picture": partial(nn.GroupNorm, 1, _CHANNELS, 1e-3, affine=False),
        },
    ),
    *_kind(
        "std_instance",
        {"root of variance plus epsilon": partial(nn.InstanceNorm2d, _CHANNELS, eps=1e-3)},
    ),
    *_kind(
        "group",
        {
            "each channel": partial(nn.GroupNorm, _MANY, _MANY, 1e-3),
            "two groups": partial(nn.GroupNorm, 2, _MANY, 1e-3),
        },
        _MANY,
    ),
)
