"""Tests of lit_restore.tasks.cyclegan."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.callbacks import ImageLogger
from lit_restore.checkpoints import load_network
from lit_restore.losses import AdversarialLoss
from lit_restore.models import PatchDiscriminator, UNetGenerator
from lit_restore.nn import ImagePool
from lit_restore.tasks import CycleGANTask

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]
Adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
ROLES = ("g_ab", "g_ba", "d_a", "d_b")
SIZE = 16


def _batch(number: int, count: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(number)
    a, b = torch.rand(2, count, 3, SIZE, SIZE, generator=generator)
    return {"a": a, "b": b, "path": [f"{number}_{index}.png" for index in range(count)]}


def _loader(count: int) -> DataLoader[Any]:
    batches: Any = [_batch(number) for number in range(count)]
    return DataLoader(batches, batch_size=None)


def _networks(norm: Any = "instance") -> list[nn.Module]:
    torch.manual_seed(0)
    generators = [UNetGenerator(widths=(4, 8), norm=norm, dropout=0.0) for _ in range(2)]
    return [*generators, *(PatchDiscriminator(width=4, layers=1, norm=norm) for _ in range(2))]


def _task(norm: Any = "instance", **options: Any) -> CycleGANTask:
    defaults: dict[str, Any] = {"g_optimizer": Adam, "d_optimizer": Adam, "pool_size": 3}
    return CycleGANTask(*_networks(norm), **{**defaults, **options})


class _Plain:
    """CycleGAN written plainly; samples that BatchNorm would mix go one after the other."""

    def __init__(self, norm: Any, accumulate: int = 1, clip: float | None = None) -> None:
        last = torch.channels_last
        self.networks = [one.to(memory_format=last) for one in _networks(norm)]  # type: ignore[call-overload]
        self.joint, self.accumulate, self.clip = norm != "batch", accumulate, clip
        pairs = self.networks[:2], self.networks[2:]
        self.parameters = [[p for network in pair for p in network.parameters()] for pair in pairs]
        self.optimizers = [Adam(parameters) for parameters in self.parameters]
        self.pools = ImagePool(3, seed=0), ImagePool(3, seed=1)

    def batch(self, number: int, apart: bool) -> None:
        """Step the discriminators, then the generators."""
        g_ab, g_ba, d_a, d_b = self.networks
        batch, due = _batch(number), (number + 1) % self.accumulate == 0
        a, b = (
            (2 * batch[side] - 1).contiguous(memory_format=torch.channels_last) for side in "ab"
        )
        fake_b, same_b = self._both(g_ab, a, b)
        fake_a, same_a = self._both(g_ba, b, a)
        sides = ((d_a, a, self.pools[0](fake_a)), (d_b, b, self.pools[1](fake_b)))
        for loss in self._told_apart(sides) if apart else self._told(sides):
            self._step(1, loss, due)
        loss = (d_a(fake_a) - 1).square().mean() + (d_b(fake_b) - 1).square().mean()
        loss = loss + 10 * (g_ba(fake_b) - a).abs().mean() + 10 * (g_ab(fake_a) - b).abs().mean()
        loss = loss + 5 * (same_a - a).abs().mean() + 5 * (same_b - b).abs().mean()
        self._step(0, loss, due)

    def _told_apart(self, sides: Any) -> Any:
        for which, truth in ((1, 1.0), (2, 0.0)):
            costs = [0.5 * (side[0](side[which]) - truth).square().mean() for side in sides]
            yield costs[0] + costs[1]

    def _told(self, sides: Any) -> Any:
        costs: list[Tensor] = []
        for judge, real, fake in sides:
            on_real, on_fake = self._both(judge, real, fake)
            costs += [0.5 * (on_real - 1).square().mean(), 0.5 * on_fake.square().mean()]
        yield costs[0] + costs[1] + costs[2] + costs[3]

    def _both(self, network: nn.Module, one: Tensor, other: Tensor) -> Any:
        if self.joint:
            return network(torch.cat([one, other])).chunk(2)
        return network(one), network(other)

    def _step(self, which: int, loss: Tensor, due: bool) -> None:
        parameters, optimizer = self.parameters[which], self.optimizers[which]
        gradients = torch.autograd.grad(loss / self.accumulate, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            gradient = torch.empty_like(parameter).copy_(gradient)
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        if due:
            if self.clip is not None:
                torch.nn.utils.clip_grad_norm_(parameters, self.clip)
            optimizer.step()
            optimizer.zero_grad()


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize(
    "options", [{}, {"accumulate": 2}, {"accumulate": 4, "clip": 0.05}, {"apart": True}]
)
def test_twenty_batches_are_those_of_a_plain_loop(
    make_trainer: MakeTrainer, norm: Any, options: dict[str, Any]
) -> None:
    options = dict(options)
    apart, begun = options.pop("apart", False), _networks(norm)
    plain = _Plain(norm, **options)
    for number in range(20):
        plain.batch(number, apart)
    clip = {"gradient_clip_val": options["clip"]} if "clip" in options else {}
    update: Any = {"discriminator_update": "apart"} if apart else {}
    task = _task(norm, accumulate=options.get("accumulate", 1), **clip, **update)

    make_trainer(max_steps=20).fit(task, _loader(20))

    for role, network, first in zip(ROLES, plain.networks, begun, strict=True):
        trained = task.get_submodule(role).state_dict()
        for name, value in network.state_dict().items():
            torch.testing.assert_close(trained[name], value, rtol=0, atol=0, msg=f"{role}.{name}")
        kernels = [name for name in trained if name.endswith("weight")]
        assert not any(torch.equal(trained[name], first.state_dict()[name]) for name in kernels)


def test_all_terms_are_logged_and_both_cycles_are_measured(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(_task(), _loader(1), _loader(1))
    terms = {f"g_{kind}_{side}" for kind in ("adversarial", "cycle", "identity") for side in "ab"}
    terms |= {f"d_{side}_{which}" for side in "ab" for which in ("real", "fake")}
    expected = {f"train/{name}" for name in terms} | {"val/cycle_a", "val/cycle_b"}
    assert set(trainer.callback_metrics) == expected


def test_a_perfect_pair_of_generators_has_no_cycle_left(make_trainer: MakeTrainer) -> None:
    task = CycleGANTask(_Negative(), _Negative(), *_networks()[2:])
    (measured,) = make_trainer().validate(task, _loader(2), verbose=False)
    assert measured == pytest.approx({"val/cycle_a": 0.0, "val/cycle_b": 0.0}, abs=1e-6)


class _Negative(nn.Module):
    """Undoes itself."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(-1.0))

    def forward(self, image: Tensor) -> Tensor:
        return self.factor * image


def test_without_an_identity_weight_no_identity_is_made() -> None:
    task = _task(identity_weight=0.0)
    seen: list[int] = []
    task.g_ab.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    turns = [set(turn.terms) for turn in task.turns(_batch(0))]
    assert seen == [1, 1]
    assert not any("identity" in name for name in turns[1])


def test_sides_of_different_sizes_train(make_trainer: MakeTrainer) -> None:
    batch = _batch(0) | {"b": torch.rand(1, 3, 2 * SIZE, SIZE)}
    loader: Any = DataLoader([batch], batch_size=None)  # type: ignore[arg-type]
    trainer = make_trainer(max_steps=1)
    trainer.fit(_task(), loader)
    assert trainer.global_step == 1


def test_a_discriminator_is_shown_what_the_pool_gives(make_trainer: MakeTrainer) -> None:
    task = _task(pool_size=1)
    fakes: list[Tensor] = []
    shown: list[Tensor] = []
    task.g_ba.register_forward_hook(lambda *call: fakes.append(call[2].detach()[:1]))
    task.d_a.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0].detach()[1:]))
    make_trainer(max_steps=12).fit(task, _loader(12))
    newest = fakes[::2]  # every other call goes back
    given = [one for one in shown if len(one)]  # of real and fake, not of the fake alone
    matches = [
        next(at for at, fake in enumerate(newest) if torch.equal(fake, one)) for one in given
    ]
    assert any(at < number for number, at in enumerate(matches))  # an old one comes back
    assert any(at == number for number, at in enumerate(matches[1:], start=1))


def test_both_generators_are_found_in_a_checkpoint(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task = _task(ema_decay=0.5)
    trainer = make_trainer(max_steps=3)
    trainer.fit(task, _loader(3))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    image = torch.rand(1, 3, SIZE, SIZE)
    for role, direction in (("g_ab", "ab"), ("g_ba", "ba")):
        loaded = load_network(tmp_path / "a.ckpt", role)
        with torch.no_grad():
            made = ((loaded(2 * image - 1) + 1) / 2).clamp(0, 1)
            torch.testing.assert_close(task(image, direction), made)  # type: ignore[arg-type]
        trained = task.get_submodule(role).state_dict()
        assert not torch.equal(loaded.state_dict()["head.weight"], trained["head.weight"])


@pytest.mark.parametrize("direction", ["ab", "ba"])
def test_prediction_goes_in_the_direction_asked_for(
    make_trainer: MakeTrainer, direction: Any
) -> None:
    task = _task(direction=direction)
    predicted = make_trainer().predict(task, _loader(1))
    assert predicted is not None
    with torch.no_grad():
        expected = task(_batch(0)[direction[0]], direction)
    torch.testing.assert_close(predicted[0], expected)


def test_predictions_have_the_names_of_what_was_translated() -> None:
    task = _task(direction="ba").eval()
    batch = _batch(0) | {"path": ["a.png"], "path_a": ["a.png"], "path_b": ["b.png"]}
    with torch.no_grad():
        task.predict_step(batch, 0)
    assert batch["path"] == ["b.png"]
    del batch["b"]
    with pytest.raises(ValueError, match="direction ba translates pictures of kind b: none"):
        task.predict_step(batch, 0)


def test_the_grid_shows_both_kinds_there_and_back(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task, batch = _task().eval(), _batch(0)
    with torch.no_grad():
        pictures, translated, back = task.image_columns(batch)
        assert torch.equal(pictures, torch.cat([batch["a"], batch["b"]]))
        torch.testing.assert_close(translated[:1], task(batch["a"], "ab"))
        torch.testing.assert_close(back[1:], task(task(batch["b"], "ba"), "ab"))
    logger = CSVLogger(tmp_path, "log", "")
    make_trainer(logger=logger, callbacks=[ImageLogger(1)]).validate(
        task, _loader(1), verbose=False
    )
    assert len(list((tmp_path / "log" / "images").iterdir())) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"discriminator_update": "both"}, "must be 'together' or 'apart', got 'both'"),
        ({"direction": "aa"}, "direction must be 'ab' or 'ba', got 'aa'"),
        (
            {"discriminator_update": "apart", "adversarial": AdversarialLoss("wgan-gp")},
            "the penalty of 'wgan-gp' needs discriminator_update 'together'",
        ),
        ({"pool_size": -1}, "size must be at least 0, got -1"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _task(**options)


def test_every_kind_of_score_trains(make_trainer: MakeTrainer) -> None:
    kinds: Any = ("bce", "lsgan", "hinge", "wgan-gp")
    for kind in kinds:
        task = _task(adversarial=AdversarialLoss(kind))
        make_trainer(max_steps=2).fit(task, _loader(2))
        parameters = chain(task.g_ab.parameters(), task.d_a.parameters())
        assert all(one.isfinite().all() for one in parameters)
