"""Cases of whole networks: every weighted layer's output, every gradient, every state.

A case names a network, thin, and a function that builds the same one in Keras, whose layers are
called what our modules are called. Which arrays there are, how they are drawn and how they are laid
out follows from the modules.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

from torch import Tensor, nn
from torch.func import functional_call

from lit_restore.nn import PartialConv2d, RegionNorm2d
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import kernel_to_torch, to_keras, to_torch

_MOVING = ("moving_mean", "moving_variance")
_NAMES = {
    "gamma": "weight",
    "beta": "bias",
    "kernel": "weight",
    "bias": "bias",
    "alpha": "weight",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclass(frozen=True)
class Network:
    """A network of ours that is fed the arrays of a case.

    Attributes:
        build: Makes it; called once. In its modules' paths dots stay dots.
        size: Batch, height and width of its input, in pixels; best all different. The batch alone
            if it takes vectors, as a generator of latents does.
        training: Whether it is in training mode.
        flipped: Path of a module that is in the other mode, for a mutant.
        untapped: Paths of modules whose outputs are not compared, since Keras's are laid out
            otherwise, or since only the module's weights are used; what follows them is compared.
        masked: Whether it takes a mask beside the image.
        condition_channels: Of the picture that it takes beside the image; 0 if it takes none.
    """

    build: Callable[[], nn.Module]
    size: tuple[int, ...]
    training: bool = False
    flipped: str = ""
    untapped: tuple[str, ...] = ()
    masked: bool = False
    condition_channels: int = 0

    @cached_property
    def module(self) -> nn.Module:
        """The network."""
        return self.build()

    @cached_property
    def layers(self) -> dict[str, nn.Module]:
        """The modules with weights of their own, by their paths, in the order of definition."""
        modules = self.module.named_modules()
        return {path: module for path, module in modules if list(module.parameters(recurse=False))}

    def weights(self) -> dict[str, Draw]:
        """How its parameters and states are drawn, by ``path/name``, in Keras's layout."""
        return {
            f"{path}/{name}": one
            for path, module in self.layers.items()
            for name, one in draws(path, module)
        }

    def inputs(self, kind: Literal["variable", "constant"] = "variable") -> dict[str, Draw]:
        """How its inputs are drawn, in Keras's layout."""
        values = getattr(self.module, "in_channels", getattr(self.module, "latent_size", 3))
        low = -1.0 if getattr(self.module, "input_range", "unit") == "signed" else 0.0
        inputs = {"image": Draw((*self.size, values), low, 1.0, kind)}
        if self.masked:
            inputs["mask"] = Draw((*self.size, 1), kind="mask")
        if self.condition_channels:
            inputs["condition"] = Draw((*self.size, self.condition_channels), low, 1.0, kind)
        return inputs

    def arguments(self, t: Tensors) -> tuple[Tensor, ...]:
        """Its inputs among the arrays of a case, in its own layout."""
        given = [t[name] for name in self.inputs()]
        return tuple(to_torch(one) if one.ndim == 4 else one for one in given)

    def __call__(self, t: Tensors) -> Tensors:
        """Run it on its inputs; outputs of layers, the output, and the states afterwards."""
        state = to_state({name: value for name, value in t.items() if "/" in name})
        state |= {name: value.clone() for name, value in state.items() if "running" in name}
        layers: Tensors = {}
        module = deepcopy(self.module).train(self.training)
        if self.flipped:
            module.get_submodule(self.flipped).train(not self.training)
        for path in self.layers.keys() - set(self.untapped):
            module.get_submodule(path).register_forward_hook(partial(_keep, layers, path))
        output = functional_call(module, state, self.arguments(t))
        after = {f"after {name}": state[to_path(name)] for name in t if name.endswith(_MOVING)}
        output = to_keras(output) if output.ndim == 4 else output
        return layers | {"output": output} | (after if self.training else {})


def _keep(
    layers: Tensors,
    path: str,
    module: nn.Module,
    inputs: object,
    output: Tensor | tuple[Tensor, Tensor],
) -> None:
    if isinstance(output, tuple):
        output, mask = output
        layers[f"{path} mask"] = to_keras(mask)
    # Cloned, since what follows may overwrite it.
    layers[path] = to_keras(output.clone()) if output.ndim == 4 else output.clone()


def draws(path: str, module: nn.Module) -> Iterator[tuple[str, Draw]]:
    """Say how a layer's arrays are drawn: everything random, the output's scale near the input's.

    Raises:
        TypeError: If there is no rule for such a layer.
    """
    match module:
        case nn.Conv2d() | nn.ConvTranspose2d() | nn.Linear() | PartialConv2d():
            shape = tuple(module.weight.permute(*_order(module.weight.ndim)).shape)
            inputs = shape[-1] if isinstance(module, nn.ConvTranspose2d) else shape[-2]
            limit = (3 / (inputs * module.weight[0, 0].numel())) ** 0.5
            yield "kernel", Draw(shape, -limit, limit)
            if module.bias is not None:
                yield "bias", Draw(tuple(module.bias.shape), -0.5, 0.5)
        case nn.BatchNorm2d() | nn.GroupNorm() | nn.InstanceNorm2d():
            shape = tuple(module.weight.shape)
            yield from (("gamma", Draw(shape, 0.5, 1.5)), ("beta", Draw(shape)))
            if isinstance(module, nn.BatchNorm2d):
                yield "moving_mean", Draw(shape, kind="constant")
                yield "moving_variance", Draw(shape, 0.5, 1.5, kind="constant")
        case RegionNorm2d():
            shape = tuple(module.weight.T.shape)
            yield from (("gamma", Draw(shape, 0.5, 1.5)), ("beta", Draw(shape)))
        case nn.PReLU():
            yield "alpha", Draw((1, 1, module.num_parameters), 0.1, 0.5)
        case _:
            raise TypeError(f"{path}: there is no rule yet for {type(module).__name__}")


def _order(rank: int) -> tuple[int, ...]:
    return (2, 3, 1, 0) if rank == 4 else (1, 0)


def to_path(name: str) -> str:
    """Turn ``path/kernel`` to ``path.weight``, and so on."""
    path, _, leaf = name.rpartition("/")
    return f"{path}.{_NAMES[leaf]}"


def to_state(arrays: Mapping[str, Tensor]) -> Tensors:
    """Turn arrays in Keras's layout and names to those of a network's ``state_dict``."""
    return {to_path(name): _to_torch(value) for name, value in arrays.items()}


def from_state(state: Mapping[str, Tensor], names: Mapping[str, object]) -> Tensors:
    """Turn the arrays of ``names`` back to Keras's layout."""
    values = {name: state[to_path(name)] for name in names}
    return {name: _to_keras(name, value) for name, value in values.items()}


def _to_torch(value: Tensor) -> Tensor:
    match value.ndim:
        case 4:
            return kernel_to_torch(value)
        case 3:  # slopes of PReLU, shared over height and width
            return value.reshape(-1)
        case 2:
            return value.T
    return value


def _to_keras(name: str, value: Tensor) -> Tensor:
    if name.endswith("/alpha"):
        return value.reshape(1, 1, -1)
    return value.permute(*_order(value.ndim)) if value.ndim > 1 else value


def network_case(
    name: str,
    network: Network,
    reference: str,
    wrong: Mapping[str, Ours],
    **about: Any,
) -> Case:
    """Make the case of a network.

    Args:
        name: Without ``model/``.
        network: Our side.
        reference: ``module.function`` in ``parity.references``: given the shape of an image and the
            ``settings``, it makes the same network, a functional model of Keras.
        wrong: Ways to err; those of ``parity.mutants`` are added for ``mutate``.
        **about: Further fields of the case: ``settings``, ``terms``, ``depth``, ``null`` ...
            ``terms`` follows from the layers unless it is given.
    """
    from parity.mutants import mutants

    settings = {"model": reference, "training": network.training, **about.pop("settings", {})}
    if network.untapped:
        settings["untapped"] = list(network.untapped)
    return Case(
        name=f"model/{name}",
        inputs={**network.inputs(), **network.weights()},
        ours=network,
        reference="networks.forward",
        settings=settings,
        wrong=wrong,
        mutants=partial(mutants, network),
        **{"terms": terms(network), "depth": len(network.layers), **about},
    )


def terms(network: Network) -> int:
    """Count the products of the longest sum: a kernel's, or a gradient's over all pixels."""
    kernels = [one.shape for one in network.weights().values() if len(one.shape) == 4]
    longest = max(k[0] * k[1] * max(k[2], k[3]) for k in kernels)
    return max(longest, math.prod(network.size))
