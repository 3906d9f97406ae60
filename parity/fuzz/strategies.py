"""How hypothesis chooses the trials of each kind; what is smaller comes first, for shrinking."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from parity.fuzz.trial import Trial

Sizes = dict[str, int]

_SIDE = st.integers(1, 12)
_CHANNELS = st.integers(1, 4)
_KERNEL = st.integers(1, 7)
_ORDER = st.sampled_from(("tensorflow", "torch"))
_IMAGE = st.tuples(st.integers(1, 3), _CHANNELS, _SIDE, _SIDE)
_SMALL = st.tuples(st.integers(1, 3), _CHANNELS, st.integers(1, 6), st.integers(1, 6))
_LARGER = st.tuples(st.integers(2, 3), _CHANNELS, st.integers(4, 12), st.integers(4, 12))
# Keras has no convolution with both, and our layer refuses it.
_STEP = st.one_of(
    st.builds(lambda dilation: {"stride": 1, "dilation": dilation}, st.integers(1, 3)),
    st.builds(lambda stride: {"stride": stride, "dilation": 1}, st.integers(2, 4)),
)


def _trials(kind: str, sized: SearchStrategy[Any], training: bool = False) -> SearchStrategy[Trial]:
    """Make trials of pairs of arguments and shapes."""
    return st.builds(
        lambda pair, **others: Trial(kind, *pair, **others),
        sized,
        training=st.booleans() if training else st.just(False),
        dtype=st.sampled_from(("float64", "float32")),
        bits=st.sampled_from((3, 20)),
        seed=st.integers(0, 2**16),
    )


Pair = tuple[dict[str, Any], dict[str, tuple[int, ...]]]


def _conv(image: tuple[int, ...], out_channels: int, step: Sizes, **others: Any) -> Pair:
    widths = {"in_channels": image[1], "out_channels": out_channels}
    return {**widths, **others, **step}, {"image": image}


def _conv_valid(image: tuple[int, ...], kernel_size: int, step: Sizes, **others: Any) -> Pair:
    more = (kernel_size - 1) * step["dilation"]  # so that there is a result
    count, channels, height, width = image
    larger = (count, channels, height + more, width + more)
    return _conv(larger, kernel_size=kernel_size, step=step, **others)


def _transpose(image: tuple[int, ...], stride: int, valid: bool, **others: Any) -> Pair:
    more = {"output_padding": max(stride - others["kernel_size"], 0)} if valid else {}
    return _conv(image, step={"stride": stride}, **others, **more)


def _pool(image: tuple[int, ...], kernel_size: int, stride: int) -> Pair:
    return {"kernel_size": kernel_size, "stride": stride}, {"image": image}


def _shuffle(image: tuple[int, ...], scale: int, order: str) -> Pair:
    count, channels, height, width = image
    shape = (count, channels * scale**2, height, width)
    return {"scale": scale, "order": order}, {"image": shape}


def _upsample(low: tuple[int, ...], skip_channels: int, scale: int, **others: Any) -> Pair:
    count, channels, height, width = low
    skip = (count, skip_channels, height * scale, width * scale)
    widths = {"low_channels": channels, "skip_channels": skip_channels}
    return {**widths, "scale": scale, **others}, {"low": low, "skip": skip}


def _norm(image: tuple[int, ...], **others: Any) -> Pair:
    return {"num_features": image[1], **others}, {"image": image}


def _squeeze(image: tuple[int, ...], reduction: int) -> Pair:
    return {"channels": image[1], "reduction": reduction}, {"image": image}


_CONV = {"out_channels": _CHANNELS, "kernel_size": _KERNEL, "bias": st.booleans()}
_NORM = {"eps": st.sampled_from((1e-3, 1e-5)), "affine": st.booleans()}
_SCALED = {"scale": st.integers(1, 3), "order": _ORDER}

TRIALS: dict[str, SearchStrategy[Trial]] = {
    "conv": _trials("conv", st.builds(_conv, _IMAGE, step=_STEP, **_CONV)),
    "conv_valid": _trials("conv_valid", st.builds(_conv_valid, _SMALL, step=_STEP, **_CONV)),
    "conv_transpose": _trials(
        "conv_transpose",
        st.builds(_transpose, _SMALL, stride=st.integers(1, 4), valid=st.just(False), **_CONV),
    ),
    "conv_transpose_valid": _trials(
        "conv_transpose_valid",
        st.builds(_transpose, _SMALL, stride=st.integers(1, 4), valid=st.just(True), **_CONV),
    ),
    "max_pool": _trials(
        "max_pool", st.builds(_pool, _IMAGE, kernel_size=_KERNEL, stride=st.integers(1, 4))
    ),
    "average_pool": _trials(
        "average_pool", st.builds(_pool, _IMAGE, kernel_size=_KERNEL, stride=st.integers(1, 4))
    ),
    "depth_to_space": _trials("depth_to_space", st.builds(_shuffle, _SMALL, **_SCALED)),
    "pixel_shuffle": _trials(
        "pixel_shuffle",
        st.builds(
            lambda image, **others: _conv(image, step={}, **others),
            _SMALL,
            out_channels=_CHANNELS,
            kernel_size=st.integers(1, 5),
            **_SCALED,
        ),
    ),
    "upsample_concat": _trials(
        "upsample_concat",
        st.builds(
            _upsample,
            _SMALL,
            skip_channels=_CHANNELS,
            scale=st.integers(1, 4),
            out_channels=_CHANNELS,
            kernel_size=st.integers(1, 5),
            folded=st.booleans(),
        ),
    ),
    "batch_norm": _trials(
        "batch_norm",
        st.builds(
            _norm,
            _LARGER,
            eps=st.sampled_from((1e-3, 1e-5)),
            momentum=st.sampled_from((0.01, 0.1)),
            bessel=st.booleans(),
        ),
        training=True,
    ),
    "layer_norm": _trials("layer_norm", st.builds(_norm, _IMAGE, **_NORM)),
    "instance_norm": _trials("instance_norm", st.builds(_norm, _LARGER, **_NORM)),
    "conv_norm_act": _trials(
        "conv_norm_act",
        st.builds(
            _conv,
            _LARGER,
            step=_STEP,
            out_channels=_CHANNELS,
            kernel_size=st.integers(1, 5),
            order=st.sampled_from(("cna", "can")),
        ),
        training=True,
    ),
    "squeeze_excite": _trials(
        "squeeze_excite", st.builds(_squeeze, _SMALL, reduction=st.integers(1, 3))
    ),
}
