"""Tests of lit_restore.tasks.pix2pix."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback, LightningDataModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.callbacks import ImageLogger
from lit_restore.checkpoints import load_network, read_description, save_network
from lit_restore.inference import Restorer
from lit_restore.losses import AdversarialLoss
from lit_restore.metrics import PSNR
from lit_restore.models import PatchDiscriminator, UNetGenerator
from lit_restore.nn import NormMode
from lit_restore.tasks import InceptionWeightsError, NonFiniteError, Pix2PixTask

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]
Adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
SIZE = 16


def _sample(index: int) -> Batch:
    generator = torch.Generator().manual_seed(index)
    target = torch.rand(3, SIZE, SIZE, generator=generator)
    return {"input": target.flip(0), "target": target, "path": f"{index}.png"}


def _batch(number: int, count: int = 2) -> Batch:
    samples = [_sample(count * number + index) for index in range(count)]
    pictures = {key: torch.stack([one[key] for one in samples]) for key in ("input", "target")}
    return {**pictures, "path": [one["path"] for one in samples]}


class _Data(LightningDataModule):
    """Batches of two in the order of their numbers."""

    batch_size = 2
    direction = "ba"

    def dataset(self, split: str) -> Any:
        return {(0, index): _sample(index) for index in range(8)}

    def train_dataloader(self) -> DataLoader[Any]:
        return _loader(20)

    def val_dataloader(self) -> DataLoader[Any]:
        return _loader(2)


class _Seed(Callback):
    """Begins with the dropout of the plain loop; a Trainer draws before it trains."""

    def on_train_start(self, *_: Any) -> None:
        torch.manual_seed(1)


def _loader(count: int) -> DataLoader[Any]:
    batches: Any = [_batch(number) for number in range(count)]
    return DataLoader(batches, batch_size=None, generator=torch.Generator())


def _networks(norm: Any) -> tuple[UNetGenerator, PatchDiscriminator]:
    torch.manual_seed(0)
    generator = UNetGenerator(widths=(4, 8, 8), norm=norm, dropout=0.5, dropout_stages=1)
    return generator, PatchDiscriminator(width=4, layers=2, norm=norm, condition_channels=3)


def _task(norm: Any = "batch", **options: Any) -> Pix2PixTask:
    defaults: dict[str, Any] = {"g_optimizer": Adam, "d_optimizer": Adam}
    return Pix2PixTask(*_networks(norm), **{**defaults, **options})


def _plain_loop(norm: Any, batches: int, accumulate: int = 1, clip: float | None = None) -> Any:
    """pix2pix written plainly; with BatchNorm real and fake are judged one after the other."""
    generator, discriminator = (
        one.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for one in _networks(norm)
    )
    torch.manual_seed(1)
    g_optimizer, d_optimizer = Adam(generator.parameters()), Adam(discriminator.parameters())
    bce = F.binary_cross_entropy_with_logits
    for number in range(batches):
        batch = _batch(number)
        source, target = (
            (2 * batch[key] - 1).contiguous(memory_format=torch.channels_last)
            for key in ("input", "target")
        )
        fake = generator(source)
        if norm == "batch":
            real, told = discriminator(target, source), discriminator(fake.detach(), source)
        else:
            both = torch.cat([target, fake.detach()]), torch.cat([source, source])
            real, told = discriminator(*both).chunk(2)
        d_loss = 0.5 * bce(real, torch.ones_like(real)) + 0.5 * bce(told, torch.zeros_like(told))
        due = (number + 1) % accumulate == 0
        (d_loss / accumulate).backward()
        _step(d_optimizer, discriminator, due, clip)
        scores = discriminator(fake, source)
        wins = bce(scores, torch.ones_like(scores))
        g_loss = wins + 100 * (fake - target).abs().mean()
        gradients = torch.autograd.grad(g_loss / accumulate, list(generator.parameters()))
        for parameter, gradient in zip(generator.parameters(), gradients, strict=True):
            gradient = torch.empty_like(parameter).copy_(gradient)
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        _step(g_optimizer, generator, due, clip)
    return generator, discriminator


def _step(optimizer: Any, network: nn.Module, due: bool, clip: float | None) -> None:
    if not due:
        return
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()


def _assert_same(one: nn.Module, other: nn.Module) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"accumulate": 4, "clip": 0.05}])
def test_twenty_batches_are_those_of_a_plain_loop(
    make_trainer: MakeTrainer, norm: Any, options: dict[str, Any]
) -> None:
    generator, discriminator = _plain_loop(norm, 20, **options)
    clip = {"gradient_clip_val": options["clip"]} if "clip" in options else {}
    task = _task(norm, accumulate=options.get("accumulate", 1), **clip)
    begun = _networks(norm)[0].state_dict()

    make_trainer(max_steps=20, callbacks=[_Seed()]).fit(task, _Data())

    _assert_same(task.generator, generator)
    _assert_same(task.discriminator, discriminator)
    assert not torch.equal(task.generator.state_dict()["head.weight"], begun["head.weight"])


def test_the_terms_and_the_metrics_are_logged(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_steps=2, val_check_interval=2)
    trainer.fit(_task(), _Data())
    terms = {"g_adversarial", "g_l1", "d_real", "d_fake"}
    assert set(trainer.callback_metrics) == {f"train/{name}" for name in terms} | {
        "val/psnr",
        "val/ssim",
    }
    assert trainer.global_step == 2


def test_a_penalty_is_added_for_wgan_gp_alone(make_trainer: MakeTrainer) -> None:
    for kind, expected in (("lsgan", False), ("hinge", False), ("wgan-gp", True)):
        trainer = make_trainer(max_steps=1)
        trainer.fit(_task("instance", adversarial=AdversarialLoss(kind)), _loader(1))  # type: ignore[arg-type]
        assert ("train/d_penalty" in trainer.callback_metrics) is expected


def test_without_an_adversarial_weight_the_discriminator_is_left_out() -> None:
    task = _task(adversarial_weight=0.0)
    (turn,) = task.turns(_batch(0))
    assert set(turn.terms) == {"g_l1"}


def test_what_was_translated_matters_to_a_conditional_discriminator_alone() -> None:
    torch.manual_seed(0)
    free = PatchDiscriminator(width=4, layers=2)
    for options, condition in (({"conditional": False}, False), ({}, True)):
        task = _task("instance", **options)
        if not condition:
            task.discriminator = free
        terms = []
        for source in (torch.zeros(1, 3, SIZE, SIZE), torch.ones(1, 3, SIZE, SIZE)):
            batch = {"input": source, "target": torch.full_like(source, 0.3)}
            terms.append(float(next(task.turns(batch)).terms["d_real"].detach()))
        assert (terms[0] != terms[1]) is condition


def test_the_generator_does_not_leave_gradients_in_the_discriminator() -> None:
    task = _task()
    for turn in task.turns(_batch(0)):
        if turn.optimizer == 0:
            task.zero_grad()
        torch.stack(list(turn.terms.values())).sum().backward()
    assert all(one.grad is None for one in task.discriminator.parameters())
    assert all(one.requires_grad for one in task.discriminator.parameters())
    assert all(one.grad is not None for one in task.generator.parameters())


@pytest.mark.parametrize("average", [None, 0.5])
@pytest.mark.parametrize("mode", ["running", "batch", "recalibrated"])
def test_prediction_uses_the_statistics_that_were_asked_for_and_a_checkpoint_remembers(
    make_trainer: MakeTrainer, tmp_path: Path, mode: NormMode, average: float | None
) -> None:
    task = _task(norm_mode=mode, ema_decay=average, calibration_batches=2)
    trainer = make_trainer(max_steps=3)
    trainer.fit(task, _Data())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    description = read_description(tmp_path / "a.ckpt")
    assert description["arguments"]["norm_mode"] == mode
    assert description["direction"] == "ba"
    loaded = load_network(tmp_path / "a.ckpt")
    task.eval()
    with torch.no_grad():
        one, two = _batch(50)["input"][:1], _batch(50)["input"]
        alone, beside = task(one), task(two)[:1]
    assert torch.equal(alone, beside) is (mode != "batch")
    torch.testing.assert_close(Restorer(loaded)(one[0]), alone[0])  # as the verbs restore

    fresh = _task(norm_mode=None, ema_decay=average)  # a config that says nothing of it
    predicted = make_trainer().predict(fresh, _loader(1), ckpt_path=tmp_path / "a.ckpt")
    assert predicted is not None
    with torch.no_grad():
        torch.testing.assert_close(predicted[0], task(_batch(0)["input"]))


def test_recalibrated_statistics_are_the_means_over_training_batches(
    make_trainer: MakeTrainer,
) -> None:
    task = _task(norm_mode="recalibrated", calibration_batches=2)
    make_trainer(max_steps=2, val_check_interval=2).fit(task, _Data())
    norm = next(one for one in task.generator.modules() if isinstance(one, nn.BatchNorm2d))
    seen: list[Tensor] = []
    handle = norm.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].mean((0, 2, 3)))
    )
    mean = norm.running_mean.clone()  # type: ignore[union-attr]
    with torch.no_grad():
        task.train()
        for number in range(2):
            task.generator(2 * _batch(number)["input"] - 1)
    handle.remove()
    torch.testing.assert_close(mean, torch.stack(seen).mean(0))


def test_recalibration_needs_a_datamodule(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ValueError, match="expected a DataModule with a dataset to read training"):
        make_trainer(max_steps=1).fit(_task(norm_mode="recalibrated"), _loader(1), _loader(1))


def test_a_norm_mode_without_batch_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="expected None for generator, which has none to switch"):
        _task("instance", norm_mode="batch")


def test_validation_measures_the_averaged_generator_in_unit_range(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task = _task(ema_decay=0.9)
    logger = CSVLogger(tmp_path, "log", "")
    trainer = make_trainer(
        max_steps=2, val_check_interval=2, logger=logger, callbacks=[ImageLogger(2)]
    )
    trainer.fit(task, _Data())
    average = task.tested.network("generator")
    with torch.no_grad():
        made = [(average(2 * _batch(i)["input"] - 1) + 1) / 2 for i in range(2)]
    values = [PSNR()(one, _batch(i)["target"]) for i, one in enumerate(made)]
    assert float(trainer.callback_metrics["val/psnr"]) == pytest.approx(
        float(torch.stack(values).mean()), abs=1e-4
    )
    assert not torch.equal(
        average.state_dict()["head.weight"], task.generator.state_dict()["head.weight"]
    )
    assert [path.name for path in (tmp_path / "log" / "images").iterdir()] == ["step_000002.png"]


def test_a_picture_that_is_not_finite_stops_the_training_and_is_named(
    make_trainer: MakeTrainer,
) -> None:
    batch = _batch(0)
    batch["target"][0, 0, 0, 0] = float("nan")
    loader: Any = DataLoader([batch], batch_size=None)  # type: ignore[arg-type]
    with pytest.raises(NonFiniteError, match=r"d_real is nan.*the batch's target.*0\.png"):
        make_trainer(max_steps=1).fit(_task("instance"), loader)


def test_a_generator_that_overflows_is_named(make_trainer: MakeTrainer) -> None:
    task = _task("instance")
    with torch.no_grad():
        next(task.generator.parameters())[:] = 1e38
    with pytest.raises(NonFiniteError, match=r"first not finite: the output of generator\."):
        make_trainer(max_steps=1).fit(task, _loader(1))


def test_one_picture_a_batch_is_enough(make_trainer: MakeTrainer) -> None:
    samples: Any = [_batch(number, 1) for number in range(2)]
    for norm in ("batch", "instance", "layer", "group"):
        make_trainer(max_steps=2).fit(_task(norm), DataLoader(samples, batch_size=None))


@pytest.mark.parametrize("content", [None, b"junk"], ids=["missing", "broken"])
def test_inception_s_weights_are_looked_at_before_anything_is_trained(
    make_trainer: MakeTrainer, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "inception.pth"
    if content is not None:
        path.write_bytes(content)
    task = _task(inception=path)
    with pytest.raises(InceptionWeightsError, match=r"^inception: "):
        make_trainer(max_steps=1).fit(task, _loader(1))
    assert task.trainer.global_step == 0


def test_a_checkpoint_of_the_other_direction_is_refused(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(_task(), _Data())  # whose direction is ba
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    other = _Data()
    other.direction = "ab"
    with pytest.raises(ValueError, match="the checkpoint learned direction ba, got data of ab"):
        make_trainer(max_steps=2).fit(_task(), other, ckpt_path=tmp_path / "a.ckpt")


def test_a_direction_outlives_saving_and_loading(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(_task(), _Data())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    save_network(load_network(tmp_path / "a.ckpt"), tmp_path / "b.safetensors")
    assert read_description(tmp_path / "b.safetensors")["direction"] == "ba"
