"""A finding as a program that shows it with nothing but PyTorch and lit_restore."""

from collections.abc import Iterator
from pprint import pformat

from torch import nn

from parity.arrays import Array, Arrays
from parity.fuzz.check import Finding
from parity.fuzz.kinds import KINDS
from parity.fuzz.trial import Layer, make, weighting

_LINE = 76


def snippet(finding: Finding) -> str:
    """Write a program that fails as long as the finding stands; all its numbers are literal."""
    layer = make(KINDS[finding.trial.kind].layer, finding.trial)
    arrays = finding.trial.arrays(layer)
    is_module = isinstance(layer, nn.Module)
    parts = [_head(finding), *(_module(finding, arrays) if is_module else ())]
    return "\n".join([*parts, *_call(finding, layer, arrays), *_comparison(finding), ""])


def _head(finding: Finding) -> str:
    layer = KINDS[finding.trial.kind].layer
    home = "torch.nn" if layer.__module__.startswith("torch.") else "lit_restore.nn"
    what = finding.said or f"{finding.name}: error {finding.error:.1e} > {finding.bound:.1e}"
    lines = [f"# {what}".splitlines()[0][:_LINE], "import torch", f"from {home} import"]
    return "\n".join(lines) + f" {layer.__name__}\n\ndtype = torch.{finding.trial.dtype}"


def _module(finding: Finding, arrays: Arrays) -> Iterator[str]:
    trial = finding.trial
    name = KINDS[trial.kind].layer.__name__
    mode = "" if trial.training else ".eval()"
    yield f"layer = {name}({_arguments(finding)}).to(dtype){mode}"
    state = {key: value for key, value in arrays.items() if key not in trial.inputs}
    yield "state = {"
    yield from (f"    {key!r}: {_tensor(value)}," for key, value in state.items())
    yield "}\nlayer.load_state_dict(state, strict=False)"


def _call(finding: Finding, layer: Layer, arrays: Arrays) -> Iterator[str]:
    inputs = list(finding.trial.inputs)
    for name in inputs:
        yield f"{name} = {_tensor(arrays[name])}.requires_grad_()"
    given = ", ".join(inputs)
    if isinstance(layer, nn.Module):
        yield f"output = layer({given})"
    else:
        yield f"output = {layer.__name__}({given}, {_arguments(finding)})"


def _arguments(finding: Finding) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in finding.trial.arguments.items())


def _comparison(finding: Finding) -> Iterator[str]:
    if finding.said:
        return
    first, _, name = finding.name.partition(" ")
    if first == "d":
        yield f"output.backward({_tensor(weighting(finding.shape))})"
    yield f"expected = {_tensor(finding.expected)}"
    result = {"output": "output", "d": f"{_of(finding, name)}.grad"}
    compared = result.get(first, _of(finding, name))
    yield f"torch.testing.assert_close({compared}, expected, rtol=0.0, atol={finding.bound!r})"


def _of(finding: Finding, name: str) -> str:
    """Name an input, a parameter or a buffer in the program."""
    return name if name in finding.trial.inputs else f"layer.{name}"


def _tensor(array: Array) -> str:
    values = pformat(array.tolist(), width=_LINE, compact=True)
    return f"torch.tensor({values}, dtype=dtype)"
