"""Tests of lit_restore.tasks.super_resolution_gan."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader

from lit_restore.callbacks import ImageLogger, ImageWriter
from lit_restore.checkpoints import load_network, save_network
from lit_restore.losses import AdversarialLoss, FeatureLoss
from lit_restore.metrics import PSNR
from lit_restore.models import SRDiscriminator, SRResNet
from lit_restore.tasks import SuperResolutionGANTask

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]
Adam = partial(torch.optim.Adam, lr=1e-3)


def _batch(seed: int = 0, count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(count, 3, 16, 16, generator=generator)
    names = [f"{seed}_{index}.png" for index in range(count)]
    return {"input": F.avg_pool2d(target, 4), "target": target, "path": names}


def _loader(count: int) -> DataLoader[Any]:
    return DataLoader([_batch(seed) for seed in range(count)], batch_size=None)  # type: ignore[arg-type]


def _task(output: Any = "linear", **options: Any) -> SuperResolutionGANTask:
    torch.manual_seed(0)
    features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    generator = SRResNet(width=4, depth=1, output=output)
    discriminator = SRDiscriminator(width=2)
    defaults: dict[str, Any] = {"g_optimizer": Adam, "d_optimizer": Adam}
    return SuperResolutionGANTask(
        generator, discriminator, FeatureLoss(features), **{**defaults, **options}
    )


def _plain_gradients(task: SuperResolutionGANTask, batch: Batch, share: float = 1.0) -> None:
    """Add both networks' gradients as a plain loop takes them, for networks in unit range."""
    fake = task.generator(batch["input"].contiguous(memory_format=torch.channels_last))
    target = batch["target"].contiguous(memory_format=torch.channels_last)
    real, scores = task.discriminator(target * 2 - 1), task.discriminator(fake * 2 - 1)
    bce = F.binary_cross_entropy_with_logits
    g_loss = task.perceptual(fake, target) + 1e-3 * bce(scores, torch.ones_like(scores))
    d_loss = bce(real, torch.ones_like(real)) + bce(scores, torch.zeros_like(scores))
    networks = (task.generator, g_loss), (task.discriminator, d_loss)
    for network, loss in networks:
        parameters = list(network.parameters())
        gradients = torch.autograd.grad(loss * share, parameters, retain_graph=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            gradient = torch.empty_like(parameter).copy_(gradient)  # in the parameter's order
            old = parameter.grad
            parameter.grad = gradient if old is None else old + gradient


def _plain_loop(
    task: SuperResolutionGANTask, steps: int, clip: float | None = None, accumulate: int = 1
) -> None:
    optimizers = [Adam(task.generator.parameters()), Adam(task.discriminator.parameters())]
    for step in range(steps):
        _plain_gradients(task, _batch(step), 1 / accumulate)
        if (step + 1) % accumulate:
            continue
        for network in (task.generator, task.discriminator):
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()


def _assert_same(one: nn.Module, other: nn.Module, **tolerance: float) -> None:
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], **tolerance, msg=name)


@pytest.mark.parametrize(
    ("ours", "plain"),
    [({}, {}), ({"gradient_clip_val": 0.01}, {"clip": 0.01}), ({"accumulate": 2},) * 2],
    ids=["plain", "clipped", "accumulated"],
)
def test_four_batches_are_those_of_a_plain_loop(
    make_trainer: MakeTrainer, ours: dict[str, Any], plain: dict[str, Any]
) -> None:
    task, reference, begun = _task(**ours), _task(), _task()
    reference.train()
    _plain_loop(reference, 4, **plain)

    make_trainer(max_steps=4).fit(task, _loader(4))

    exact = {} if "accumulate" in ours else {"rtol": 0.0, "atol": 0.0}  # sums in another order
    _assert_same(task.generator, reference.generator, **exact)
    _assert_same(task.discriminator, reference.discriminator, **exact)
    with pytest.raises(AssertionError):
        _assert_same(task.generator, begun.generator)


def test_a_validation_amid_an_accumulation_changes_nothing(make_trainer: MakeTrainer) -> None:
    tasks = [_task(accumulate=2) for _ in range(2)]
    make_trainer(max_steps=2, val_check_interval=1).fit(tasks[0], _loader(2), _loader(1))
    make_trainer(max_steps=2).fit(tasks[1], _loader(2))

    _assert_same(tasks[0].generator, tasks[1].generator, rtol=0, atol=0)


def test_fused_optimizers_are_clipped_in_bf16(make_trainer: MakeTrainer) -> None:
    sgd = partial(torch.optim.SGD, lr=1.0, fused=True)
    task = _task(g_optimizer=sgd, d_optimizer=sgd, gradient_clip_val=1e-3)
    begun = copy.deepcopy(task)
    make_trainer(max_steps=1, precision="bf16-mixed").fit(task, _loader(1))
    for name in ("generator", "discriminator"):
        steps = [
            (after - before).detach().square().sum()
            for before, after in zip(
                getattr(begun, name).parameters(), getattr(task, name).parameters(), strict=True
            )
        ]
        assert float(sum(steps)) ** 0.5 == pytest.approx(1e-3, rel=1e-2)


def test_clipping_changes_what_is_learned(make_trainer: MakeTrainer) -> None:
    tasks = [_task(g_optimizer=torch.optim.SGD, gradient_clip_val=clip) for clip in (None, 1e-6)]
    for task in tasks:
        make_trainer(max_steps=1).fit(task, _loader(1))
    moved = [
        max((a - b).abs().max() for a, b in zip(t.generator.parameters(), _weights(), strict=True))
        for t in tasks
    ]
    assert moved[1] <= 1e-9 < moved[0]


def _weights() -> list[nn.Parameter]:
    return list(_task().generator.parameters())


def test_the_discriminator_sees_each_picture_once(make_trainer: MakeTrainer) -> None:
    task = _task()
    seen: list[Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    make_trainer(max_steps=1).fit(task, _loader(1))

    assert len(seen) == 2
    torch.testing.assert_close(seen[0], _batch()["target"] * 2 - 1)
    assert int(task.discriminator.norms[0].num_batches_tracked) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"ema_decay": 0.9}])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_step_is_a_batch_for_everything_that_counts(
    make_trainer: MakeTrainer, tmp_path: Path, options: dict[str, Any], precision: str
) -> None:
    task = _task(scheduler=partial(ExponentialLR, gamma=0.5), **options)
    saving = ModelCheckpoint(tmp_path / "kept", "{step}", every_n_train_steps=2, save_top_k=-1)
    logger = CSVLogger(tmp_path, "log", "")
    trainer = make_trainer(
        max_steps=5, precision=precision, logger=logger, callbacks=[saving],
        enable_checkpointing=True,
    )  # fmt: skip

    trainer.fit(task, _loader(3))

    assert trainer.global_step == 5
    assert trainer.fit_loop.epoch_loop.batch_progress.total.ready == 5
    assert sorted(path.name for path in tmp_path.rglob("*.ckpt")) == ["step=2.ckpt", "step=4.ckpt"]
    assert (tmp_path / "log" / "metrics.csv").read_text().count("\n") == 6
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == pytest.approx([1e-3 * 0.5**5] * 2)
    updates = 5 // options.get("accumulate", 1)
    assert {int(s["step"]) for o in trainer.optimizers for s in o.state.values()} == {updates}
    assert all(one.isfinite().all() for one in task.parameters())


def test_the_named_terms_are_logged_and_their_sum_is_not(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_steps=1)

    trainer.fit(_task(pixel_weight=0.1), _loader(1), _loader(1))

    terms = {"g_perceptual", "g_pixel", "g_adversarial", "d_real", "d_fake"}
    expected = {f"train/{name}" for name in terms} | {"val/psnr", "val/ssim"}
    assert set(trainer.callback_metrics) == expected


def test_terms_carry_their_weights() -> None:
    one, other = _task(pixel_weight=0.5), _task(pixel_weight=1.0, adversarial_weight=1.0)
    terms, _ = one.train().losses(_batch())
    doubled, _ = other.train().losses(_batch())

    torch.testing.assert_close(doubled["g_pixel"], 2 * terms["g_pixel"])
    torch.testing.assert_close(doubled["g_adversarial"], 1000 * terms["g_adversarial"])
    torch.testing.assert_close(doubled["d_fake"], terms["d_fake"])


class _Recorder(nn.Module):
    """Returns a number, and notes what it is called with."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        self.seen = [prediction.detach(), target]
        return (prediction - target).square().mean()


@pytest.mark.parametrize("ranges", ["converted", "mixed"])
def test_a_signed_generator_meets_the_target_as_asked_for(ranges: Any) -> None:
    recorder = _Recorder()
    task = _task("tanh", pixel=recorder, pixel_weight=1.0, ranges=ranges).eval()
    judged: list[Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: judged.append(inputs[0]))
    batch = _batch()

    task.losses(batch)

    made = task.generator(batch["input"])
    fake, target = recorder.seen
    converted = ranges == "converted"
    torch.testing.assert_close(target, batch["target"])
    torch.testing.assert_close(fake, (made + 1) / 2 if converted else made)
    torch.testing.assert_close(judged[0], 2 * target - 1 if converted else target)
    torch.testing.assert_close(judged[1].detach(), made)
    torch.testing.assert_close(task(batch["input"]), fake.clamp(0, 1))


def test_pre_training_moves_the_generator_alone(make_trainer: MakeTrainer) -> None:
    task, begun = _task(pretrain_steps=2), _task()
    trainer = make_trainer(max_steps=2)

    trainer.fit(task, _loader(2))

    assert set(trainer.callback_metrics) == {"train/g_pixel"}
    _assert_same(task.discriminator, begun.discriminator, rtol=0, atol=0)
    with pytest.raises(AssertionError):
        _assert_same(task.generator, begun.generator)

    longer = make_trainer(max_steps=3)
    longer.fit(task, _loader(3))
    assert "train/d_fake" in longer.callback_metrics
    with pytest.raises(AssertionError):
        _assert_same(task.discriminator, begun.discriminator)


def test_the_generator_begins_with_the_weights_of_a_file(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trained = SRResNet(width=4, depth=1)
    save_network(trained, tmp_path / "trained.safetensors")
    still = partial(torch.optim.SGD, lr=0.0)
    options = {"generator_weights": tmp_path / "trained.safetensors", "g_optimizer": still}
    task = _task(**options, ema_decay=0.5)

    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _loader(1))

    for one, other in zip(task.generator.parameters(), trained.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(task.average.parameters(), trained.parameters(), strict=True):  # type: ignore[union-attr]
        torch.testing.assert_close(one, other)

    trainer.save_checkpoint(tmp_path / "a.ckpt")
    (tmp_path / "trained.safetensors").unlink()  # a run that goes on needs it no more
    make_trainer(max_steps=2).fit(
        _task(**options, ema_decay=0.5), _loader(2), ckpt_path=tmp_path / "a.ckpt"
    )


def test_weights_of_another_generator_are_refused(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_network(SRResNet(width=4, depth=2), path)

    with pytest.raises(ValueError, match=r"generator_weights: .* depth=1, got one with depth=2"):
        make_trainer(max_steps=1).fit(_task(generator_weights=path), _loader(1))


def test_the_averaged_generator_is_what_users_get(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task, path = _task(ema_decay=0.5), tmp_path / "a.ckpt"
    seen = [_task().generator.state_dict()]

    class Keep(SuperResolutionGANTask):
        def on_train_batch_end(self, *_: Any) -> None:
            seen.append({k: v.clone() for k, v in self.generator.state_dict().items()})

    task.__class__ = Keep
    trainer = make_trainer(max_steps=3)
    trainer.fit(task, _loader(3))
    trainer.save_checkpoint(path)

    average = dict(seen[0])
    for step, now in enumerate(seen[1:], start=1):
        decay = min(0.5, (1 + step) / (10 + step))
        for name, value in now.items():
            count = not value.is_floating_point()
            average[name] = value if count else decay * average[name] + (1 - decay) * value
    loaded, image = load_network(path), _batch(7)["input"]
    for name, value in loaded.state_dict().items():
        torch.testing.assert_close(value, average[name], msg=name)
    with torch.no_grad():
        expected = loaded(image).clamp(0, 1)
        torch.testing.assert_close(task(image), expected)
        task.train()
        torch.testing.assert_close(task(image), expected)  # in eval mode whatever the task is in
        assert not torch.allclose(task.generator.eval()(image).clamp(0, 1), expected)


def test_without_an_average_a_checkpoint_gives_the_generator(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task = _task("tanh", ranges="mixed")
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _loader(1))
    trainer.save_checkpoint(tmp_path / "a.ckpt")

    _assert_same(load_network(tmp_path / "a.ckpt"), task.generator, rtol=0, atol=0)
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert content["lit_restore"]["networks"]["generator"]["value_range"] == "unit"
    assert not any(name.startswith("perceptual") for name in content["state_dict"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gradient_clip_val": 0.5}, "expected no trainer.gradient_clip_val, got 0.5; give the"),
        ({"accumulate_grad_batches": 2}, "got 2; give the task accumulate = 2"),
        (
            {"plugins": MixedPrecision("16-mixed", "cpu")},
            "expected trainer.precision 32-true or bf16-mixed",
        ),
    ],
)
def test_what_the_trainer_cannot_do_here_is_refused(
    make_trainer: MakeTrainer, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_trainer(max_steps=1, **options).fit(_task(), _loader(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "paper"}, "protocol must be y, rgb or null, got 'paper'"),
        ({"ranges": "both"}, "ranges must be 'converted' or 'mixed', got 'both'"),
        ({"pretrain_steps": -1}, "pretrain_steps must be at least 0, got -1"),
        ({"accumulate": 0}, "accumulate must be at least 1 batch, got 0"),
        ({"gradient_clip_val": 0.0}, r"gradient_clip_val must be above 0, got 0\.0"),
        ({"ema_decay": 1.0}, r"at least 0 and below 1, got 1\.0"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _task(**options)


def test_a_generator_of_the_luma_is_refused() -> None:
    with pytest.raises(ValueError, match="must read RGB, 3 channels, got one of 1"):
        SuperResolutionGANTask(SRResNet(in_channels=1, width=4, depth=1), SRDiscriminator(width=2))


def test_validation_measures_clipped_pictures_and_shows_them(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task = _task()
    with torch.no_grad():
        task.generator.head.bias += 2  # type: ignore[union-attr, operator]
    logger = CSVLogger(tmp_path, "log", "")
    trainer = make_trainer(logger=logger, callbacks=[ImageLogger(2)])

    (measured,) = trainer.validate(task, _loader(2), verbose=False)

    with torch.no_grad():
        clipped = [task.eval().generator(_batch(i)["input"]).clamp(0, 1) for i in range(2)]
    values = [PSNR()(one, _batch(i)["target"]) for i, one in enumerate(clipped)]
    assert measured["val/psnr"] == pytest.approx(float(torch.stack(values).mean()))
    assert [p.name for p in (tmp_path / "log" / "images").iterdir()] == ["step_000000.png"]


def test_predictions_are_written_as_pictures(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer(callbacks=[ImageWriter(str(tmp_path / "out"))])

    predicted = trainer.predict(_task(), _loader(1))

    assert predicted is not None
    assert predicted[0].shape == (2, 3, 16, 16)  # type: ignore[union-attr]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0_0.png", "0_1.png"]


def test_the_generators_hinge_is_never_content() -> None:
    task = _task(adversarial=AdversarialLoss("hinge"), adversarial_weight=1.0)
    task.discriminator.requires_grad_(False)
    with torch.no_grad():
        for parameter in list(task.discriminator.parameters())[-2:]:  # all scores are 5
            parameter.fill_(5.0 if parameter.ndim == 1 else 0.0)
    terms, _ = task.losses(_batch())
    assert terms["g_adversarial"].item() == -5
    assert (terms["d_real"].item(), terms["d_fake"].item()) == (0, 6)


def test_a_loss_that_needs_a_gradient_penalty_is_refused() -> None:
    with pytest.raises(ValueError, match="'bce', 'lsgan' or 'hinge', got 'wgan-gp': this task add"):
        _task(adversarial=AdversarialLoss("wgan-gp"))
