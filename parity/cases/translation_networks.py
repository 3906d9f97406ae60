"""Generators and discriminators of pix2pix, CycleGAN and DCGAN as a whole."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from lit_restore.models import (
    DCGANDiscriminator,
    DCGANGenerator,
    PatchDiscriminator,
    ResNetGenerator,
    UNetGenerator,
)
from parity.case import Case, Ours
from parity.cases import translation_errors as errors
from parity.network import Network, network_case

Build = Callable[..., nn.Module]

SLOPE = float(torch.tensor(0.2))  # Keras keeps slopes in float32
NOTES: dict[str, Any] = {
    "norm": "instance", "upsample": "nearest", "slope": 0.0, "dropout": 0.0,
    "edge_norms": True, "dead_biases": True, "style": "keras",
}  # fmt: skip
PAPER: dict[str, Any] = {"slope": SLOPE, "dropout": 0.0, "style": "keras"}

_DEAD = "what normalises each channel takes away the bias of the convolution before it"
_STATISTICS = "it normalises by the batch in either mode, and by nothing else"
_REFERENCES: dict[type[nn.Module], tuple[str, str]] = {
    UNetGenerator: ("unet_generator", "widths upsample slope edge_norms"),
    ResNetGenerator: ("resnet_generator", "width blocks padding upsample"),
    PatchDiscriminator: ("patch_discriminator", "width layers padding slope condition_channels"),
    DCGANGenerator: ("dcgan_generator", "size width kernel_size"),
    DCGANDiscriminator: ("dcgan_discriminator", "width kernel_size slope"),
}
_NAMES = {"layers": "depth"}


def in_keras(module: Any) -> dict[str, Any]:
    """Say how Keras is to make the same network: the arguments of ``networks.build``."""
    model, names = next(about for kind, about in _REFERENCES.items() if isinstance(module, kind))
    settings: dict[str, Any] = {
        _NAMES.get(name, name): getattr(module, name) for name in names.split()
    }
    settings |= {"norm": module.norm, "epsilon": 1e-3 if module.style == "keras" else 1e-5}
    if "widths" in settings:
        settings["widths"] = list(module.widths)
    if hasattr(module, "dead_biases"):
        settings["biased"] = module.dead_biases
    if getattr(module, "norm_mode", "running") == "batch":
        settings["statistics"] = "batch"
    return {"model": f"translation_networks.{model}", **settings}


def _null(network: Network) -> Iterator[str]:
    """Name the biases that the normalisation behind them takes away."""
    module: Any = network.module
    channelwise = ("batch",) if network.training else ()
    if module.norm not in (*channelwise, "instance", "std_instance"):
        return
    for name in network.weights():
        path, _, leaf = name.rpartition("/")
        if leaf == "bias" and path not in ("head", "convs.0") and not _is_edge(module, path):
            yield name


def _is_edge(module: Any, path: str) -> bool:
    if not isinstance(module, UNetGenerator) or module.edge_norms:
        return False
    return path in ("encoder.0.conv", f"encoder.{len(module.widths) - 1}.conv")


def _uncropped(module: nn.Module) -> tuple[str, ...]:
    """Name the convolutions whose outputs Keras has before they are cropped."""
    transposed = isinstance(module, ResNetGenerator) and module.upsample == "transposed"
    return ("up.0.conv", "up.1.conv") if transposed and module.padding == "reflect" else ()


def _equivalent(network: Network) -> Iterator[tuple[str, str]]:
    """Name the mutants that compute the same: of layers that have but one mode, and no states."""
    own = getattr(network.module, "norm_mode", "running") == "batch"
    for path, module in network.module.named_modules():
        if isinstance(module, nn.Dropout) and not module.p:
            yield f"mode {path}", "it drops nothing"
        if isinstance(module, nn.BatchNorm2d) and own:
            yield f"mode {path}", _STATISTICS
            yield f"parameter {path}/moving_mean", _STATISTICS
            yield f"parameter {path}/moving_variance", _STATISTICS


def _case(
    name: str,
    build: Build,
    size: tuple[int, ...],
    wrong: dict[str, Build],
    training: bool = False,
    further: dict[str, Ours] | None = None,
) -> Case:
    """Make a network's case.

    Args:
        name: Without ``model/``.
        build: Makes it.
        size: As ``Network`` has it.
        wrong: Networks that are wrong, beside those that are wrongly normalised.
        training: The mode.
        further: Wrong computations.
    """
    module: Any = build()
    make = partial(
        Network,
        size=size,
        training=training,
        untapped=_uncropped(module),
        condition_channels=getattr(module, "condition_channels", 0),
    )
    network = make(build)
    networks = wrong | errors.of_norms(build, training)
    null = tuple(_null(network))
    sums = [one for one in module.modules() if isinstance(one, errors.NORMS + errors.CONVS)]
    reference = in_keras(network.module)
    return network_case(
        name,
        network,
        reference.pop("model"),
        wrong={what: make(one) for what, one in networks.items()} | (further or {}),
        settings=reference,
        depth=len(sums),
        equivalent=dict(_equivalent(network)),
        null=null,
        accepted=_DEAD if null else "",
    )


def _unet(name: str, training: bool = False, **options: Any) -> Case:
    size = (2, 8, 24)
    build = partial(UNetGenerator, **{"widths": (2, 3, 4), **options})
    wrong: dict[str, Build] = {"the other slope": partial(build, slope=0.1)}
    further: dict[str, Ours] = {}
    if build().slope:
        wrong["skips without ReLU"] = partial(errors.SkipsAsTheyAre, **build.keywords)
    if options.get("upsample") == "nearest":
        network = Network(partial(build, folded=False), size, training)
        further["padded the other way"] = partial(errors.padded_before, network)
    return _case(f"unet_generator/{name}", build, size, wrong, training, further)


def _resnet(name: str, training: bool = False, **options: Any) -> Case:
    build = partial(ResNetGenerator, **{"width": 1, "blocks": 1, **options})
    wrong: dict[str, Build] = {"active after the sum": partial(errors.active_after_the_sum, build)}
    if options.get("padding", "reflect") == "reflect":
        wrong |= {
            "zeros instead of a mirror": partial(errors.padded_as, "zeros", build),
            "the border repeated": partial(errors.padded_as, "replicate", build),
            "SAME at stride 2": partial(errors.same_at_stride_2, build),
        }
        if options.get("upsample", "transposed") == "transposed":
            wrong["cropped at the end"] = partial(errors.cropped_at_the_end, build)
    else:
        wrong["mirrored"] = partial(build, padding="reflect")
    return _case(f"resnet_generator/{name}", build, (2, 8, 12), wrong, training)


def _patch(
    name: str, training: bool = False, size: tuple[int, ...] = (2, 18, 27), **options: Any
) -> Case:
    build = partial(PatchDiscriminator, **{"width": 2, "slope": SLOPE, "style": "keras", **options})
    wrong: dict[str, Build] = {"the other slope": partial(build, slope=0.3)}
    further: dict[str, Ours] = {}
    if options.get("condition_channels"):
        wrong["condition last"] = partial(errors.ConditionLast, **build.keywords)
    if options.get("padding") == "one":
        wrong["a pixel more at the end"] = partial(errors.padded_alike, build)
    elif options.get("layers"):
        network = Network(build, size, training)
        further["padded the other way"] = partial(errors.padded_before, network)
    return _case(f"patch_discriminator/{name}", build, size, wrong, training, further)


def _dcgan(training: bool, size: int, kernel_size: int, style: str) -> Iterator[Case]:
    mode = "train" if training else "eval"
    options: dict[str, Any] = {"size": size, "width": 2, "kernel_size": kernel_size, "style": style}
    build: Build = partial(DCGANGenerator, latent_size=5, **options)
    cropped = partial(errors.shifted, build)
    yield _case(f"dcgan_generator/{mode}", build, (4,), {"a pixel aside": cropped}, training)
    build = partial(DCGANDiscriminator, slope=SLOPE, **options)
    wrong: dict[str, Build] = {"the other slope": partial(build, slope=0.3)}
    network = Network(build, (4, size, size), training)
    further: dict[str, Ours] = {}
    if kernel_size % 2:
        further["padded the other way"] = partial(errors.padded_before, network)
    yield _case(f"dcgan_discriminator/{mode}", build, (4, size, size), wrong, training, further)


_GROUPED = (34, 34, 4)  # else each channel is a group, which takes biases away
_CONDITIONAL: dict[str, Any] = {"layers": 2, "padding": "one", "condition_channels": 2}

CASES = (
    _unet("notes", **NOTES),
    _unet("notes_std_instance", **NOTES | {"norm": "std_instance", "folded": False}),
    _unet("batch_train", True, **PAPER),
    _unet("batch_torch_style", **PAPER | {"dropout": 0.5, "style": "torch"}),
    _unet("batch_own_statistics", **PAPER, norm_mode="batch"),
    _unet("layer", **PAPER, norm="layer"),
    _unet("group", **PAPER, norm="group", widths=_GROUPED),
    _resnet("reflect", blocks=2, style="keras"),
    _resnet("reflect_batch_train", True, style="keras", norm="batch"),
    _resnet("reflect_nearest_torch_style", upsample="nearest"),
    _resnet("same", padding="same", dead_biases=True, style="keras"),
    _resnet("same_nearest", padding="same", upsample="nearest", style="keras"),
    _patch("notes", dead_biases=True, layers=3),
    _patch("notes_std_instance", dead_biases=True, layers=2, norm="std_instance"),
    _patch("conditional_batch_train", True, **_CONDITIONAL, norm="batch"),
    _patch("layer", layers=2, norm="layer"),
    _patch("group", layers=2, norm="group", width=17),
    _patch("torch_style", layers=1, padding="one", style="torch"),
    _patch("pixels", layers=0, condition_channels=2, norm="batch", size=(2, 5, 7)),
    *_dcgan(True, 16, 4, "keras"),
    *_dcgan(False, 16, 5, "torch"),
)  # fmt: skip
