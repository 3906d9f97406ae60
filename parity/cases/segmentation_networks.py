"""Segmentation networks as a whole: the notes' and the U-Net, by Keras and by TensorFlow alone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from lit_restore.models import ConvSegmenter, PoolingSegmenter, UNet
from parity.case import Case, Ours
from parity.cases import segmentation_errors as errors
from parity.mutants import mutants
from parity.network import Network, network_case

Build = Callable[..., nn.Module]

_FLOAT32 = "TensorFlow enlarges bilinearly in float32 whatever it is given"
_REFERENCES: dict[type[nn.Module], tuple[str, str]] = {
    ConvSegmenter: ("conv_segmenter", "width depth order num_classes"),
    PoolingSegmenter: ("pooling_segmenter", "width upsample skip order num_classes"),
    UNet: ("unet", "widths depth padding upsample norm order num_classes"),
}


def in_keras(module: Any) -> dict[str, Any]:
    """Say how Keras is to make the same network: the arguments of ``networks.build``."""
    model, names = next(about for kind, about in _REFERENCES.items() if isinstance(module, kind))
    settings: dict[str, Any] = {name: getattr(module, name) for name in names.split()}
    if "widths" in settings:
        settings["widths"] = list(module.widths)
    epsilon = 1e-3 if module.style == "keras" else 1e-5
    return {"model": f"segmentation_networks.{model}", **settings, "epsilon": epsilon}


def _case(
    name: str,
    build: Build,
    size: tuple[int, ...],
    training: bool = False,
    wrong: dict[str, Build] | None = None,
    further: dict[str, Ours] | None = None,
) -> Case:
    """Make a network's case.

    Args:
        name: Without ``model/``.
        build: Makes it.
        size: As ``Network`` has it.
        training: The mode.
        wrong: Networks that are wrong, beside those that are wrongly normalised.
        further: Wrong computations.
    """
    network = Network(build, size, training)
    module: Any = network.module
    networks = errors.of_norms(build, training) | (wrong or {})
    computations = {what: replace(network, build=one) for what, one in networks.items()}
    reference = in_keras(module)
    bilinear = getattr(module, "upsample", "") == "bilinear"
    return network_case(
        name,
        network,
        reference.pop("model"),
        wrong={**computations, **(further or {})},
        settings=reference,
        precision="float32" if bilinear else "given",
        accepted=_FLOAT32 if bilinear else "",
    )


def _convs(name: str, training: bool = False, **options: Any) -> Case:
    build = partial(ConvSegmenter, **{"width": 4, "depth": 3, "style": "keras", **options})
    return _case(f"conv_segmenter/{name}", build, (2, 6, 7), training)


def _pooling(name: str, training: bool = False, **options: Any) -> Case:
    size = (2, 6, 10)
    build = partial(PoolingSegmenter, **{"width": 4, "style": "keras", **options})
    wrong: dict[str, Build] = {"mean pooling": partial(errors.mean_pooling, build)}
    further: dict[str, Ours] = {}
    network = Network(build, size, training)
    match options.get("upsample"):
        case "nearest":
            wrong["bilinear"] = partial(build, upsample="bilinear")
        case "bilinear":
            wrong["nearest"] = partial(build, upsample="nearest")
            wrong["from corner to corner"] = partial(errors.from_corners, build)
    if options.get("skip"):
        further["joined backwards"] = partial(errors.joined_backwards, network)
    return _case(f"pooling_segmenter/{name}", build, size, training, wrong, further)


def _unet(name: str, size: tuple[int, ...], training: bool = False, **options: Any) -> Case:
    given = {"widths": (2, 3, 4), "dropout": 0.0, "style": "keras", **options}
    build = partial(UNet, **given)
    network = Network(build, size, training)
    further: dict[str, Ours] = {"joined backwards": partial(errors.joined_backwards, network)}
    wrong: dict[str, Build] = {"mean pooling": partial(errors.mean_pooling, build)}
    if options.get("padding") == "valid":
        further["cropped at the end"] = partial(errors.cropped_at_the_end, network)
    if options.get("upsample") == "bilinear":
        wrong["from corner to corner"] = partial(errors.from_corners, build)
    return _case(f"unet/{name}", build, size, training, wrong, further)


def _raw(name: str, build: Build, reference: str, **settings: Any) -> Iterator[Case]:
    """Make the cases of a network that is computed by TensorFlow's functions."""
    for training in (False, True):
        mode = "train" if training else "eval"
        case = _case(f"raw_tensorflow_{name}/{mode}", build, (2, 6, 10), training)
        plain = Network(build, (2, 6, 10), training)
        network = replace(plain, untapped=tuple(plain.layers))
        wrong: dict[str, Ours] = {
            what: replace(network, build=one)
            for what, one in errors.of_norms(build, training).items()
        }
        if settings.get("skip"):
            wrong["joined backwards"] = partial(errors.joined_backwards, network)
        yield replace(
            case,
            ours=network,
            reference=f"raw_tensorflow.{reference}",
            settings={"training": training, **settings},
            wrong=wrong,
            mutants=partial(mutants, network),
        )


_SIX: Build = partial(ConvSegmenter, width=4, depth=6, style="keras")
_TRANSPOSED: Build = partial(PoolingSegmenter, width=4, upsample="transposed", style="keras")

CASES = (
    _convs("binary_train", True, depth=6),
    _convs("classes", num_classes=3),
    _convs("conv_bn_relu_train", True, num_classes=3, order="cna"),
    _convs("torch_style", style="torch"),
    _pooling("nearest_train", True, upsample="nearest"),
    _pooling("bilinear", upsample="bilinear"),
    _pooling("transposed_train", True, upsample="transposed"),
    _pooling("transposed_conv_bn_relu", upsample="transposed", order="cna"),
    _pooling("skip_train", True, upsample="transposed", skip=True),
    _pooling("skip_nearest", upsample="nearest", skip=True),
    _unet("as_in_the_paper", (1, 44, 48), padding="valid"),
    _unet("valid_batch_train", (2, 22, 26), True, padding="valid", norm="batch", depth=1),
    _unet("bilinear_valid", (1, 34, 38), padding="valid", upsample="bilinear", depth=1),
    _unet("same_batch_train", (2, 8, 12), True, norm="batch"),
    _unet("same_conv_bn_relu_nearest", (2, 8, 12), norm="batch", order="cna", upsample="nearest"),
    _unet("same_bilinear", (2, 8, 12), upsample="bilinear", depth=1, num_classes=3),
    *_raw("conv_segmenter", _SIX, "conv_segmenter", depth=6),
    *_raw("pooling_segmenter", _TRANSPOSED, "pooling_segmenter", skip=False),
    *_raw("skip_segmenter", partial(_TRANSPOSED, skip=True), "pooling_segmenter", skip=True),
)
