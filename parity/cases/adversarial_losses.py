"""Losses of a discriminator's scores, in all kinds, and the gradient penalty."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses import AdversarialLoss, gradient_penalty
from lit_restore.losses.adversarial import AdversarialKind
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import kernel_to_torch, to_torch

_SCORES = (2, 3, 5, 1)
_COUNT, _HEIGHT, _WIDTH, _HIDDEN = 2, 6, 7, 4

Cost = Callable[[Tensor], Tensor]
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor, Tensor], Tensor]


def cost(kind: AdversarialKind, of: str) -> Cost:
    """AdversarialLoss, as the discriminator or the generator pays for scores."""
    loss = AdversarialLoss(kind)
    return loss.generator if of == "generator" else partial(loss, real=of == "real")


def scored(t: Tensors, by: Cost) -> Tensors:
    """What the logits cost by a function."""
    return {"output": by(t["logits"]).reshape(1)}


def as_real(logits: Tensor) -> Tensor:
    """The hinge of real pictures, which lets a generator that fools enough be content."""
    return AdversarialLoss("hinge")(logits, real=True)


def minimax(logits: Tensor) -> Tensor:
    """Minus what fakes cost the discriminator: the form that saturates."""
    return -AdversarialLoss("bce")(logits, real=False)


def squared_hinge(logits: Tensor, sign: float) -> Tensor:
    """The hinge's square, as in keras.losses.SquaredHinge."""
    return F.relu(1 - sign * logits).square().mean()


def _wrong(kind: AdversarialKind, of: str) -> Mapping[str, Cost]:
    right = cost(kind, of)
    swapped = cost(kind, "fake" if of != "fake" else "real")
    wrong: dict[str, Cost] = {
        "the notes' ones for fakes" if of == "fake" else "the other label": swapped,
        "a sigmoid first": lambda logits: right(logits.sigmoid()),
        "the sum of the scores": lambda logits: right(logits) * logits.numel(),
    }
    if kind == "lsgan":
        wrong["half of it"] = lambda logits: right(logits) / 2
    if kind == "bce" and of == "generator":
        wrong["the form that saturates"] = minimax
    if kind == "hinge":
        sign = -1.0 if of == "fake" else 1.0
        wrong["squared"] = partial(squared_hinge, sign=sign)
    if kind == "hinge" and of == "generator":
        wrong["as of real pictures"] = as_real
    return wrong


def _score_case(kind: AdversarialKind, of: str) -> Case:
    return Case(
        name=f"loss/adversarial/{kind}/{of}",
        inputs={"logits": Draw(_SCORES, -3.0, 3.0)},
        ours=partial(scored, by=cost(kind, of)),
        reference="adversarial_losses.score",
        settings={"kind": kind, "of": of},
        wrong={name: partial(scored, by=by) for name, by in _wrong(kind, of).items()},
        terms=2 * 3 * 5,
    )


def penalised(t: Tensors, penalty: Penalty = gradient_penalty) -> Tensors:
    """The penalty of two convolutions with a tanh between."""
    first, second = kernel_to_torch(t["first"]), kernel_to_torch(t["second"])

    def critic(image: Tensor) -> Tensor:
        return F.conv2d(torch.tanh(F.conv2d(image, first, t["bias"], padding="same")), second)

    pictures = to_torch(t["real"]), to_torch(t["fake"])
    return {"output": penalty(critic, *pictures, to_torch(t["mixing"])).reshape(1)}


def _slopes(scores: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    image = image.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(scores(image).sum(), image, create_graph=True)
    return slopes


def _from(shape: Callable[[Tensor], Tensor], summed: bool = False) -> Ours:
    """Make a penalty of the slopes between real and fake; of the sum of a map's scores perhaps."""

    def penalty(
        judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor
    ) -> Tensor:
        def scores(image: Tensor) -> Tensor:
            values = judge(image).flatten(1)
            return values.sum(1) if summed else values.mean(1)

        return shape(_slopes(scores, fake + mixing * (real - fake)))

    return partial(penalised, penalty=penalty)


def _at_real(
    judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor
) -> Tensor:
    return gradient_penalty(judge, real, real, mixing)


def _swapped(
    judge: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mixing: Tensor
) -> Tensor:
    return gradient_penalty(judge, real, fake, 1 - mixing)


def _norm(slopes: Tensor) -> Tensor:
    return slopes.flatten(1).norm(dim=1)


_PICTURES = (_COUNT, _HEIGHT, _WIDTH, 3)
_PENALTY = Case(
    name="loss/gradient_penalty",
    inputs={
        "real": Draw(_PICTURES, kind="constant"),
        "fake": Draw(_PICTURES, kind="constant"),
        "mixing": Draw((_COUNT, 1, 1, 1), 0.0, 1.0, kind="constant"),
        "first": Draw((3, 3, 3, _HIDDEN)),
        "bias": Draw((_HIDDEN,)),
        "second": Draw((3, 3, _HIDDEN, 1), -0.3, 0.3),  # slopes below 1
    },
    ours=penalised,
    reference="adversarial_losses.gradient_penalty",
    wrong={
        "of each pixel": _from(lambda slopes: (slopes.norm(dim=1) - 1).square().mean()),
        "of the batch": _from(lambda slopes: (slopes.norm() - 1).square()),
        "one-sided": _from(lambda slopes: F.relu(_norm(slopes) - 1).square().mean()),
        "of the squared norm": _from(lambda slopes: (_norm(slopes).square() - 1).square().mean()),
        "of the scores' sum": _from(
            lambda slopes: (_norm(slopes) - 1).square().mean(), summed=True
        ),
        "at real pictures": partial(penalised, penalty=_at_real),
        "mixed the other way": partial(penalised, penalty=_swapped),
    },
    terms=_COUNT * _HEIGHT * _WIDTH * _HIDDEN,
    depth=6,  # there, back, and back again
)

_KINDS: tuple[AdversarialKind, ...] = ("bce", "lsgan", "hinge", "wgan-gp")
CASES = (
    *(_score_case(kind, of) for kind in _KINDS for of in ("real", "fake", "generator")),
    _PENALTY,
)
