"""Tests of lit_restore.tasks.restoration."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR
from torch.utils.data import DataLoader

from lit_restore.checkpoints import KEY, load_network, save_network
from lit_restore.inference import Restorer
from lit_restore.losses import L1Loss, L2Loss
from lit_restore.metrics import PSNR, SSIM, luma
from lit_restore.models import ESPCN, SRCNN, SmallMosaicUNet, SRResNet
from lit_restore.tasks import NonFiniteError, RestorationTask

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]


def _batch(seed: int = 0, count: int = 2, size: int = 20) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(count, 3, size, size, generator=generator)
    noise = torch.randn(target.shape, generator=generator) * 0.1
    names = [f"{seed}_{index}.png" for index in range(count)]
    return {"input": (target + noise).clamp(0, 1), "target": target, "path": names}


def _loader(*batches: Batch) -> DataLoader[Any]:
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


class _Scale(nn.Module):
    """Multiplies by a number that is learned, and notes how its input lies in memory."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.seen = torch.empty(0)

    def forward(self, image: Tensor) -> Tensor:
        self.seen = image
        return image * self.factor


def _metrics(
    trainer: Trainer, verb: str, task: RestorationTask, batches: Sequence[Batch]
) -> dict[str, float]:
    (measured,) = getattr(trainer, verb)(task, _loader(*batches), verbose=False)
    return measured


def test_training_on_one_batch_reduces_its_loss(make_trainer: MakeTrainer) -> None:
    torch.manual_seed(0)
    batch = _batch()
    task = RestorationTask(SmallMosaicUNet(), L1Loss(), partial(torch.optim.Adam, lr=2e-3))
    with torch.no_grad():
        before = L1Loss()(task.network(batch["input"]), batch["target"])

    make_trainer(max_steps=25).fit(task, _loader(*[batch] * 25))

    with torch.no_grad():
        after = L1Loss()(task.network(batch["input"]), batch["target"])
    assert after < 0.9 * before


def test_a_step_is_that_of_a_plain_loop(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    tasks = [RestorationTask(nn.Conv2d(3, 3, 3, padding=1), L2Loss()) for _ in range(2)]
    tasks[1].load_state_dict(tasks[0].state_dict())
    network, optimizer = tasks[1].network, torch.optim.Adam(tasks[1].network.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        L2Loss()(network(batch["input"]), batch["target"]).backward()
        optimizer.step()

    make_trainer(max_steps=3).fit(tasks[0], _loader(*[batch] * 3))

    for one, other in zip(tasks[0].parameters(), tasks[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_loss_is_the_mean_absolute_error_unless_given() -> None:
    batch, network = _batch(), _Scale(0.5)
    difference = 0.5 * batch["input"] - batch["target"]

    default = RestorationTask(network)
    squared = RestorationTask(network, L2Loss())
    for task in (default, squared):
        task.log = lambda *_, **__: None  # type: ignore[method-assign, assignment]

    torch.testing.assert_close(default.training_step(batch, 0), difference.abs().mean())
    torch.testing.assert_close(squared.training_step(batch, 0), difference.square().mean())


def test_training_sees_the_prediction_unclipped_and_users_clipped(
    make_trainer: MakeTrainer,
) -> None:
    batch, task = _batch(), RestorationTask(_Scale(3.0))
    trainer = make_trainer(max_steps=1)

    trainer.fit(task, _loader(batch))

    loss = (3 * batch["input"] - batch["target"]).abs().mean()
    assert float(trainer.callback_metrics["train/loss"]) == pytest.approx(float(loss))
    with torch.no_grad():
        expected = (task.network(batch["input"])).clamp(0, 1)
        assert torch.equal(task(batch["input"]), expected)
        assert torch.equal(task.predict_step(batch, 0), expected)
        assert task.network(batch["input"]).max() > 1


def test_fitting_logs_the_loss_and_the_metrics_of_validation(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_steps=1)

    trainer.fit(RestorationTask(_Scale()), _loader(_batch()), _loader(_batch(1)))

    assert set(trainer.callback_metrics) == {"train/loss", "val/loss", "val/psnr", "val/ssim"}


def test_validation_is_the_mean_over_pictures_of_clipped_predictions(
    make_trainer: MakeTrainer,
) -> None:
    batches = [_batch(0, 3), _batch(1, 1)]
    batches[1]["target"] = batches[1]["input"] * 0.2  # a picture that is worse than the others
    factor = 1.5

    measured = _metrics(make_trainer(), "validate", RestorationTask(_Scale(factor)), batches)

    inputs, targets = (torch.cat([batch[key] for batch in batches]) for key in ("input", "target"))
    raw = inputs * factor
    expected = {"val/loss": (raw - targets).abs().mean()}
    for name, metric in (("psnr", PSNR()), ("ssim", SSIM())):
        pairs = zip(raw.clamp(0, 1), targets, strict=True)
        values = [metric(one[None], other[None]) for one, other in pairs]
        expected[f"val/{name}"] = torch.stack(values).mean()
    assert measured == {key: pytest.approx(float(value)) for key, value in expected.items()}


def test_the_test_tells_the_metrics_and_what_the_input_had(make_trainer: MakeTrainer) -> None:
    batches = [_batch(0, 3), _batch(1, 1)]

    measured = _metrics(make_trainer(), "test", RestorationTask(_Scale(0.9)), batches)

    assert set(measured) == {"test/psnr", "test/ssim", "test/input_psnr"}
    pairs = [pair for b in batches for pair in zip(b["input"], b["target"], strict=True)]
    values = [-10 * (one - other).square().mean().log10() for one, other in pairs]
    assert measured["test/input_psnr"] == pytest.approx(float(torch.stack(values).mean()))
    assert measured["test/psnr"] < measured["test/input_psnr"]


def test_an_input_of_another_size_has_no_psnr(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    batch["input"] = batch["input"][..., ::2, ::2]
    task = RestorationTask(nn.Upsample(scale_factor=2))

    measured = _metrics(make_trainer(), "test", task, [batch])

    assert set(measured) == {"test/psnr", "test/ssim"}


@pytest.mark.parametrize(
    ("by", "expected"), [("step", [0.5, 0.25, 0.125, 0.0625]), ("epoch", [1, 0.5, 0.5, 0.25])]
)
def test_the_schedule_counts_what_it_was_told_to(
    make_trainer: MakeTrainer, by: Any, expected: list[float]
) -> None:
    rates: list[float] = []

    class Task(RestorationTask):
        def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
            rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])

    task = Task(
        _Scale(),
        optimizer=partial(torch.optim.SGD, lr=1.0),
        scheduler=partial(ExponentialLR, gamma=0.5),
        schedule_by=by,
    )
    trainer = make_trainer(max_epochs=2)

    trainer.fit(task, _loader(_batch(0), _batch(1)))

    rates.append(trainer.optimizers[0].param_groups[0]["lr"])
    assert rates[1:] == expected
    assert rates[0] == 1


def test_without_a_schedule_the_rate_stays(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_steps=2)

    trainer.fit(RestorationTask(_Scale()), _loader(_batch(0), _batch(1)))

    assert trainer.optimizers[0].param_groups[0]["lr"] == 1e-3
    assert trainer.lr_scheduler_configs == []


@pytest.mark.parametrize("channels_last", [True, False])
def test_maps_lie_in_memory_as_asked_for(channels_last: bool) -> None:
    network = _Scale()
    order = torch.channels_last if channels_last else torch.contiguous_format

    RestorationTask(network, channels_last=channels_last)(_batch()["input"])

    assert network.seen.is_contiguous(memory_format=order)
    assert network.conv.weight.is_contiguous(memory_format=order)


def test_the_order_in_memory_does_not_change_the_result() -> None:
    torch.manual_seed(0)
    network, image = SmallMosaicUNet(), _batch()["input"]
    with torch.no_grad():
        plain = RestorationTask(network, channels_last=False)(image)
        last = RestorationTask(network, channels_last=True)(image)

    torch.testing.assert_close(last, plain)


def test_a_checkpoint_says_in_plain_values_which_network_it_holds(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    task, path = RestorationTask(SmallMosaicUNet(folded=False)), tmp_path / "a.ckpt"
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _loader(_batch()))
    trainer.save_checkpoint(path)

    described = torch.load(path, weights_only=True)[KEY]
    network = load_network(path)

    assert described["task"] == "RestorationTask"
    assert described["networks"]["network"]["network"] == "SmallMosaicUNet"
    assert described["networks"]["network"]["arguments"] == {"folded": False}
    with torch.no_grad():
        image = _batch(3)["input"]
        torch.testing.assert_close(network(image), task.network(image))


def test_a_network_of_ones_own_trains_and_its_checkpoint_describes_none(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer(max_steps=1)
    trainer.fit(RestorationTask(_Scale()), _loader(_batch()))
    trainer.save_checkpoint(tmp_path / "a.ckpt")

    described = torch.load(tmp_path / "a.ckpt", weights_only=True)[KEY]

    assert described == {"task": "RestorationTask", "networks": {}}


class _Luma(nn.Module):
    """Reads luma, cuts a pixel off each side, and keeps what it saw."""

    in_channels = 1
    enlarged_by = 2
    margin = 1

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(1, 1, 3)
        self.head = nn.Conv2d(1, 1, 1)
        self.seen = torch.empty(0)

    def forward(self, image: Tensor) -> Tensor:
        self.seen = image
        return self.head(self.body(image))


def test_a_network_of_one_channel_is_trained_on_the_luma_that_it_leaves() -> None:
    batch, task = _batch(), RestorationTask(_Luma(), L2Loss())
    task.log = lambda *_, **__: None  # type: ignore[assignment,misc]
    loss = task.training_step(batch, 0)
    target = luma(batch["target"])[..., 1:-1, 1:-1]
    seen = task.network.seen
    assert torch.equal(seen, luma(batch["input"]))  # type: ignore[arg-type]
    prediction = task.network(seen)
    assert torch.allclose(loss, (prediction - target).square().mean())


def test_rates_are_scaled_by_the_names_of_parameters(make_trainer: MakeTrainer) -> None:
    task = RestorationTask(
        _Luma(), optimizer=partial(torch.optim.SGD, lr=0.5), rate_scales={"head": 0.1}
    )
    make_trainer(max_steps=1).fit(task, _loader(_batch()))
    rates = {
        id(parameter): group["lr"]
        for group in task.optimizers().param_groups  # type: ignore[union-attr]
        for parameter in group["params"]
    }
    found = {name: rates[id(one)] for name, one in task.network.named_parameters()}
    expected = {"body.weight": 0.5, "body.bias": 0.5, "head.weight": 0.05, "head.bias": 0.05}
    assert found == pytest.approx(expected)


def test_scaled_rates_follow_a_schedule() -> None:
    task = RestorationTask(
        _Luma(),
        optimizer=partial(torch.optim.Adam, lr=1.0),
        scheduler=partial(OneCycleLR, max_lr=1.0, total_steps=10),
        rate_scales={"head": 0.1},
    )
    made = task.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    for _ in range(10):
        first, second = (group["lr"] for group in optimizer.param_groups)
        assert second == pytest.approx(0.1 * first)
        optimizer.step()
        if schedule.last_epoch < 9:
            schedule.step()


def test_a_rate_of_no_parameter_is_refused() -> None:
    task = RestorationTask(_Luma(), rate_scales={"tail": 0.1})
    with pytest.raises(ValueError, match=r"no parameter of the network begins with \['tail'\]"):
        task.configure_optimizers()


@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_gradients_are_clipped_by_the_rate(make_trainer: MakeTrainer, rate: float) -> None:
    batch = _batch()
    batch["target"] = batch["target"] + 100  # large gradients
    task = RestorationTask(
        _Scale(), L2Loss(), optimizer=partial(torch.optim.SGD, lr=rate), clip_by_rate=0.02
    )
    make_trainer(max_steps=1).fit(task, _loader(batch))
    assert abs(float(task.network.factor) - 1) == pytest.approx(0.02, rel=1e-4)


@pytest.mark.parametrize("algorithm", ["norm", "value"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_trainer_clips_fused_optimizers_in_bf16_too(
    make_trainer: MakeTrainer, precision: Any, algorithm: Any
) -> None:
    batch = _batch()
    batch["target"] = batch["target"] + 100  # large gradients
    task = RestorationTask(
        _Scale(), L2Loss(), optimizer=partial(torch.optim.SGD, lr=1.0, fused=True)
    )
    trainer = make_trainer(
        max_steps=1,
        precision=precision,
        gradient_clip_val=0.02,
        gradient_clip_algorithm=algorithm,
    )
    trainer.fit(task, _loader(batch))
    assert abs(float(task.network.factor) - 1) == pytest.approx(0.02, rel=1e-4)


def test_metrics_follow_a_protocol_on_the_networks_scale(make_trainer: MakeTrainer) -> None:
    torch.manual_seed(0)
    task = RestorationTask(SRCNN(enlarged_by=3), protocol="y")
    batch = _batch()
    measured = _metrics(make_trainer(), "validate", task, [batch])
    with torch.no_grad():
        prediction = task.network(luma(batch["input"])).clamp(0, 1)
    error = (prediction - luma(batch["target"])).double()[..., 3:-3, 3:-3]
    expected = -10 * error.square().mean(dim=(1, 2, 3)).log10()
    assert measured["val/psnr"] == pytest.approx(float(expected.mean()), abs=1e-4)


@pytest.mark.parametrize("name", ["paper", "x"])
def test_a_protocol_of_files_and_unknown_ones_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"protocol must be y, rgb or null, got '{name}'"):
        RestorationTask(_Luma(), protocol=name)


def test_the_inputs_psnr_is_of_the_same_protocol(make_trainer: MakeTrainer) -> None:
    network = SRCNN(enlarged_by=3)
    nn.init.dirac_(network.reconstruct.weight)
    batch = _batch()
    measured = _metrics(make_trainer(), "test", RestorationTask(network, protocol="y"), [batch])
    error = (luma(batch["input"]) - luma(batch["target"])).double()[..., 3:-3, 3:-3]
    expected = -10 * error.square().mean(dim=(1, 2, 3)).log10()
    assert measured["test/input_psnr"] == pytest.approx(float(expected.mean()), abs=1e-4)


@pytest.mark.parametrize("network", [ESPCN(2, widths=(4, 4)), SRCNN(1, (4, 4), padding="valid")])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_task_restores_as_a_restorer_does(network: nn.Module, channels: int) -> None:
    image = torch.rand(channels, 20, 24, generator=torch.Generator().manual_seed(0))
    task, restorer = RestorationTask(network), Restorer(network, scale=network.scale)
    with torch.no_grad():
        torch.testing.assert_close(task(image[None])[0], restorer(image))


def test_a_network_of_colours_leaves_the_border_that_it_cannot_see(
    make_trainer: MakeTrainer,
) -> None:
    network = SRCNN(3, (4, 4), padding="valid")
    image = _batch()["input"]
    with torch.no_grad():
        result = RestorationTask(network)(image)
        expected = Restorer(network, scale=1)(image[0])
    torch.testing.assert_close(result[0], expected)
    assert torch.equal(result[..., 0, :], image[..., 0, :])


def test_what_a_signed_network_makes_is_learned_as_it_is_restored() -> None:
    torch.manual_seed(0)
    network = SRResNet(width=4, depth=1, output="tanh").eval()
    image = torch.rand(1, 3, 6, 6)
    task = RestorationTask(network, L2Loss())
    task.log = lambda *_, **__: None  # type: ignore[assignment,misc]
    restored = Restorer(network)(image[0])[None].clone()
    batch = {"input": image, "target": restored, "path": ["a.png"]}
    assert task.training_step(batch, 0) < 1e-10


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_clipping_to_nothing_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=f"clip_by_rate must be above 0, got {value}"):
        RestorationTask(_Luma(), clip_by_rate=value)


def test_clipping_by_the_trainer_and_by_the_rate_is_refused(make_trainer: MakeTrainer) -> None:
    with pytest.raises(ValueError, match=r"clip_by_rate expected no trainer\.gradient_clip_val"):
        make_trainer(max_steps=1, gradient_clip_val=1.0).fit(
            RestorationTask(_Scale(), clip_by_rate=0.1), _loader(_batch())
        )


def test_a_second_fit_does_not_remember_what_stopped_the_first(make_trainer: MakeTrainer) -> None:
    task, bad = RestorationTask(_Scale()), _batch()
    bad["input"] = bad["input"] * float("nan")
    with pytest.raises(NonFiniteError, match="the batch's input"):
        make_trainer(max_steps=1).fit(task, _loader(bad))
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, _loader(_batch()))
    assert trainer.global_step == 1


def test_a_loss_that_is_not_finite_stops_the_run_and_names_layer_and_files(
    make_trainer: MakeTrainer,
) -> None:
    task = RestorationTask(_Luma())
    with torch.no_grad():
        task.network.body.weight.mul_(1e38)  # type: ignore[union-attr, operator]
    batch = _batch()
    batch["input"] = batch["input"] * 10
    with pytest.raises(NonFiniteError, match=r"loss.*network\.body.*0_0\.png"):
        make_trainer(max_steps=1).fit(task, _loader(batch))


def test_a_run_begins_with_the_weights_of_a_file_and_one_that_goes_on_does_not(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trained, path = SmallMosaicUNet(), tmp_path / "trained.safetensors"
    save_network(trained, path)

    def task() -> RestorationTask:
        still = partial(torch.optim.SGD, lr=0.0)
        return RestorationTask(SmallMosaicUNet(), optimizer=still, initial_weights=path)

    begun, trainer = task(), make_trainer(max_steps=1)
    trainer.fit(begun, _loader(_batch()))
    for one, other in zip(begun.network.parameters(), trained.parameters(), strict=True):
        assert torch.equal(one, other)

    trainer.save_checkpoint(tmp_path / "a.ckpt")
    path.unlink()
    resumed = task()
    make_trainer(max_steps=2).fit(
        resumed, _loader(_batch(), _batch(1)), ckpt_path=tmp_path / "a.ckpt"
    )
    for one, other in zip(resumed.network.parameters(), trained.parameters(), strict=True):
        assert torch.equal(one, other)
