"""Parameters between Keras's layouts and PyTorch's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from lit_restore.interop.layouts import layer_kinds, to_keras, to_torch

Shape = tuple[int, ...]
Draw = Callable[[st.SearchStrategy[int]], int]
TYPES = {"float16": np.uint16, "float32": np.uint32, "float64": np.uint64}


def vectors(draw: Draw, *names: str) -> dict[str, Shape]:
    length = draw(st.integers(1, 5))
    return {name: (length,) for name in names}


def four(draw: Draw) -> Shape:
    return tuple(draw(st.integers(1, 4)) for _ in range(4))


def affine(draw: Draw) -> dict[str, Shape]:
    shape = tuple(draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3))))
    return {"gamma": shape, "beta": shape}


def slopes(draw: Draw) -> dict[str, Shape]:
    channels, height, width = (draw(st.integers(1, 4)) for _ in range(3))
    return {"alpha": draw(st.sampled_from([(1, 1, channels), (height, width, channels), (width,)]))}


SHAPES: dict[str, Callable[[Draw], dict[str, Shape]]] = {
    "Conv2D": lambda draw: {"kernel": four(draw), **vectors(draw, "bias")},
    "Conv2DTranspose": lambda draw: {"kernel": four(draw), **vectors(draw, "bias")},
    "DepthwiseConv2D": lambda draw: {"depthwise_kernel": four(draw), **vectors(draw, "bias")},
    "SeparableConv2D": lambda draw: {
        "depthwise_kernel": four(draw),
        "pointwise_kernel": four(draw),
        **vectors(draw, "bias"),
    },
    "Dense": lambda draw: {"kernel": four(draw)[:2], **vectors(draw, "bias")},
    "BatchNormalization": lambda draw: vectors(
        draw, "gamma", "beta", "moving_mean", "moving_variance"
    ),
    "LayerNormalization": affine,
    "GroupNormalization": affine,
    "InstanceNormalization": affine,
    "PReLU": slopes,
    "Normalization": lambda draw: {**vectors(draw, "mean", "variance"), "count": ()},
}


@st.composite
def layers(draw: Any) -> tuple[str, dict[str, np.ndarray]]:
    """A layer's kind and arrays of any bits: NaN of every payload, both zeros, infinities."""
    kind = draw(st.sampled_from(sorted(SHAPES)))
    dtype = draw(st.sampled_from(sorted(TYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays = {}
    for name, shape in SHAPES[kind](draw).items():
        bits = rng.integers(0, np.iinfo(TYPES[dtype]).max, shape, TYPES[dtype], endpoint=True)
        arrays[name] = bits.view(dtype) if shape else np.array(bits).view(dtype)
        if arrays[name].size:
            arrays[name].flat[0] = draw(st.sampled_from([-0.0, np.nan, -np.inf, 1.0]))
    dropped = draw(st.sets(st.sampled_from(sorted(arrays)), max_size=len(arrays) - 1))
    return kind, {name: array for name, array in arrays.items() if name not in dropped}


@settings(max_examples=200, deadline=None)
@given(layers())
def test_every_kind_of_layer_goes_to_torch_and_back_bit_for_bit(
    layer: tuple[str, dict[str, np.ndarray]],
) -> None:
    kind, arrays = layer
    shapes = {name: array.shape for name, array in arrays.items()}
    back = to_keras(kind, to_torch(kind, arrays), shapes)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


def test_the_property_covers_every_kind() -> None:
    assert set(SHAPES) == set(layer_kinds())


def test_a_kernel_computes_the_same_convolution_in_its_new_layout() -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(5, 6, 2)), rng.normal(size=(3, 2, 2, 4))
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 2), (0, 1))
    expected = np.einsum("ijcyx,yxco->oij", windows, kernel)
    weight = to_torch("Conv2D", {"kernel": kernel})["weight"]
    found = F.conv2d(torch.from_numpy(image).permute(2, 0, 1)[None], weight)[0]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_a_depthwise_kernel_keeps_the_multiples_of_a_channel_together() -> None:
    kernel = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    weight = to_torch("DepthwiseConv2D", {"depthwise_kernel": kernel})["weight"]
    assert weight.shape == (20, 1, 2, 3)
    assert torch.equal(weight[2 * 5 + 3, 0], torch.from_numpy(kernel[:, :, 2, 3]))
    again = to_torch("DepthwiseConv2D", {"kernel": kernel})["weight"]
    assert torch.equal(again, weight)


def test_slopes_shared_over_a_map_become_one_per_channel() -> None:
    assert to_torch("PReLU", {"alpha": np.zeros((1, 1, 7))})["weight"].shape == (7,)
    assert to_torch("PReLU", {"alpha": np.zeros((2, 3, 7))})["weight"].shape == (7, 2, 3)
    assert to_keras("PReLU", {"weight": torch.zeros(7)})["alpha"].shape == (1, 1, 7)


def test_arrays_of_the_other_byte_order_keep_their_values() -> None:
    array = np.array([[1.5, -2.0, 3.25]], dtype=">f4")
    assert to_torch("Dense", {"kernel": array})["weight"].flatten().tolist() == [1.5, -2.0, 3.25]


def test_what_comes_back_shares_no_memory() -> None:
    array = np.zeros((2, 2), np.float32)
    weight = to_torch("Dense", {"kernel": array})["weight"]
    back = to_keras("Dense", {"weight": weight})["kernel"]
    weight += 1
    assert array.sum() == 0
    assert back.sum() == 0


@pytest.mark.parametrize(
    ("kind", "arrays", "message"),
    [
        ("Lambda", {}, "kind must be one of Conv2D"),
        ("Dense", {"kernel": np.zeros((2, 2)), "gamma": np.zeros(2)}, "bias, kernel; got gamma"),
        ("Conv2D", {"kernel": np.zeros((2, 2))}, r"cannot lay out an array of shape \(2, 2\)"),
    ],
)
def test_what_cannot_be_carried_across_is_named(
    kind: str, arrays: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        to_torch(kind, arrays)


def test_a_tensor_of_another_shape_than_wanted_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a tensor for shape \(3, 3, 1, 2\), got"):
        to_keras("Conv2D", {"weight": torch.zeros(2, 2, 3, 3)}, {"kernel": (3, 3, 1, 2)})
