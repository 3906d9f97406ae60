"""Keras's side of tests, in a process of its own: ``keras_side.py FUNCTION FILE IN OUT ...``.

IN is an image (N, H, W, C) as .npy, OUT the result, likewise; there may be several such fours.
Nothing of lit_restore is imported.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
from keras import layers


def vgg16(path: str, image: np.ndarray) -> np.ndarray:
    """``keras.applications``' own network and preprocessing; the image is RGB in 0 .. 1."""
    network = keras.applications.VGG16(include_top=False, weights=path)
    last = keras.Model(network.inputs, network.get_layer("block5_conv3").output)
    return last.predict(keras.applications.vgg16.preprocess_input(image * 255), verbose=0)


def srcnn_titu1994(path: str, image: np.ndarray) -> np.ndarray:
    """Theano's kernels: (out, in, height, width), and turned by 180 degrees."""
    network = _srcnn((64, 32, 3), "same", ("level1", "level2", "output"))
    arrays = list(_stored(path, [layer.name for layer in network.layers]))
    rotated = [a.transpose(2, 3, 1, 0)[::-1, ::-1] if a.ndim == 4 else a for a in arrays]
    network.set_weights(rotated)
    return network.predict(image, verbose=0)


def srcnn_markprecursor(path: str, image: np.ndarray) -> np.ndarray:
    """TensorFlow's kernels, and VALID padding."""
    names = ("convolution2d_1", "convolution2d_2", "convolution2d_3")
    network = _srcnn((128, 64, 1), "valid", names)
    network.set_weights(list(_stored(path, names)))
    return network.predict(image, verbose=0)


def resnet_sr(path: str, image: np.ndarray) -> np.ndarray:
    """The file's layers go by their names, which Keras itself matches."""

    def conv(x: Any, name: str, width: int = 64, activation: str | None = None) -> Any:
        layer = layers.Conv2D(
            width, 3, padding="same", activation=activation, name=f"sr_res_{name}"
        )
        return layer(x)

    def norm(x: Any, name: str) -> Any:
        return layers.BatchNormalization(name=f"sr_res_batchnorm_{name}")(x)

    source = keras.Input((None, None, 3))
    first = x = conv(source, "conv1", activation="relu")
    for block in range(1, 7):
        y = layers.ReLU()(norm(conv(x, f"conv_{block}_1"), f"{block}_1"))
        x = layers.Add()([norm(conv(y, f"conv_{block}_2"), f"{block}_2"), x])
    x = layers.UpSampling2D()(layers.Add()([x, first]))
    x = conv(conv(x, "filter1_1", activation="relu"), "conv_final", 3)
    network = keras.Model(source, x)
    network.load_weights(path, by_name=True)
    return network.predict(image, verbose=0)


def own(path: str, image: np.ndarray) -> np.ndarray:
    """A network of several kinds of layers, filled by ``load_weights``."""
    source = keras.Input((None, None, 2))
    x = layers.Conv2D(5, 3, padding="same", name="first")(source)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="slopes")(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="lanes")(x)
    x = layers.Conv2DTranspose(4, 3, padding="valid", name="larger")(x)
    x = layers.Conv2D(3, 1, name="last")(x)
    network = keras.Model(source, x)
    network.load_weights(path)
    return network.predict(image, verbose=0)


def _srcnn(widths: tuple[int, int, int], padding: str, names: Any) -> keras.Model:
    kinds = zip(widths, (9, 1, 5), ("relu", "relu", None), names, strict=True)
    stack = [
        layers.Conv2D(width, size, padding=padding, activation=activation, name=name)
        for width, size, activation, name in kinds
    ]
    network = keras.Sequential(stack)
    network.build((None, None, None, 3 if padding == "same" else 1))
    return network


def _stored(path: str, names: Any) -> Iterator[np.ndarray]:
    with h5py.File(path) as file:
        for name in names:
            for weight in file[name].attrs["weight_names"]:
                yield file[name][weight][()]


FUNCTIONS: dict[str, Callable[[str, np.ndarray], np.ndarray]] = {
    function.__name__: function
    for function in (vgg16, srcnn_titu1994, srcnn_markprecursor, resnet_sr, own)
}

if __name__ == "__main__":
    jobs = iter(sys.argv[1:])
    for function, path, source, target in zip(jobs, jobs, jobs, jobs, strict=True):
        np.save(target, FUNCTIONS[function](path, np.load(source)))
