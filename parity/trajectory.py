"""Cases of trainings: 20 steps on one batch, then the loss curve and every parameter and state.

In float64 all of it counts. In float32 the loss curve alone does: rounding that Adam amplifies
moves parameters long before it moves the function that they make.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.losses import SegmentationCrossEntropy
from lit_restore.optim import KerasAdam
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_keras, to_torch
from parity.network import Network, from_state, terms, to_state

Loss = Callable[[Tensor, Tensor], Tensor]
Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def of_classes(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits and a map of classes (N, 1, H, W), which are cut to whole numbers."""
    loss: Tensor = SegmentationCrossEntropy()(logits, target[:, 0].long())
    return loss


def of_squashed(logits: Tensor, target: Tensor) -> Tensor:
    """The same of what went through sigmoid, or softmax, already."""
    squashed = logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)
    return of_classes(squashed, target)


LOSSES: dict[str, Loss] = {
    "MeanSquaredError": F.mse_loss,
    "MeanAbsoluteError": F.l1_loss,
    "BinaryCrossentropy": of_classes,
    "SparseCategoricalCrossentropy": of_classes,
}
_OTHERS: dict[Loss, Loss] = {
    F.mse_loss: F.l1_loss,
    F.l1_loss: F.mse_loss,
    of_classes: of_squashed,
}
_SGD = partial(torch.optim.SGD, lr=0.01)
OPTIMIZERS: dict[str, Optimizer] = {"Adam": KerasAdam, "SGD": _SGD}


@dataclass(frozen=True)
class Training:
    """A training of ours that is fed the arrays of a case.

    Attributes:
        network: In training mode.
        loss: Of (prediction, target).
        optimizer: Makes the optimizer.
        steps: How many steps.
    """

    network: Network
    loss: Loss
    optimizer: Optimizer
    steps: int = 20

    def __call__(self, t: Tensors) -> Tensors:
        """Train; the loss before each step, and all that ``state_dict`` holds afterwards."""
        names = [name for name in t if "/" in name]
        module = deepcopy(self.network.module).to(t["image"].dtype).train(self.network.training)
        module.load_state_dict(to_state({name: t[name] for name in names}), strict=False)
        optimizer = self.optimizer(module.parameters())
        losses = [self._step(module, optimizer, t) for _ in range(self.steps)]
        after = from_state(module.state_dict(), dict.fromkeys(names))
        return {"output": torch.stack(losses)} | {f"after {name}": after[name] for name in names}

    def _step(self, module: nn.Module, optimizer: torch.optim.Optimizer, t: Tensors) -> Tensor:
        optimizer.zero_grad()
        loss = self.loss(module(*self.network.arguments(t)), to_torch(t["target"]))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach()


def trajectory_case(
    name: str,
    network: Network,
    reference: str,
    loss: str = "MeanSquaredError",
    optimizer: str = "Adam",
    wrong: Mapping[str, Ours] | None = None,
    momentum: float = 0.0,
    **about: Any,
) -> Case:
    """Make the case of a training.

    Args:
        name: Without ``trajectory/``.
        network: Our side.
        reference: As ``network_case`` has it.
        loss: A key of ``LOSSES``: the name of Keras's class. For a cross-entropy Keras's network
            ends in a sigmoid, or a softmax, if ``settings`` make it so; ours never does.
        optimizer: A key of ``OPTIMIZERS``, likewise.
        wrong: Ways to err beside those that every training can: PyTorch's Adam, another rate, a
            step too few, a network in the wrong mode where it has modes.
        momentum: Of SGD.
        **about: Further fields of the case: ``settings``, ``depth`` ...
    """
    own = OPTIMIZERS[optimizer]
    if momentum:  # Keras keeps it in float32
        own = partial(_SGD, momentum=float(torch.tensor(momentum)))
    ours = Training(replace(network, training=True), LOSSES[loss], own)
    settings: dict[str, Any] = {
        "model": reference,
        "loss": loss,
        "optimizer": optimizer,
        "steps": ours.steps,
    } | ({"momentum": momentum} if momentum else {})
    weights = {name: replace(one, kind="constant") for name, one in network.weights().items()}
    inputs = network.inputs("constant")
    target = _target(loss, inputs["image"], _output_shape(network, inputs))
    depth = 2 * len(network.layers) * ours.steps  # there and back, at every step
    return Case(
        name=f"trajectory/{name}",
        inputs={**inputs, "target": target, **weights},
        ours=ours,
        reference="networks.train",
        settings={**settings, **about.pop("settings", {})},
        wrong={**_wrong(ours, optimizer, momentum), **(wrong or {})},
        gates32=("output",),
        **{"terms": terms(network), "depth": depth, **about},
    )


def _output_shape(network: Network, inputs: Mapping[str, Draw]) -> tuple[int, ...]:
    """Say how large the output is, in Keras's layout."""
    zeros = {name: torch.zeros(one.shape) for name, one in inputs.items()}
    with torch.no_grad():
        output = deepcopy(network.module).eval()(*network.arguments(zeros))
    return tuple(to_keras(output).shape)


def _target(loss: str, image: Draw, shape: tuple[int, ...]) -> Draw:
    """Say how the target is drawn: as pictures are, or as classes."""
    if loss == "BinaryCrossentropy":
        return Draw(shape, kind="mask")
    if loss == "SparseCategoricalCrossentropy":
        return Draw((*shape[:-1], 1), 0.0, float(shape[-1]), kind="constant")
    return replace(image, shape=shape)


def _wrong(ours: Training, optimizer: str, momentum: float) -> dict[str, Ours]:
    wrong: dict[str, Ours] = {"the other loss": replace(ours, loss=_OTHERS[ours.loss])}
    if optimizer == "Adam":
        wrong["torch's Adam"] = replace(ours, optimizer=partial(torch.optim.Adam, eps=1e-7))
        wrong["another beta"] = replace(ours, optimizer=partial(KerasAdam, betas=(0.5, 0.999)))
    elif momentum:
        wrong["no momentum"] = replace(ours, optimizer=_SGD)
        heavy = partial(_SGD, momentum=momentum, dampening=momentum)
        wrong["dampened momentum"] = replace(ours, optimizer=heavy)
    else:
        wrong["momentum"] = replace(ours, optimizer=partial(_SGD, momentum=0.9))
    if any(isinstance(module, nn.BatchNorm2d) for module in ours.network.module.modules()):
        wrong["statistics held"] = replace(ours, network=replace(ours.network, training=False))
    return wrong
