"""What a parity case is, and how lit_restore's side of it is computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from parity.arrays import Array, Arrays, Draw, cast, digest, draw, probe

Tensors = dict[str, Tensor]
Ours = Callable[[Tensors], Tensors]


@dataclass(frozen=True)
class Case:
    """One computation, done by both sides on the same arrays.

    Both sides map named arrays to named arrays, all in Keras's layout; ``output`` is the one that
    is differentiated, with respect to every array that is drawn as a variable.

    Attributes:
        name: ``level/what/options``; its level is layer, block, model, loss, metric, optimizer,
            trajectory, law or picture.
        inputs: How each array is drawn.
        ours: Computes with lit_restore.
        reference: ``module.function`` in ``parity.references``, which computes with Keras.
        settings: Arguments of the reference function, in plain values.
        wrong: Ways to err that the comparison must notice, by what they do.
        terms: The most products that any value, or any gradient's, is a sum of.
        depth: How many such sums follow one another.
        null: Variables whose true gradient is 0, as of a bias before BatchNorm; what rounding
            leaves of it is measured against the largest gradient of the case.
        precision: ``"float32"`` where Keras computes in it whatever it is given; ``"exact"``
            where no bit may differ, and nothing is converted or differentiated; ``"law"`` where
            two random generators cannot agree but in law: then outputs are values of empirical
            distribution functions, each of ``terms`` samples, and float32 is the only type.
        accepted: Why a deviation is accepted: needed where something is null, or the precision
            is neither given nor exact.
        gates32: The arrays that count in float32; all if empty. Of a training only the loss does.
        mutants: Makes further wrong variants, for ``python -m parity mutate``.
        equivalent: Why a mutant computes the same, by its name; it must survive.
        framework: What the reference is written in.
    """

    name: str
    inputs: Mapping[str, Draw]
    ours: Ours
    reference: str
    wrong: Mapping[str, Ours]
    settings: Mapping[str, Any] | None = None
    terms: int = 1
    depth: int = 1
    null: tuple[str, ...] = ()
    precision: Literal["given", "float32", "exact", "law"] = "given"
    accepted: str = ""
    gates32: tuple[str, ...] = ()
    mutants: Callable[[], Mapping[str, Ours]] = dict
    equivalent: Mapping[str, str] = field(default_factory=dict)
    framework: Literal["keras", "chainer"] = "keras"

    @property
    def level(self) -> str:
        """The first part of the name."""
        return self.name.partition("/")[0]

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What the case is computed in, the most precise first."""
        only = {"exact": ("uint8",), "law": ("float32",)}
        return only.get(self.precision, ("float64", "float32"))

    @property
    def variables(self) -> list[str]:
        """The arrays to differentiate with respect to."""
        return [name for name, one in self.inputs.items() if one.kind == "variable"]

    def arrays(self, dtype: str) -> Arrays:
        """Draw the input arrays: always the same ones."""
        return {name: cast(array, dtype) for name, array in draw(self.inputs, self.name).items()}

    def digest(self) -> str:
        """Hash what the reference's result follows from."""
        about = [self.reference, dict(self.settings or {}), self.variables]
        return digest(draw(self.inputs, self.name), about)


def compute(case: Case, function: Ours, dtype: str) -> Arrays:
    """Run ``case.ours`` or one of its wrong variants.

    Returns:
        What it returns, and as ``d NAME`` the gradient with respect to each variable.
    """
    tensors = {name: torch.tensor(array) for name, array in case.arrays(dtype).items()}
    variables = [tensors[name].requires_grad_() for name in case.variables]
    outputs = function(tensors)
    result = {name: _to_numpy(value) for name, value in outputs.items()}
    if variables:
        output = outputs["output"]
        weights = torch.tensor(probe(tuple(output.shape)), dtype=output.dtype)
        gradients = torch.autograd.grad(output, variables, weights, materialize_grads=True)
        pairs = zip(case.variables, gradients, strict=True)
        result |= {f"d {name}": _to_numpy(value) for name, value in pairs}
    return result


def _to_numpy(tensor: Tensor) -> Array:
    return tensor.detach().numpy().copy()
