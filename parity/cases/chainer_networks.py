"""The notes' segmentation networks, whose normalisation is made Chainer's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn
from torch.func import functional_call

from lit_restore.models import ConvSegmenter, PoolingSegmenter
from lit_restore.nn import KerasBatchNorm2d
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.cases import segmentation_errors as errors
from parity.cases.chainer_windows import chainer_case

Build = Callable[..., nn.Module]

_SIZE = (2, 3, 6, 10)
_STATISTICS = ("running_mean", "running_var")


def of_chainer(build: Build, eps: float = 2e-5, bessel: bool = True) -> nn.Module:
    """Make a network with Chainer's BatchNormalization."""
    return KerasBatchNorm2d.convert(build(), eps=eps, momentum=0.1, bessel=bessel)


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


def _draws(network: nn.Module) -> dict[str, Draw]:
    state = network.state_dict().items()
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


def _cases(name: str, build: Build, reference: str, **settings: Any) -> Iterator[Case]:
    network = of_chainer(build)
    depth = sum(isinstance(one, (nn.Conv2d, nn.ConvTranspose2d)) for one in network.modules())
    for training in (False, True):
        run = partial(_Run, training=training)
        wrong: dict[str, Ours] = {
            "ReLU after BatchNorm": run(errors.reordered(partial(of_chainer, build))),
            "PyTorch's epsilon": run(of_chainer(build, eps=1e-5)),
        }
        if settings.get("skip"):
            wrong["joined backwards"] = partial(errors.joined_backwards, run(network))
        if training:
            wrong["biased running variance"] = run(of_chainer(build, bessel=False))
        yield chainer_case(
            name=f"model/chainer_{name}/{'train' if training else 'eval'}",
            inputs=_draws(network),
            ours=run(network),
            reference=f"networks.{reference}",
            settings={"training": training, **settings},
            wrong=wrong,
            terms=2 * 6 * 10,
            depth=2 * depth,
        )


_SIX: Build = partial(ConvSegmenter, width=4, depth=6)
_TRANSPOSED: Build = partial(PoolingSegmenter, width=4, upsample="transposed")

CASES = (
    *_cases("conv_segmenter", _SIX, "conv_segmenter", depth=6),
    *_cases("pooling_segmenter", _TRANSPOSED, "pooling_segmenter", skip=False),
    *_cases("skip_segmenter", partial(_TRANSPOSED, skip=True), "pooling_segmenter", skip=True),
)
