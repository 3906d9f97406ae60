"""Metrics; TensorFlow computes both in float32 whatever it is given."""

import torch.nn.functional as F
from torch import Tensor

from lit_restore.metrics import psnr, ssim
from parity.arrays import Draw
from parity.case import Case
from parity.cases.losses import pair


def _pooled(prediction: Tensor, target: Tensor) -> Tensor:
    error = (prediction - target).square().mean().expand(len(target))
    return -10 * error.log10()


def _reflected(prediction: Tensor, target: Tensor) -> Tensor:
    border = (5, 5, 5, 5)
    return ssim(F.pad(prediction, border, "reflect"), F.pad(target, border, "reflect"))


_FLOAT32 = "TensorFlow computes it in float32 whatever it is given"

_PAIR = {
    "prediction": Draw((2, 14, 17, 3), 0.0, 1.0),
    "target": Draw((2, 14, 17, 3), 0.0, 1.0),
}

CASES = (
    Case(
        name="metric/psnr",
        inputs=_PAIR,
        ours=pair(psnr),
        reference="metrics.psnr",
        wrong={
            "pooled over the batch": pair(_pooled),
            "a peak of 2": pair(lambda prediction, target: psnr(prediction, target, 2.0)),
        },
        terms=14 * 17 * 3,
        precision="float32",
        accepted=_FLOAT32,
    ),
    Case(
        name="metric/ssim",
        inputs=_PAIR,
        ours=pair(ssim),
        reference="metrics.ssim",
        wrong={
            "reflected border": pair(_reflected),
            "a peak of 2": pair(lambda prediction, target: ssim(prediction, target, 2.0)),
        },
        terms=11**2,
        depth=3,
        precision="float32",
        accepted=_FLOAT32,
    ),
)
