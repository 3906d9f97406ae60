"""Tests of lit_restore.tasks.dcgan."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Callback, Trainer
from torch import nn
from torch.utils.data import DataLoader

from lit_restore.checkpoints import load_network
from lit_restore.losses import AdversarialLoss
from lit_restore.models import DCGANDiscriminator, DCGANGenerator
from lit_restore.tasks import DCGANTask

MakeTrainer = Callable[..., Trainer]
Adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
SIZE, LATENT = 16, 5


def _batch(number: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(number)
    names = [f"{number}_{index}.png" for index in range(3)]
    return {"target": torch.rand(3, 3, SIZE, SIZE, generator=generator), "path": names}


def _loader(count: int) -> DataLoader[Any]:
    batches: Any = [_batch(number) for number in range(count)]
    return DataLoader(batches, batch_size=None, generator=torch.Generator())


def _networks(norm: Any) -> tuple[DCGANGenerator, DCGANDiscriminator]:
    torch.manual_seed(0)
    generator = DCGANGenerator(LATENT, size=SIZE, width=4, norm=norm)
    return generator, DCGANDiscriminator(size=SIZE, width=4, norm=norm)


def _task(norm: Any = "batch", **options: Any) -> DCGANTask:
    defaults: dict[str, Any] = {"g_optimizer": Adam, "d_optimizer": Adam}
    return DCGANTask(*_networks(norm), **{**defaults, **options})


class _Seed(Callback):
    def on_train_start(self, *_: Any) -> None:
        torch.manual_seed(1)


def test_eight_batches_are_those_of_a_plain_loop(make_trainer: MakeTrainer) -> None:
    generator, discriminator = _networks("batch")
    last, bce = torch.channels_last, F.binary_cross_entropy_with_logits
    for network in (generator, discriminator):
        network.to(memory_format=last)  # type: ignore[call-overload]
    g_optimizer, d_optimizer = Adam(generator.parameters()), Adam(discriminator.parameters())
    torch.manual_seed(1)
    for number in range(8):
        real = (2 * _batch(number)["target"] - 1).contiguous(memory_format=last)
        fake = generator(torch.randn(3, LATENT))
        on_real, on_fake = discriminator(real), discriminator(fake.detach())
        told = bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))
        d_optimizer.zero_grad()
        told.backward()
        d_optimizer.step()
        scores = discriminator(fake)
        g_optimizer.zero_grad()
        bce(scores, torch.ones_like(scores)).backward()
        g_optimizer.step()

    task = _task()
    make_trainer(max_steps=8, callbacks=[_Seed()]).fit(task, _loader(8))

    for mine, plain in ((task.generator, generator), (task.discriminator, discriminator)):
        for name, value in plain.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_the_noise_may_be_given() -> None:
    task = _task()
    batch = _batch(0) | {"latent": torch.zeros(3, LATENT)}
    first, second = (next(task.turns(batch)).terms["d_fake"] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, next(task.turns(_batch(0))).terms["d_fake"])


def test_the_generator_learns_at_every_so_many_th_batch(make_trainer: MakeTrainer) -> None:
    changes: list[bool] = []

    class Watch(Callback):
        def __init__(self) -> None:
            self.before: Any = None

        def on_train_batch_end(self, trainer: Trainer, task: Any, *_: Any) -> None:
            now = next(task.generator.parameters()).detach().clone()
            changes.append(self.before is None or not torch.equal(now, self.before))
            self.before = now

    task = _task("instance", generator_every=3, adversarial=AdversarialLoss("wgan-gp"))
    make_trainer(max_steps=7, callbacks=[Watch()]).fit(task, _loader(7))
    assert changes[1:] == [False, True, False, False, True, False]


def test_what_is_shown_and_predicted_is_always_the_same(make_trainer: MakeTrainer) -> None:
    task = _task(ema_decay=0.5)
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _loader(1), _loader(1))
    task.eval()
    with torch.no_grad():
        torch.testing.assert_close(task.predict_step(_batch(0), 0), task.predict_step(_batch(9), 0))
        assert not torch.allclose(task.predict_step(_batch(0), 0), task.predict_step(_batch(0), 1))
        columns = task.image_columns(_batch(0))
    assert [tuple(column.shape) for column in columns] == [(3, 3, SIZE, SIZE)] * 4
    assert {"train/g_adversarial", "train/d_real", "train/d_fake"} == set(trainer.callback_metrics)


def test_a_checkpoint_gives_the_averaged_generator(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task = _task(ema_decay=0.5)
    trainer = make_trainer(max_steps=2)
    trainer.fit(task, _loader(2))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    loaded, latent = load_network(tmp_path / "a.ckpt"), torch.randn(2, LATENT)
    with torch.no_grad():
        torch.testing.assert_close(task(latent), ((loaded(latent) + 1) / 2).clamp(0, 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator_every": 0}, "generator_every must be at least 1 batch, got 0"),
        ({"norm_mode": "recalibrated"}, "this generator reads noise: expected 'running', 'batch'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _task(**options)


def test_a_generator_without_a_latent_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a generator with a latent_size, got Identity"):
        DCGANTask(nn.Identity(), nn.Identity())
