"""Tests of parity.cases.residual_networks: the whole ResNet50 of Keras, which is not stored."""

import dataclasses
import importlib.util

import pytest

from parity.case import compute
from parity.cases.residual_networks import RESNET50
from parity.judge import Reference, bound, distances
from parity.live import KerasWorker

needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"
)


@needs_keras
def test_every_layer_of_keras_own_resnet50_agrees() -> None:
    held = {
        name: dataclasses.replace(one, kind="constant") for name, one in RESNET50.inputs.items()
    }
    case = dataclasses.replace(
        RESNET50, inputs=held
    )  # the gradients of 26 million weights take long
    with KerasWorker() as keras:
        reference = Reference(keras.compute(case, "float64"))
    errors = distances(case, compute(case, case.ours, "float64"), reference)
    assert len(errors) == 53 + 53 + 1 + 1
    assert max(errors.values()) <= bound(case, "float64")
    shifted = compute(case, case.wrong["the stride in another convolution"], "float64")
    assert distances(case, shifted, reference)["output"] > 0.01
