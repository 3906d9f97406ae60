"""Tests of the orders in which Keras 1 kept its kernels."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lit_restore.interop import KerasFileError, read_keras
from lit_restore.interop._kernels import KernelOrder, Order, find_order

Array = np.ndarray[Any, Any]


def array(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def write(path: Path, layers: dict[str, dict[str, Array]], **attributes: str) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([name.encode() for name in layers])
        file.attrs.update(attributes)
        for name, arrays in layers.items():
            names = [f"{name}_{leaf}".encode() for leaf in arrays]
            file.create_group(name).attrs["weight_names"] = np.array(names)
            for leaf, value in arrays.items():
                file[name].create_dataset(f"{name}_{leaf}", data=value)
    return path


def test_theanos_kernels_give_its_true_convolution(tmp_path: Path) -> None:
    """The definition of a convolution, in NumPy, against PyTorch's correlation."""
    kernel, image = array(4, 2, 3, 5), array(2, 6, 7)
    path = write(tmp_path / "w.h5", {"c": {"W": kernel, "b": array(4)}})
    expected = np.zeros((4, 4, 3))
    for (out, channel, y, x), weight in np.ndenumerate(kernel):
        top, left = 2 - y, 4 - x
        expected[out] += weight * image[channel, top : top + 4, left : left + 3]

    found = read_keras(path).layers[0].weights["kernel"]

    weight = torch.from_numpy(found).permute(3, 2, 0, 1)
    got = F.conv2d(torch.from_numpy(image)[None], weight)[0]
    assert np.abs(got.numpy() - expected).max() < 1e-5
    unrotated = F.conv2d(torch.from_numpy(image)[None], torch.from_numpy(kernel))[0]
    assert np.abs(unrotated.numpy() - expected).max() > 1


@pytest.mark.parametrize(
    ("backend", "order", "rotated"),
    [
        (None, "oihw", True),
        ("theano", "oihw", True),
        ("tensorflow", "oihw", False),
        (None, "hwio", False),
        ("tensorflow", "hwio", False),
        ("theano", "hwio", True),
    ],
)
def test_kernels_are_turned_where_theano_ran(
    tmp_path: Path, backend: str | None, order: Order, rotated: bool
) -> None:
    kernel = array(3, 3, 3, 3)
    attributes = {"backend": backend} if backend else {}
    path = write(tmp_path / "w.h5", {"c": {"W": kernel, "b": array(3)}}, **attributes)

    found = read_keras(path, order=order)

    plain = kernel.transpose(2, 3, 1, 0) if order == "oihw" else kernel
    assert (found.layers[0].weights["kernel"] == (plain[::-1, ::-1] if rotated else plain)).all()
    assert (found.kernel_order, found.rotated) == (order, rotated)


def test_keras_2_on_theano_kept_its_kernels_rotated_in_the_common_order(tmp_path: Path) -> None:
    kernel, depthwise = array(3, 2, 4, 5), array(3, 2, 4, 1)
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update({"backend": "theano", "keras_version": "2.1.0"})
        file.attrs["layer_names"] = np.array([b"c"])
        names = [b"c/kernel:0", b"c/depthwise_kernel:0"]
        file.create_group("c").attrs["weight_names"] = np.array(names)
        file["c/c/kernel:0"], file["c/c/depthwise_kernel:0"] = kernel, depthwise

    weights = read_keras(path).layers[0].weights

    assert (weights["kernel"] == kernel[::-1, ::-1]).all()
    assert (weights["depthwise_kernel"] == depthwise).all()


def test_one_layer_whose_shape_tells_the_order_tells_it_for_all(tmp_path: Path) -> None:
    layers = {
        "square": {"W": array(3, 3, 3, 3), "b": array(3)},
        "telling": {"W": array(4, 3, 5, 5), "b": array(4)},
        "dense": {"W": array(3, 2), "b": array(2)},
    }

    found = read_keras(write(tmp_path / "w.h5", layers))

    assert [one.weights["kernel"].shape for one in found.layers] == [
        (3, 3, 3, 3),
        (5, 5, 3, 4),
        (3, 2),
    ]
    square = layers["square"]["W"][:, :, ::-1, ::-1].transpose(2, 3, 1, 0)
    assert (found.layers[0].weights["kernel"] == square).all()


@pytest.mark.parametrize("bias", [{}, {"b": array(3)}])
def test_an_order_that_nothing_tells_is_asked_for(tmp_path: Path, bias: dict[str, Array]) -> None:
    path = write(tmp_path / "w.h5", {"c": {"W": array(3, 3, 3, 3), **bias}})

    with pytest.raises(KerasFileError, match=r'say order="hwio" \(TensorFlow\) or order="oihw"'):
        read_keras(path)


def test_an_order_against_the_shapes_is_refused(tmp_path: Path) -> None:
    oihw = {"W": array(4, 3, 5, 5), "b": array(4)}
    hwio = {"W": array(5, 5, 3, 4), "b": array(4)}

    with pytest.raises(KerasFileError, match="got shapes of oihw where hwio was expected"):
        read_keras(write(tmp_path / "a.h5", {"c": oihw}), order="hwio")
    with pytest.raises(KerasFileError, match="must be one, got shapes of hwio and oihw"):
        read_keras(write(tmp_path / "b.h5", {"c": oihw, "d": hwio}))


def test_keras_2_is_never_asked_for_its_order() -> None:
    layers = [{"kernel": array(3, 3, 3, 5), "bias": array(3)}]  # as of a transposed convolution

    found = find_order(layers, keras1=False, backend="tensorflow", told=None)

    assert (found.order, found.rotated) == ("hwio", False)


@pytest.mark.parametrize(("order", "shape"), [("hwio", (3, 2, 4, 5)), ("oihw", (5, 4, 3, 2))])
def test_transposed_convolutions_of_keras_1_swap_in_and_out(
    order: Order, shape: tuple[int, ...]
) -> None:
    """Keras 1 has (h, w, in, out), or (out, in, h, w), where Keras 2 has (h, w, out, in)."""
    kernel = array(*shape)

    found = KernelOrder(order, rotated=False, keras1=True).apply(
        "kernel", kernel, "Deconvolution2D"
    )

    assert found.shape == (3, 2, 5, 4)
    assert found[2, 1, 4, 3] == kernel[(2, 1, 3, 4) if order == "hwio" else (4, 3, 2, 1)]
