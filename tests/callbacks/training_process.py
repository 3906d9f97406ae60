"""A small training that records every step; the resume tests start, kill and resume it.

Everything that a resumed run could get wrong is in it: dropout draws from the global random state,
BatchNorm keeps statistics, the optimizer and the schedule keep state, samples are random views with
random noise in random order.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from lit_restore.callbacks import ExactResume
from lit_restore.callbacks.exact_resume import leave
from lit_restore.data import CutMix, GaussianNoise, IrregularMasks, JointAugmentation, Mixup, OneOf
from lit_restore.datamodules import (
    ClassificationDataModule,
    InpaintingDataModule,
    RestorationDataModule,
    SegmentationDataModule,
    SuperResolutionDataModule,
    UnpairedDataModule,
)
from lit_restore.losses import FeatureLoss, InpaintingLoss
from lit_restore.models import (
    PartialConvUNet,
    PatchDiscriminator,
    SRDiscriminator,
    SRResNet,
    UNet,
    UNetGenerator,
)
from lit_restore.nn import ImagePool
from lit_restore.optim import ConstantThenLinear
from lit_restore.tasks import (
    ClassificationTask,
    CycleGANTask,
    InpaintingTask,
    RestorationTask,
    SegmentationTask,
    SuperResolutionGANTask,
)


def digest(*tensors: Tensor) -> str:
    """Hash the bits of tensors."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()[:16]


class Record(Callback):
    """Appends a line per step: weights, optimizer, learning rate, samples."""

    def __init__(self, folder: Path, pause: float) -> None:
        self.folder = folder
        self.pause = pause

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write the line, and wait a moment so that a test can kill the run in time."""
        states = [one for optimizer in trainer.optimizers for one in optimizer.state.values()]
        moments = [value for state in states for value in state.values()]
        # DDP's buffers are those of rank 0, which sends them to the others before a forward pass,
        # except before the first one after a validation: on other ranks they may lag for a step.
        buffers = pl_module.buffers() if trainer.is_global_zero else ()
        line = {
            "step": trainer.global_step,
            "weights": digest(*pl_module.parameters(), *buffers),
            "optimizer": digest(*moments),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
            "rates": [one.param_groups[0]["lr"] for one in trainer.optimizers],
            "samples": digest(*(value for value in batch.values() if isinstance(value, Tensor))),
            "pools": digest(*pools(pl_module)),
            "paths": [Path(path).name for path in batch["path"]],
        }
        with (self.folder / f"rank{trainer.global_rank}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        time.sleep(self.pause)


def restoration(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """One network, with dropout."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Dropout(0.3), nn.Conv2d(6, 3, 1)
    )
    data = RestorationDataModule(
        options.root,
        GaussianNoise(20),
        size=16,
        view="zoom",
        flip=True,
        batch_size=3,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return RestorationTask(network, scheduler=schedule), data


def gan(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """Two networks with two optimizers, pre-training, an average and accumulated gradients."""
    task = SuperResolutionGANTask(
        SRResNet(width=4, depth=1),
        SRDiscriminator(width=2),
        FeatureLoss(nn.Conv2d(3, 4, 3)),
        scheduler=schedule,
        pretrain_steps=0 if options.processes > 1 else 3,
        gradient_clip_val=1.0,
        accumulate=2,
        ema_decay=0.9,
    )
    data = SuperResolutionDataModule(
        options.root,
        scale=4,
        size=16,
        batch_size=3,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return task, data


def inpainting(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """Random masks, six terms, and a second phase that begins between two checkpoints."""
    task = InpaintingTask(
        PartialConvUNet(widths=(4, 6), kernel_sizes=(4,)),
        InpaintingLoss(weights="random", layers=["block1_conv1"]),
        finetune_from=SECOND_PHASE,
    )
    data = InpaintingDataModule(
        options.root,
        IrregularMasks(),
        size=16,
        flip=True,
        batch_size=3,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return task, data


def cyclegan(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """Four networks, two pools of which pictures come back, dropout, accumulated gradients."""
    generators = [
        UNetGenerator(widths=(4, 6), norm=norm, dropout_stages=1)
        for norm in ("batch", "instance")  # type: ignore[arg-type]
    ]
    judges = [PatchDiscriminator(width=4, layers=1) for _ in range(2)]
    task = CycleGANTask(
        *generators,
        *judges,
        pool_size=4,
        scheduler=partial(ConstantThenLinear, total_steps=30, constant=0.2),
        accumulate=2,
        ema_decay=0.9,
    )
    data = UnpairedDataModule(
        options.root,
        a="a",
        b="b",
        size=16,
        jitter=20,
        batch_size=2,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return task, data


def classification(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """Batches that are mixed, by one way or the other."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(6 * 14**2, 2),
    )
    data = ClassificationDataModule(
        options.root,
        size=16,
        jitter=20,
        flip=True,
        brightness=0.2,
        mix=OneOf([CutMix(), Mixup()]),
        batch_size=3,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return ClassificationTask(network, scheduler=schedule), data


def segmentation(options: argparse.Namespace) -> tuple[LightningModule, LightningDataModule]:
    """Pictures and labels that are warped, recoloured and pasted into one another."""
    network = UNet(num_classes=1, widths=(4, 6), norm="batch", dropout=0.3)
    data = SegmentationDataModule(
        options.root,
        kind="binary",
        size=16,
        augmentation=JointAugmentation(
            rotation=30, zoom=(0.9, 1.5), elastic=2, brightness=0.2, hue=0.1, noise=0.1, paste=0.5
        ),
        batch_size=2,
        num_workers=options.workers,
        cache=str(options.out / "cache"),
    )
    return SegmentationTask(network, scheduler=schedule), data


def pools(task: LightningModule) -> list[Tensor]:
    """All pictures that a task's image pools have."""
    return [
        image
        for module in task.modules()
        if isinstance(module, ImagePool)
        for image in module.images
    ]


TASKS = {
    "restoration": restoration,
    "gan": gan,
    "inpainting": inpainting,
    "cyclegan": cyclegan,
    "classification": classification,
    "segmentation": segmentation,
}
SECOND_PHASE = 6


def schedule(optimizer: torch.optim.Optimizer) -> LRScheduler:
    """Lower the rate at each step."""
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)


def strategy(options: argparse.Namespace) -> str:
    """DDP for several processes; sides that take turns leave weights out of it."""
    turns = options.task == "cyclegan"
    ddp = "ddp_find_unused_parameters_true" if turns else "ddp"
    return ddp if options.processes > 1 else "auto"


def main() -> None:
    """Train until ``--steps``, from ``--resume`` if that is given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--save-every", type=int, default=0, help="steps; 0 for every epoch")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--task", choices=TASKS, default="restoration")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--resume")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seed_everything(0, verbose=False)
    options.out.mkdir(parents=True, exist_ok=True)
    task, data = TASKS[options.task](options)
    saving: dict[str, Any] = {"every_n_train_steps": options.save_every or None}
    last = ModelCheckpoint(options.out, "last", enable_version_counter=False, **saving)
    trainer = Trainer(
        max_steps=options.steps,
        accelerator="cpu",
        devices=options.processes,
        strategy=strategy(options),
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=options.out,
        callbacks=[
            *([] if "gan" in options.task else [EMAWeightAveraging(decay=0.9)]),
            Record(options.out, options.pause),
            last,
            ExactResume(),
        ],
    )
    trainer.fit(task, data, ckpt_path=options.resume)


if __name__ == "__main__":
    try:
        main()
    except SystemExit as stop:
        sys.exit(leave(stop.code))
    sys.exit(leave(0))
