"""Tests of lit_restore.tasks.inpainting."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader

from lit_restore.checkpoints import load_network, save_network
from lit_restore.data import CenterMask
from lit_restore.datamodules import InpaintingDataModule
from lit_restore.losses import HolePSNRLoss, InpaintingLoss
from lit_restore.metrics import hole_psnr, psnr
from lit_restore.models import PartialConvNet, PartialConvUNet
from lit_restore.nn.masks import RATIO_BINS
from lit_restore.tasks import InpaintingTask, NonFiniteError

MakeTrainer = Callable[..., Trainer]
Batch = dict[str, Any]


def _batch(seed: int = 0, count: int = 3, size: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(count, 3, size, size, generator=generator)
    mask = torch.ones(count, 1, size, size)
    for picture in range(count):
        mask[picture, :, 2 : 4 + 2 * picture, 3:13] = 0
    names = [f"{seed}_{index}.png" for index in range(count)]
    return {"input": target * mask, "target": target, "mask": mask, "path": names}


def _loader(*batches: Batch) -> DataLoader[Any]:
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def _network(**options: Any) -> PartialConvUNet:
    torch.manual_seed(0)
    return PartialConvUNet(widths=(4, 6), kernel_sizes=(4,), **options)


class _Grey(nn.Module):
    """Fills with one grey, whatever it sees, and claims valid pixels to be black."""

    def __init__(self, grey: float) -> None:
        super().__init__()
        self.grey = nn.Parameter(torch.tensor(grey))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.grey * (1 - mask).expand_as(image)


def test_training_on_one_batch_reduces_its_loss(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    task = InpaintingTask(_network(norm="none"), None, partial(torch.optim.Adam, lr=5e-3))
    with torch.no_grad():
        before = sum(task.terms(batch).values())

    make_trainer(max_steps=40).fit(task, _loader(*[batch] * 40))

    with torch.no_grad():
        assert sum(task.terms(batch).values()) < 0.9 * before


def test_a_step_is_that_of_a_plain_loop(make_trainer: MakeTrainer) -> None:
    batch, loss = _batch(), HolePSNRLoss()
    network = _network()
    task = InpaintingTask(_network(), HolePSNRLoss(), partial(torch.optim.SGD, lr=0.1))
    network.load_state_dict(task.network.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        terms = loss(network(batch["input"], batch["mask"]), batch["target"], batch["mask"])
        (terms["valid"] + terms["hole"]).backward()
        optimizer.step()

    make_trainer(max_steps=3).fit(task, _loader(*[batch] * 3))

    for name, value in network.state_dict().items():
        torch.testing.assert_close(task.network.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_valid_pixels_stay_and_the_rest_is_clipped() -> None:
    batch = _batch()
    for grey, expected in ((0.4, 0.4), (7.0, 1.0), (-1.0, 0.0)):
        filled = InpaintingTask(_Grey(grey))(batch["input"], batch["mask"])
        hole = (batch["mask"] == 0).expand_as(filled)
        assert filled[hole].eq(expected).all()
        assert filled[~hole].equal(batch["target"][~hole])
        assert InpaintingTask(_Grey(grey)).predict_step(batch, 0).equal(filled)


@pytest.mark.parametrize("verb", ["validate", "test"])
def test_it_measures_the_filled_picture_and_the_hole_by_class(
    make_trainer: MakeTrainer, verb: str
) -> None:
    batches = [_batch(0), _batch(1, count=2)]
    task = InpaintingTask(_Grey(0.5))
    (found,) = getattr(make_trainer(), verb)(task, _loader(*batches), verbose=False)

    prefix = "val" if verb == "validate" else "test"
    whole, holes, ratios = [], [], []
    for batch in batches:
        filled = torch.where(batch["mask"] == 0, 0.5, batch["target"])
        whole += psnr(filled, batch["target"]).tolist()
        holes += hole_psnr(filled, batch["target"], batch["mask"]).tolist()
        ratios += (1 - batch["mask"]).mean(dim=(1, 2, 3)).tolist()
    assert found[f"{prefix}/psnr"] == pytest.approx(sum(whole) / 5, abs=1e-4)
    assert found[f"{prefix}/hole_psnr"] == pytest.approx(sum(holes) / 5, abs=1e-4)
    for low, high in RATIO_BINS:
        for name, values in (("hole_psnr", holes), ("psnr", whole)):
            inside = [one for one, ratio in zip(values, ratios, strict=True) if low < ratio <= high]
            expected = sum(inside) / len(inside) if inside else math.nan
            name = f"{prefix}/{name}_{100 * low:02.0f}-{100 * high:02.0f}"
            assert found[name] == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert 0 < found[f"{prefix}/ssim"] < 1


def test_it_logs_every_term_and_their_sum(make_trainer: MakeTrainer) -> None:
    loss = InpaintingLoss(weights="random", layers=["block1_pool"])
    task, trainer = InpaintingTask(_network(), loss), make_trainer(max_steps=1)
    trainer.fit(task, _loader(_batch()))
    logged = {name: value.item() for name, value in trainer.logged_metrics.items()}
    assert set(logged) == {"train/loss", *(f"train/{name}" for name in loss.term_weights)}
    assert logged.pop("train/loss") == pytest.approx(sum(logged.values()), rel=1e-5)
    assert not any(name.startswith("loss") for name in task.state_dict())


class _Phases(Callback):
    """Notes, before each step, the rate and the encoder's normalisation."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.norms: list[Tensor] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        state = pl_module.network.encoder[1].norm.state_dict()
        self.norms.append(torch.cat([value.flatten().double() for value in state.values()]))


def test_the_second_phase_freezes_the_encoder_s_norm_and_lowers_the_rate(
    make_trainer: MakeTrainer,
) -> None:
    phases, task = _Phases(), InpaintingTask(_network(), finetune_from=3)
    before = task.network.decoder[0].norm.running_mean.clone()
    batches = [_batch(seed) for seed in range(6)]
    make_trainer(max_steps=6, callbacks=[phases]).fit(task, _loader(*batches))

    changed = [not a.equal(b) for a, b in zip(phases.norms, phases.norms[1:], strict=False)]
    assert changed == [True, True, False, False, False]
    first, second = phases.rates[:3], phases.rates[3:]
    assert {round(rate / 1e-3, 6) for rate in first[:2]} == {1.0}
    assert {round(rate / 1e-3, 6) for rate in second} == {0.25}
    assert not task.network.decoder[0].norm.running_mean.equal(before)  # which goes on learning


def test_a_schedule_of_one_s_own_says_the_rate_in_both_phases(make_trainer: MakeTrainer) -> None:
    phases = _Phases()
    schedule = partial(ExponentialLR, gamma=0.5)
    task = InpaintingTask(_network(), scheduler=schedule, finetune_from=1)
    make_trainer(max_steps=3, callbacks=[phases]).fit(task, _loader(*[_batch()] * 3))
    assert phases.rates == pytest.approx([5e-4, 2.5e-4, 1.25e-4])


def test_a_checkpoint_gives_the_network_back(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    task, trainer = InpaintingTask(_network(norm="region")), make_trainer(max_steps=1)
    trainer.fit(task, _loader(_batch()))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    network, batch = load_network(tmp_path / "last.ckpt"), _batch(7)
    assert isinstance(network, PartialConvUNet)
    given = batch["input"], batch["mask"]
    torch.testing.assert_close(network(*given), task.network.eval()(*given))


def test_it_begins_with_given_weights(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    torch.manual_seed(1)
    begun = PartialConvUNet(widths=(4, 6), kernel_sizes=(4,))
    save_network(begun, tmp_path / "begun.safetensors")
    task = InpaintingTask(
        _network(),
        optimizer=partial(torch.optim.SGD, lr=0.0),
        initial_weights=tmp_path / "begun.safetensors",
    )
    make_trainer(max_steps=1).fit(task, _loader(_batch()))
    assert task.network.encoder[0].conv.weight.equal(begun.encoder[0].conv.weight)


def test_what_is_not_finite_stops_the_run_and_is_named(make_trainer: MakeTrainer) -> None:
    batch = _batch()
    batch["target"][1, 0, 0, 0] = math.nan
    with pytest.raises(NonFiniteError, match=r"valid is nan.*the batch's target.*0_1\.png"):
        make_trainer(max_steps=1).fit(InpaintingTask(_network()), _loader(batch))


def test_a_layer_that_is_not_finite_is_named(make_trainer: MakeTrainer) -> None:
    network = _network(norm="none")
    network.encoder[1].conv.register_forward_hook(
        lambda module, inputs, output: (output[0] / 0, output[1])
    )
    with pytest.raises(NonFiniteError, match=r"network\.encoder\.1\.conv \(PartialConv2d\)"):
        make_trainer(max_steps=1).fit(InpaintingTask(network), _loader(_batch()))


def test_phases_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="finetune_from must be 0 steps or more, got -1"):
        InpaintingTask(_network(), finetune_from=-1)
    with pytest.raises(ValueError, match=r"with freeze_encoder_norm, .*got PartialConvNet"):
        InpaintingTask(PartialConvNet(width_scale=0.1), finetune_from=1)


def test_samples_that_the_network_does_not_take_are_refused_at_once(
    make_trainer: MakeTrainer, image_folder: Path
) -> None:
    data = InpaintingDataModule(str(image_folder), CenterMask(0.5), size=30, batch_size=2)
    with pytest.raises(ValueError, match=r"data\.size must be a multiple of 4 .*UNet, got 30"):
        make_trainer(max_steps=1).fit(InpaintingTask(_network()), data)
