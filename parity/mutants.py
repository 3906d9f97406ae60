"""Small damages to a network, each of which a comparison must notice.

A comparison that lets one of them pass compares too little. Where a mutant provably computes the
same as the network, its case says so in ``equivalent``, and the mutant must then indeed survive.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from parity.case import Ours, Tensors
from parity.network import Network

KINDS = ("parameter", "bias", "concatenation", "mode")
_DAMAGE = 1e-3
_MODAL = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


def mutants(network: Network) -> dict[str, Ours]:
    """Make all mutants of a network; each one's name begins with its kind.

    One value of every parameter and state is changed by a thousandth of the largest, that one
    which the output feels most (others may meet inputs that a ReLU has made 0); every bias is
    dropped; the parts of every concatenation are joined in the opposite order; every layer
    that has one is put in the other mode.
    """
    makers = (_parameters, _biases, _concatenations, _modes)
    return {
        f"{kind} {name}": function
        for kind, make in zip(KINDS, makers, strict=True)
        for name, function in make(network)
    }


def _parameters(network: Network) -> Iterator[tuple[str, Ours]]:
    for name in network.weights():
        yield name, partial(_with, network, name, _perturbed)


def _biases(network: Network) -> Iterator[tuple[str, Ours]]:
    for name in network.weights():
        if name.endswith(("/bias", "/beta")):
            yield name, partial(_with, network, name, lambda value, index: value * 0)


def _with(
    network: Network, name: str, change: Callable[[Tensor, int], Tensor], t: Tensors
) -> Tensors:
    return network(t | {name: change(t[name], _most_felt(network, name, t))})


def _most_felt(network: Network, name: str, t: Tensors) -> int:
    """Find the value of a parameter that the output's gradient is largest for."""
    if not t[name].requires_grad:  # a state
        return 0
    held = {key: value.detach() for key, value in t.items()}
    value = held[name].clone().requires_grad_()
    output = network(held | {name: value})["output"]
    weights = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    return int(torch.autograd.grad(output, value, weights)[0].abs().argmax())


def _perturbed(value: Tensor, index: int) -> Tensor:
    change = torch.zeros(value.numel(), dtype=value.dtype)
    change[index] = _DAMAGE * float(value.detach().abs().max())
    return value + change.reshape(value.shape)


def _concatenations(network: Network) -> Iterator[tuple[str, Ours]]:
    counter = Concatenations()
    drawn = [*network.inputs().items(), *network.weights().items()]
    with torch.no_grad(), counter:
        network({name: torch.ones(one.shape) for name, one in drawn})
    for index in range(counter.seen):
        yield str(index + 1), partial(_joined_backwards, network, index)


def _joined_backwards(network: Network, index: int, t: Tensors) -> Tensors:
    with Concatenations(index):
        return network(t)


class Concatenations(TorchFunctionMode):
    """Counts the concatenations, and turns the order of one of them.

    Args:
        backwards: Which one, from 0; -1: none.
    """

    def __init__(self, backwards: int = -1) -> None:
        super().__init__()
        self.backwards = backwards
        self.seen = 0

    def __torch_function__(
        self,
        function: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Pass every call on."""
        if function is torch.cat:
            if self.seen == self.backwards:
                args = (tuple(reversed(args[0])), *args[1:])
            self.seen += 1
        return function(*args, **(kwargs or {}))


def _modes(network: Network) -> Iterator[tuple[str, Ours]]:
    for path, module in network.module.named_modules():
        if isinstance(module, _MODAL):
            yield path, replace(network, flipped=path)
