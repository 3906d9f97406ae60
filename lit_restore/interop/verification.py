"""A converted Keras model compared with Keras's own outputs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lit_restore.interop._room import RoomError, check_room
from lit_restore.interop._samples import Sample, picture_samples, random_samples
from lit_restore.interop.graph import GraphNetwork
from lit_restore.interop.keras_process import NotComparedError, run_keras

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["RULE", "Comparison", "Verification", "verify"]

RULE = (
    "no value may be farther from Keras's than 1e-5 of Keras's largest, or than 8 times the "
    "network's own rounding error (against itself in float64) if that is more, up to 1e-3"
)
_FLOOR, _CEILING, _ROUNDINGS = 1e-5, 1e-3, 8.0


@dataclass(frozen=True)
class Comparison:
    """One output for one sample.

    Attributes:
        sample: Its name.
        output: Which of the network's outputs.
        shape: Of Keras's output.
        error: The farthest that a value is from Keras's, over Keras's largest value; infinite
            where the shapes differ or only one side is finite.
        bound: The most that ``error`` may be.
    """

    sample: str
    output: int
    shape: tuple[int, ...]
    error: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the error is within its bound."""
        return self.error <= self.bound


@dataclass(frozen=True)
class Verification:
    """All comparisons, and what Keras ran on.

    Attributes:
        comparisons: In the samples' order.
        versions: Of Keras, TensorFlow and NumPy, and Keras's backend.
    """

    comparisons: tuple[Comparison, ...]
    versions: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether every output of every sample agrees."""
        return bool(self.comparisons) and all(one.passed for one in self.comparisons)


def verify(
    network: GraphNetwork,
    path: Path,
    config: Mapping[str, Any],
    *,
    whole: bool,
    pictures: Mapping[str, Tensor],
    seed: int,
) -> Verification:
    """Compare a network with the Keras model that it was made of.

    Args:
        network: The converted model, in eval mode.
        path: The Keras file.
        config: The model's configuration.
        whole: Whether ``path`` holds the configuration itself, or weights alone.
        pictures: To compare on, besides random inputs: by name, shape (3, H, W), unit range.
        seed: Of the random inputs.

    Raises:
        NotComparedError: If Keras is not installed, or refuses the file, or would run code; or
            the network makes too much of its inputs.
    """
    try:
        samples = random_samples(network, seed) | picture_samples(network, pictures)
        check_room(network, samples.values())
    except RoomError as error:
        raise NotComparedError(str(error)) from error
    inputs = [[_keras_order(image) for image in sample] for sample in samples.values()]
    theirs = run_keras(path, config, inputs, whole=whole)
    exact = copy.deepcopy(network).double()
    comparisons: list[Comparison] = []
    for (name, sample), expected in zip(samples.items(), theirs.samples, strict=True):
        found, truth = _outputs(network, sample), _outputs(exact, sample)
        comparisons += compare(name, expected, found, truth)
    return Verification(tuple(comparisons), theirs.versions)


def compare(
    sample: str, expected: Sequence[Array], found: Sequence[Array], truth: Sequence[Array]
) -> list[Comparison]:
    """Compare all outputs for one sample.

    Args:
        sample: Its name.
        expected: Keras's outputs.
        found: The network's.
        truth: The network's in float64.
    """
    if len(expected) != len(found):
        return [Comparison(sample, 0, (), float("inf"), _FLOOR)]
    triples = zip(expected, found, truth, strict=True)
    return [
        Comparison(sample, index, tuple(theirs.shape), *_error_and_bound(theirs, ours, exact))
        for index, (theirs, ours, exact) in enumerate(triples)
    ]


def _error_and_bound(theirs: Array, ours: Array, exact: Array) -> tuple[float, float]:
    import numpy as np

    if theirs.shape != ours.shape:
        return float("inf"), _FLOOR
    theirs, ours = theirs.astype(np.float64), ours.astype(np.float64)
    finite = np.isfinite(theirs)
    if not np.array_equal(finite, np.isfinite(ours)) or not finite.any():
        return float("inf"), _FLOOR
    theirs, ours, exact = theirs[finite], ours[finite], exact[finite]
    scale = max(float(np.abs(theirs).max()), float(np.finfo(np.float32).tiny))
    rounding = float(np.abs(ours - exact).max()) / scale
    bound = min(max(_FLOOR, _ROUNDINGS * rounding), _CEILING)
    return float(np.abs(ours - theirs).max()) / scale, bound


@torch.inference_mode()
def _outputs(network: GraphNetwork, sample: Sample) -> list[Array]:
    dtype = next((one.dtype for one in network.parameters()), torch.float32)
    result = network(*[image.to(dtype) for image in sample])
    results = result if isinstance(result, tuple) else (result,)
    return [_keras_order(one) for one in results]


def _keras_order(image: Tensor) -> Array:
    """Lay a map out as Keras does, (N, H, W, C); other shapes stay."""
    return (image.permute(0, 2, 3, 1) if image.ndim == 4 else image).contiguous().numpy()
