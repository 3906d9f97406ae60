"""One computation of a layer, chosen by the fuzzer, and how lit_restore does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from parity.arrays import Array, Arrays, probe

Plain = int | float | bool | str
Layer = Callable[..., Any]


@dataclass(frozen=True)
class Trial:
    """What is computed. All arrays follow from it; none has a zero in it.

    Attributes:
        kind: A key of ``parity.fuzz.kinds.KINDS``.
        arguments: What the layer is made with; or, for a function, called with.
        inputs: Shapes of what it is called on, (N, C, H, W), by name.
        training: Whether the layer is in training mode.
        dtype: ``"float64"`` or ``"float32"``.
        bits: The values are odd multiples of ``2**-bits`` between -1 and 1; at most 22.
        seed: Chooses the values.
    """

    kind: str
    arguments: Mapping[str, Plain]
    inputs: Mapping[str, tuple[int, ...]]
    training: bool = False
    dtype: str = "float64"
    bits: int = 20
    seed: int = 0

    def arrays(self, layer: Layer) -> Arrays:
        """Draw the inputs, then the parameters and the statistics of the layer; float64."""
        shapes = dict(self.inputs)
        if isinstance(layer, nn.Module):
            state = layer.state_dict().items()
            shapes |= {name: tuple(v.shape) for name, v in state if v.is_floating_point()}
        rng = np.random.RandomState(self.seed)
        return {name: self._draw(name, shape, rng) for name, shape in shapes.items()}

    def _draw(self, name: str, shape: tuple[int, ...], rng: np.random.RandomState) -> Array:
        half = 2 ** (self.bits - 1)
        values = (2 * rng.randint(-half, half, shape) + 1) / 2**self.bits
        return 1 + values / 2 if name.endswith("running_var") else values


def weighting(shape: tuple[int, ...]) -> Array:
    """Draw what an output (N, C, H, W) is multiplied by before its sum is differentiated.

    Keras's process draws the same for (N, H, W, C).
    """
    count, channels, height, width = shape
    return probe((count, height, width, channels)).transpose(0, 3, 1, 2)


def make(build: Layer, trial: Trial) -> Layer:
    """Make the layer of a trial; a function is returned as it is."""
    return build(**trial.arguments) if isinstance(build, type) else build


def compute(layer: Layer, trial: Trial, arrays: Arrays) -> Arrays:
    """Compute with lit_restore.

    Returns:
        ``output``; as ``d NAME`` the gradient with respect to each input and parameter; and as
        ``after NAME`` the statistics that training leaves.
    """
    dtype = getattr(torch, trial.dtype)
    tensors = {name: torch.tensor(array, dtype=dtype) for name, array in arrays.items()}
    images = {name: tensors[name].requires_grad_() for name in trial.inputs}
    variables, kept = dict(images), {}
    if isinstance(layer, nn.Module):
        layer.to(dtype).train(trial.training)
        layer.load_state_dict(tensors, strict=False)
        variables |= dict(layer.named_parameters())
        kept = dict(layer.named_buffers()) if trial.training else {}
        output = layer(*images.values())
    else:
        output = layer(*images.values(), **trial.arguments)
    weights = torch.tensor(weighting(tuple(output.shape)), dtype=dtype)
    gradients = torch.autograd.grad(output, list(variables.values()), weights, allow_unused=True)
    pairs = zip(variables, gradients, strict=True)
    result = {"output": output} | {f"d {name}": _or_zero(g, variables[name]) for name, g in pairs}
    result |= {f"after {name}": kept[name] for name in arrays if name in kept}
    return {name: value.detach().numpy() for name, value in result.items()}


def _or_zero(gradient: Tensor | None, variable: Tensor) -> Tensor:
    return torch.zeros_like(variable) if gradient is None else gradient
