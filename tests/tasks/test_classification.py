"""Tests of lit_restore.tasks.classification."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lit_restore.data import CutMix, Cutout, Mixup, OneOf
from lit_restore.datamodules import ClassificationDataModule
from lit_restore.models import ResNet
from lit_restore.nn import TTA
from lit_restore.tasks import ClassificationTask, NonFiniteError

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]


def _batch(seed: int = 0, count: int = 6, mixed: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    batch: Batch = {
        "input": torch.rand(count, 3, 12, 12, generator=generator),
        "label": torch.arange(count) % 3,
        "path": [f"{seed}_{index}.png" for index in range(count)],
    }
    if mixed:
        shares = torch.rand(count, 3, generator=generator)
        batch["mixed_label"] = shares / shares.sum(1, keepdim=True)
    return batch


def _loader(*batches: Batch) -> DataLoader[Any]:
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


class _Network(nn.Sequential):
    """Three classes; tells left from right, and notes what it sees."""

    num_classes = 3

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 3))
        self.seen: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.seen.append(image)
        return super().forward(image)


def _task(**options: Any) -> ClassificationTask:
    torch.manual_seed(0)
    return ClassificationTask(_Network(), **options)


@pytest.fixture
def classes(image_folder: Path, tmp_path: Path) -> Path:
    """Twelve pictures as three classes of four."""
    root = tmp_path / "classes"
    for index, path in enumerate(sorted(image_folder.glob("[01]*"))):
        folder = root / ("ant", "bee", "cat")[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).symlink_to(path)
    return root


def _data(root: Path, **options: Any) -> ClassificationDataModule:
    options = {"size": 12, "batch_size": 3, "test_fraction": 0.25, "val_fraction": 0.25, **options}
    return ClassificationDataModule(str(root), **options)


def test_training_on_one_batch_learns_it(make_trainer: MakeTrainer) -> None:
    task, batch = _task(optimizer=partial(torch.optim.Adam, lr=1e-2)), _batch()
    trainer = make_trainer(max_steps=40)

    trainer.fit(task, _loader(*[batch] * 40))

    assert torch.equal(task(batch["input"]).argmax(1), batch["label"])
    assert trainer.callback_metrics["train/loss"] < 0.1


@pytest.mark.parametrize("mixed", [False, True])
def test_a_step_is_that_of_a_plain_loop(make_trainer: MakeTrainer, mixed: bool) -> None:
    batch, task, other = _batch(mixed=mixed), _task(), _task().network
    optimizer = torch.optim.Adam(other.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        logarithms = other(batch["input"]).log_softmax(1)
        shares = batch["mixed_label"] if mixed else F.one_hot(batch["label"], 3).float()
        (-(shares * logarithms).sum(1).mean()).backward()
        optimizer.step()

    make_trainer(max_steps=3).fit(task, _loader(*[batch] * 3))

    for one, expected in zip(task.network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, expected)


def test_training_tells_the_accuracy_of_the_whole_epoch(make_trainer: MakeTrainer) -> None:
    task = _task(optimizer=partial(torch.optim.SGD, lr=0.0))
    batches = [_batch(0, 6), _batch(1, 3), _batch(2, 4, mixed=True)]
    trainer = make_trainer(max_epochs=1)

    trainer.fit(task, _loader(*batches))

    right = []
    for batch in batches:
        chosen = task(batch["input"]).argmax(1)
        shares = batch.get("mixed_label", F.one_hot(batch["label"], 3).float())
        right += [float(share[one]) for share, one in zip(shares, chosen, strict=True)]
    expected = sum(right) / len(right)
    assert float(trainer.callback_metrics["train/accuracy"]) == pytest.approx(expected, abs=1e-6)


def test_measuring_tells_the_means_over_all_pictures(make_trainer: MakeTrainer) -> None:
    task, batches = _task(), [_batch(0, 5), _batch(1, 2), _batch(2, 4)]

    (validated,) = make_trainer().validate(task, _loader(*batches), verbose=False)
    (tested,) = make_trainer().test(task, _loader(*batches), verbose=False)

    images, labels = (torch.cat([batch[key] for batch in batches]) for key in ("input", "label"))
    logits = task(images).detach()
    loss = float(F.cross_entropy(logits, labels))
    accuracy = float((logits.argmax(1) == labels).float().mean())
    for prefix, figures in (("val", validated), ("test", tested)):
        assert figures == {
            f"{prefix}/loss": pytest.approx(loss, rel=1e-5),
            f"{prefix}/accuracy": pytest.approx(accuracy, rel=1e-5),
        }


def test_the_test_tells_what_several_views_are_worth(make_trainer: MakeTrainer) -> None:
    task, batches = _task(tta=TTA), [_batch(seed, 7) for seed in range(8)]

    (plain,) = make_trainer().test(_task(), _loader(*batches), verbose=False)
    (figures,) = make_trainer().test(task, _loader(*batches), verbose=False)

    right = []
    for batch in batches:
        views = [batch["input"], batch["input"].flip(-1)]
        mean = sum(task.network(view).softmax(1) for view in views)
        right += (mean.argmax(1) == batch["label"]).tolist()
    expected = sum(right) / len(right)
    assert figures.pop("test/accuracy_tta") == pytest.approx(expected, rel=1e-5)
    assert figures == plain
    assert figures["test/accuracy"] != pytest.approx(expected, abs=1e-3)
    assert set(task.state_dict()) == set(_task().state_dict())  # no second set of weights


def test_prediction_gives_probabilities(make_trainer: MakeTrainer) -> None:
    task, seen_so, batch = _task(), _task(tta=partial(TTA, flips="eightfold")), _batch()

    (plain,) = make_trainer().predict(task, _loader(batch)) or []
    (mean,) = make_trainer().predict(seen_so, _loader(batch)) or []

    torch.testing.assert_close(plain, task(batch["input"]).softmax(1))
    expected = TTA(task.network.eval(), flips="eightfold")(batch["input"])
    torch.testing.assert_close(mean, expected.exp())
    assert (mean - plain).abs().max() > 1e-3
    torch.testing.assert_close(mean.sum(1), torch.ones(6))


def test_pictures_are_normalised_by_channel_if_asked_for() -> None:
    batch, task = _batch(), _task(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1.0))

    task(batch["input"])

    (seen,) = task.network.seen  # type: ignore[union-attr]
    expected = torch.stack(
        [
            (batch["input"][:, 0] - 0.1) / 0.5,
            (batch["input"][:, 1] - 0.2) / 0.25,
            batch["input"][:, 2] - 0.3,
        ],
        1,
    )
    torch.testing.assert_close(seen, expected)
    plain = _task()
    plain(batch["input"])
    assert torch.equal(plain.network.seen[0], batch["input"])  # type: ignore[union-attr, index]
    for wrong in ({"mean": (0.5,)}, {"mean": (0.5,), "std": (0.0,)}):
        with pytest.raises(ValueError, match="must be given together, std above 0"):
            _task(**wrong)


def test_labels_are_smoothed_only_on_demand() -> None:
    batch = _batch()
    plain, smooth = _task(), _task(loss=nn.CrossEntropyLoss(label_smoothing=0.2))

    logits = plain(batch["input"])
    expected = F.cross_entropy(logits, batch["label"])
    shares = 0.8 * F.one_hot(batch["label"], 3) + 0.2 / 3

    torch.testing.assert_close(plain.terms(batch)["loss"], expected)
    torch.testing.assert_close(smooth.terms(batch)["loss"], F.cross_entropy(logits, shares))


@pytest.mark.parametrize(
    "mix", [None, OneOf([CutMix(), Mixup()]), [Cutout(4), CutMix()]], ids=["none", "one", "several"]
)
def test_it_runs_on_folders_of_classes(make_trainer: MakeTrainer, classes: Path, mix: Any) -> None:
    task, data = _task(tta=TTA), _data(classes, mix=mix, flip=True, brightness=0.2)
    trainer = make_trainer(max_epochs=1)

    trainer.fit(task, data)
    assert set(trainer.callback_metrics) == {
        "train/loss", "train/accuracy", "val/loss", "val/accuracy",
    }  # fmt: skip
    (figures,) = trainer.test(task, data, verbose=False)

    assert set(figures) == {"test/loss", "test/accuracy", "test/accuracy_tta"}
    assert task.class_names == ("ant", "bee", "cat")
    predicted = torch.cat(trainer.predict(task, data) or [])  # type: ignore[arg-type]
    assert predicted.shape == (3, 3)


def test_another_number_of_classes_is_refused(make_trainer: MakeTrainer, classes: Path) -> None:
    task = _task()
    task.network.num_classes = 7

    with pytest.raises(
        ValueError, match="3 classes, ant, bee, cat: expected a network of num_classes 3, got 7"
    ):
        make_trainer(max_steps=1).fit(task, _data(classes))


def test_a_network_that_says_no_number_is_trusted(make_trainer: MakeTrainer, classes: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 3))

    task = ClassificationTask(network)

    make_trainer(max_steps=1).fit(task, _data(classes))

    assert task.class_names == ("ant", "bee", "cat")
    assert not hasattr(network, "class_names")  # a checkpoint of it could not be loaded


def test_a_checkpoint_of_other_classes_is_refused_and_its_names_are_taken() -> None:
    described = {"lit_restore": {"networks": {"network": {"class_names": ["x", "y", "z"]}}}}
    task = _task()

    task.on_load_checkpoint(described)

    assert task.class_names == ("x", "y", "z")
    assert task.network.class_names == ("x", "y", "z")
    other = _task()
    other.class_names = ("a", "b", "c")
    with pytest.raises(ValueError, match="learned the classes x, y, z, got data of a, b, c"):
        other.on_load_checkpoint(described)


def test_what_is_not_finite_stops_the_run(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    batch["input"][1, 0, 0, 0] = float("nan")

    with pytest.raises(NonFiniteError, match="the batch's input"):
        make_trainer(max_steps=1).fit(_task(), _loader(batch))


def test_a_run_begins_with_a_backbone_of_other_classes(
    make_trainer: MakeTrainer, classes: Path, tmp_path: Path
) -> None:
    thin: dict[str, Any] = {"depths": (1,), "block": "basic", "width": 4, "stem": "small"}
    published = ResNet(**thin, num_classes=7)
    torch.save(published.state_dict(), tmp_path / "resnet.pth")
    network = ResNet(**thin, num_classes=3)
    first = network.fc.weight.detach().clone()
    task = ClassificationTask(
        network, optimizer=partial(torch.optim.SGD, lr=0.0), backbone=tmp_path / "resnet.pth"
    )
    make_trainer(max_steps=1, limit_val_batches=0).fit(task, _data(classes))
    assert torch.equal(network.conv1.weight, published.conv1.weight)
    assert torch.equal(network.fc.weight, first)
    with pytest.raises(ValueError, match="backbone or initial_weights, got both"):
        ClassificationTask(network, backbone="a.pth", initial_weights="b.safetensors")
