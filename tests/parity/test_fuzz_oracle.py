"""Tests of the oracle: small results worked out by hand, and gradients by differences."""

from collections.abc import Callable

import numpy as np
import pytest

from parity.arrays import Array
from parity.fuzz import oracle
from parity.fuzz import oracle_pointwise as pointwise
from parity.fuzz.oracle import Axis, Back
from parity.fuzz.oracle_pointwise import Norm

RNG = np.random.RandomState(0)
TRAIN = Norm(eps=1e-3, momentum=0.1, bessel=False, training=True)
EVAL = Norm(eps=1e-3, momentum=0.1, bessel=False, training=False)


def line(*values: float) -> Array:
    return np.array(values)[None, None, None]


def drawn(*shape: int) -> Array:
    return RNG.uniform(-1, 1, shape)


def along(kernel: int, size: int, stride: int = 1, same: bool = True) -> tuple[Axis, Axis]:
    return Axis(1, 1), Axis(size, kernel, stride, same=same)


@pytest.mark.parametrize(
    ("axis", "length", "before"),
    [
        (Axis(8, 3), 8, 1),
        (Axis(8, 4), 8, 1),
        (Axis(8, 3, 2), 4, 0),
        (Axis(9, 3, 2), 5, 1),
        (Axis(7, 1, 3), 3, 0),
        (Axis(5, 3, 1, 2), 5, 2),
        (Axis(8, 3, 2, same=False), 3, 0),
        (Axis(9, 3, 1, 2, same=False), 5, 0),
    ],
)
def test_an_axis_has_tensorflows_length_and_padding(axis: Axis, length: int, before: int) -> None:
    assert (axis.length, axis.before) == (length, before)


def test_a_convolution_by_hand() -> None:
    image, weight = line(1, 2, 3, 4), line(10, 1, 0.1)
    output, _ = oracle.conv(image, weight, np.array([0.5]), *along(3, 4))
    assert output.ravel() == pytest.approx([1.7, 12.8, 23.9, 34.5])
    output, _ = oracle.conv(image, weight, np.zeros(1), *along(3, 4, stride=2))
    assert output.ravel() == pytest.approx([12.3, 34])


def test_a_transposed_convolution_by_hand() -> None:
    image, weight = line(1, 2), line(10, 1, 0.1)
    output, _ = oracle.conv_transpose(image, weight, np.zeros(1), *along(3, 4, stride=2))
    assert output.ravel() == pytest.approx([10, 1, 20.1, 2])
    output, _ = oracle.conv_transpose(
        image, weight, np.zeros(1), *along(3, 5, stride=2, same=False)
    )
    assert output.ravel() == pytest.approx([10, 1, 20.1, 2, 0.2])


def test_pooling_by_hand() -> None:
    image = line(-3, -1, -2, -5, -4)
    assert oracle.max_pool(image, *along(2, 5, stride=2))[0].ravel().tolist() == [-1, -2, -4]
    means = oracle.average_pool(image, *along(3, 5, stride=2))[0]
    assert means.ravel() == pytest.approx([-2, -8 / 3, -4.5])


def test_of_equal_maxima_the_first_has_the_gradient() -> None:
    _, back = oracle.max_pool(line(2, 2, 1), *along(3, 3, same=False))
    assert back(line(1))[0].ravel().tolist() == [1, 0, 0]


def test_both_orders_of_a_pixel_shuffle_by_hand() -> None:
    image = np.arange(8.0)[None, :, None, None]
    output, _ = pointwise.depth_to_space(image, 2, "tensorflow")
    assert output[0].tolist() == [[[0, 2], [4, 6]], [[1, 3], [5, 7]]]
    output, _ = pointwise.depth_to_space(image, 2, "torch")
    assert output[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


def test_a_batch_normalisation_by_hand() -> None:
    norm = Norm(eps=1.0, momentum=0.25, bessel=True, training=True)
    one, kept = np.ones(1), (np.array([4.0]), np.array([8.0]))
    output, left, _ = pointwise.batch_norm(line(1, 5), 3 * one, one, kept, norm)
    assert output.ravel() == pytest.approx([1 - 6 / 5**0.5, 1 + 6 / 5**0.5])
    assert left.mean == pytest.approx([3.75])
    assert left.variance == pytest.approx([8])  # the sample's is 8, too
    assert left.gain == pytest.approx(5**-0.5)


def test_a_standardisation_by_hand() -> None:
    output, factor, _ = pointwise.standardise(line(1, 5), (2, 3), 5.0)
    assert output.ravel() == pytest.approx([-2 / 3, 2 / 3])
    assert factor == pytest.approx(1 / 3)
    output, factor, _ = pointwise.standardise(line(1, 5), (2, 3), 5.0, of_deviation=True)
    assert output.ravel() == pytest.approx([-2 / 7, 2 / 7])
    assert factor == pytest.approx(1 / 7)


def norm_of(image: Array, gamma: Array, beta: Array, norm: Norm) -> tuple[Array, Back]:
    kept = np.array([0.1, -0.2]), np.array([0.5, 1.5])
    output, _, back = pointwise.batch_norm(image, gamma, beta, kept, norm)
    return output, back


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, w, b: oracle.conv(x, w, b, Axis(5, 2, 2), Axis(4, 2, 2)), "conv"),
        (lambda x, w, b: oracle.conv(x, w, b, Axis(5, 2, 1, 2), Axis(4, 2, 1, 2)), "conv"),
        (lambda x, w, b: oracle.conv_transpose(x, w, b, Axis(9, 2, 2), Axis(8, 2, 2)), "conv"),
        (lambda x: oracle.max_pool(x, Axis(5, 3, 2), Axis(4, 3, 2)), "image"),
        (lambda x: oracle.average_pool(x, Axis(5, 3, 2), Axis(4, 3, 2)), "image"),
        (lambda x, g, b: norm_of(x, g, b, TRAIN), "norm"),
        (lambda x, g, b: norm_of(x, g, b, EVAL), "norm"),
        (lambda x: pointwise.standardise(x, (1,), 1e-3)[::2], "image"),
        (lambda x: pointwise.standardise(x, (2, 3), 1e-3, of_deviation=True)[::2], "image"),
        (pointwise.scale, "norm"),
        (pointwise.relu, "image"),
        (pointwise.sigmoid, "image"),
        (pointwise.mean, "image"),
        (lambda x: pointwise.nearest(x, 3), "image"),
        (lambda x: pointwise.depth_to_space(x, 2, "torch"), "8"),
    ],
)
def test_gradients_are_what_small_differences_give(
    function: Callable[..., tuple[Array, Back]], shapes: str
) -> None:
    given = {
        "conv": [(2, 2, 5, 4), (2, 2, 2, 2), (2,)],
        "norm": [(2, 2, 5, 4), (2,), (2,)],
        "image": [(2, 2, 5, 4)],
        "8": [(1, 8, 2, 5)],
    }
    arrays = [drawn(*shape) for shape in given[shapes]]
    output, back = function(*arrays)
    weights = drawn(*output.shape)
    for place, gradient in enumerate(back(weights)):
        assert gradient.shape == arrays[place].shape
        direction = drawn(*gradient.shape)
        sums = []
        for step in (1e-6, -1e-6):
            moved = [*arrays[:place], arrays[place] + step * direction, *arrays[place + 1 :]]
            sums.append((function(*moved)[0] * weights).sum())
        slope = (sums[0] - sums[1]) / 2e-6
        assert slope == pytest.approx((gradient * direction).sum(), rel=1e-6, abs=1e-8)
