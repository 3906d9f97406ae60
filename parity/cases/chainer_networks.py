"""A small segmentation network, made of our blocks and of Chainer's links."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lit_restore.nn import ConvNormAct, KerasBatchNorm2d, SameConvTranspose2d, SameMaxPool2d
from parity.arrays import Draw
from parity.case import Case, Tensors
from parity.cases.chainer_windows import chainer_case

_SIZE = (2, 3, 6, 10)
_STATISTICS = ("running_mean", "running_var")


class SkipNetwork(nn.Module):
    """Down by max pooling, up by transposed convolution, joined with the fine map, scored."""

    def __init__(self, order: Literal["can", "cna"] = "can", bessel: bool = True) -> None:
        super().__init__()
        self.fine = ConvNormAct(3, 4, order=order, bias=True)
        self.coarse = ConvNormAct(4, 5, order=order, bias=True)
        self.up = SameConvTranspose2d(5, 6, 2, 2)
        self.up_norm = nn.BatchNorm2d(6)
        self.mixed = ConvNormAct(10, 7, kernel_size=1, order=order, bias=True)
        self.score = nn.Conv2d(7, 3, kernel_size=1)
        self.pool = SameMaxPool2d()
        KerasBatchNorm2d.convert(self, eps=2e-5, momentum=0.1, bessel=bessel)

    def forward(self, image: Tensor) -> Tensor:
        """Score each pixel; height and width are even."""
        fine = self.fine(image)
        enlarged = self.up_norm(self.up(self.coarse(self.pool(fine))).relu())
        return self.score(self.mixed(self.joined(enlarged, fine)))

    def joined(self, enlarged: Tensor, fine: Tensor) -> Tensor:
        """Join two maps on the channel axis."""
        return torch.cat([enlarged, fine], dim=1)


class JoinedBackwards(SkipNetwork):
    """The same with the maps in the other order."""

    def joined(self, enlarged: Tensor, fine: Tensor) -> Tensor:
        """Join the fine map first."""
        return super().joined(fine, enlarged)


@dataclass(frozen=True)
class _Run:
    network: nn.Module
    training: bool

    def __call__(self, t: Tensors) -> Tensors:
        state = {name: value for name, value in t.items() if name != "image"}
        kept = {name: t[name].clone() for name in t if name.endswith(_STATISTICS)}
        output = functional_call(self.network.train(self.training), state | kept, (t["image"],))
        after = {f"after {name.replace('running_', '')}": value for name, value in kept.items()}
        return {"output": output} | (after if self.training else {})


def _draws() -> dict[str, Draw]:
    state = SkipNetwork().state_dict().items()
    shapes = {name: tuple(value.shape) for name, value in state if value.ndim}
    return {"image": Draw(_SIZE)} | {name: _draw(name, shape) for name, shape in shapes.items()}


def _draw(name: str, shape: tuple[int, ...]) -> Draw:
    if name.endswith("running_mean"):
        return Draw(shape, kind="constant")
    if name.endswith("running_var"):
        return Draw(shape, 0.5, 1.5, kind="constant")
    if name.endswith("norm.weight"):
        return Draw(shape, 0.5, 1.5)
    return Draw(shape, -0.5, 0.5)


def _case(training: bool) -> Case:
    run = partial(_Run, training=training)
    wrong = {
        "ReLU after BatchNorm": run(SkipNetwork("cna")),
        "joined backwards": run(JoinedBackwards()),
        "PyTorch's epsilon": run(KerasBatchNorm2d.convert(SkipNetwork(), eps=1e-5, momentum=0.1)),
    }
    if training:
        wrong["biased running variance"] = run(SkipNetwork(bessel=False))
    return chainer_case(
        name=f"model/chainer_skip_network/{'train' if training else 'eval'}",
        inputs=_draws(),
        ours=run(SkipNetwork()),
        reference="networks.skip_network",
        settings={"training": training},
        wrong=wrong,
        terms=2 * 6 * 10,
        depth=9,
    )


CASES = (_case(training=False), _case(training=True))
