"""Tests of lit_restore.tasks.style_transfer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import Tensor, nn

from lit_restore.datamodules import StyleTransferDataModule
from lit_restore.inference import Descent
from lit_restore.inference.descent import lbfgs
from lit_restore.losses import StyleTransferLoss
from lit_restore.models import VGGFeatures
from lit_restore.tasks import NonFiniteError, StyleTransferTask

MakeTrainer = Callable[..., Trainer]
LAYERS = ("block1_conv1", "block2_conv1")


def loss(**options: Any) -> StyleTransferLoss:
    torch.manual_seed(0)
    network = VGGFeatures(16, "block2_conv2", widths=(4, 4, 4, 4, 4), **options)
    return StyleTransferLoss(network, "block2_conv2", LAYERS)


def pictures() -> tuple[Tensor, list[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    content, style = torch.rand(2, 1, 3, 12, 16, generator=generator)
    return content, [style]


def task(**options: Any) -> StyleTransferTask:
    made = StyleTransferTask(loss(), **options)
    made.begin(*pictures())
    return made


class Watch(Callback):
    """Keeps the picture after each step, and what was logged."""

    def __init__(self) -> None:
        self.images: list[Tensor] = []
        self.logged: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        self.images.append(pl_module.image.detach().clone())
        self.logged.append({name: float(one) for name, one in trainer.logged_metrics.items()})


def fitted(make: MakeTrainer, made: StyleTransferTask, steps: int, **options: Any) -> Watch:
    watch = Watch()
    path = options.pop("ckpt_path", None)
    data = options.pop("datamodule", None)
    callbacks = [watch, *options.pop("callbacks", [])]
    make(max_steps=steps, max_epochs=-1, callbacks=callbacks, **options).fit(
        made, datamodule=data, ckpt_path=path, weights_only=True
    )
    return watch


def test_a_step_of_the_trainer_is_one_of_the_optimizer(make_trainer: MakeTrainer) -> None:
    watch = fitted(make_trainer, task(), 6)
    content, styles = pictures()
    plain = loss()
    plain.remember(content, styles)
    image = nn.Parameter(content.clone())
    descent, optimizer = Descent(image, plain), lbfgs([image])
    for seen, logged in zip(watch.images, watch.logged, strict=True):
        terms = descent.step(optimizer)
        assert torch.equal(seen, image)
        assert logged == {f"train/{name}": term.item() for name, term in terms.items()}
    assert watch.logged[-1]["train/style"] < watch.logged[0]["train/style"] / 2


def test_another_optimizer_steps_too(make_trainer: MakeTrainer) -> None:
    watch = fitted(make_trainer, task(optimizer=partial(torch.optim.Adam, lr=0.02)), 2)
    change = (watch.images[0] - pictures()[0]).abs()
    assert change.max().item() == pytest.approx(0.02, rel=1e-3)


def test_constant_features_are_computed_once(make_trainer: MakeTrainer) -> None:
    made, runs = task(), []
    network: Any = made.loss.features.network
    network.features[0].register_forward_hook(lambda _, given, __: runs.append(given[0]))
    fitted(make_trainer, made, 5)
    grads = [one.requires_grad for one in runs]
    assert grads[:2] == [False, False]
    assert all(grads[2:])


@pytest.mark.parametrize("restart_every", [None, 5])
def test_a_resumed_run_is_the_one_that_was_never_cut(
    restart_every: int | None, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    options = {"restart_every": restart_every}
    uncut = fitted(make_trainer, task(**options), 9)
    saving = ModelCheckpoint(tmp_path, "last", every_n_train_steps=4, save_top_k=-1)
    fitted(make_trainer, task(**options), 4, callbacks=[saving], enable_checkpointing=True)
    resumed = fitted(make_trainer, task(**options), 9, ckpt_path=tmp_path / "last.ckpt")
    assert len(resumed.images) == 5
    assert all(map(torch.equal, resumed.images, uncut.images[4:]))
    assert resumed.logged == uncut.logged[4:]


def test_the_picture_is_all_that_a_checkpoint_has(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    made = task()
    trainer = make_trainer(max_steps=2, max_epochs=-1)
    trainer.fit(made)
    trainer.save_checkpoint(tmp_path / "one.ckpt")
    stored = torch.load(tmp_path / "one.ckpt", weights_only=True)
    assert list(stored["state_dict"]) == ["image"]
    assert torch.equal(stored["state_dict"]["image"], made.image)


def test_the_data_module_s_pictures_are_taken(
    make_trainer: MakeTrainer, image_folder: Path
) -> None:
    data = StyleTransferDataModule(
        str(image_folder / "00.png"), [str(image_folder / "01.png")], size=16, initial="noise"
    )
    made = StyleTransferTask(loss(), optimizer=partial(torch.optim.SGD, lr=0.0))
    watch = fitted(make_trainer, made, 2, datamodule=data)
    assert torch.equal(watch.images[-1], data.pictures.initial)
    (shown,) = make_trainer().predict(made, data) or ()
    assert torch.equal(shown, data.pictures.initial)


def test_what_is_shown_is_clipped_and_what_is_optimised_is_not(make_trainer: MakeTrainer) -> None:
    made = task()
    made.begin(*pictures(), initial=pictures()[0] * 3 - 1)
    assert made.image.min() < 0
    assert made().min() >= 0
    assert made().max() <= 1


@pytest.mark.parametrize("late", [False, True])
def test_nan_stops_with_the_name_of_the_culprit(late: bool, make_trainer: MakeTrainer) -> None:
    made = task()
    made.guard.late = late
    with torch.no_grad():
        made.image[0, 0, 3, 3] = float("nan")
    with pytest.raises(NonFiniteError, match=r"style is nan.*the weights image, before this step"):
        fitted(make_trainer, made, 3)


def test_what_cannot_be_is_refused(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ValueError, match="inputs caffe or imagenet, got raw"):
        StyleTransferTask(loss(inputs="raw"))
    with pytest.raises(ValueError, match=r"content's shape \(1, 3, 12, 16\), got \(1, 3, 4, 4\)"):
        task().begin(*pictures(), initial=torch.rand(1, 3, 4, 4))
    with pytest.raises(ValueError, match="expected pictures: a StyleTransferDataModule, or begin"):
        make_trainer().fit(StyleTransferTask(loss()))
    with pytest.raises(ValueError, match="restart_every must be at least 1 evaluation, got 0"):
        StyleTransferTask(loss(), restart_every=0)


def test_bf16_keeps_the_picture_in_float32(make_trainer: MakeTrainer) -> None:
    watch = fitted(make_trainer, task(), 3, precision="bf16-mixed")
    assert watch.images[-1].dtype == torch.float32
    assert watch.logged[-1]["train/style"] < watch.logged[0]["train/style"]
