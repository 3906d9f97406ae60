"""``lit-restore demo``: train on embedded pictures, restore others, and show the gain."""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._comparison import SIZE, Comparison, compare
from lit_restore.commands._parser import Parser

if TYPE_CHECKING:
    from lightning.pytorch import Trainer
    from torch import Tensor, nn

MISSING = 3
PHOTOS = (
    "astronaut.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
)
HELD_OUT = ("chelsea.png", "rocket.jpg", "coffee.png")
CROPS = 20


def main(argv: Sequence[str]) -> int:
    """Run the demonstration.

    Args:
        argv: The words after ``lit-restore demo``.

    Returns:
        0, or 3 if scikit-image, whose pictures are used, is not installed.
    """
    parser = Parser(
        prog="lit-restore demo",
        description="Train a small mosaic remover on generated pictures and on crops of the "
        "photographs that scikit-image ships, then restore three photographs that it never saw.",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="FOLDER")
    parser.add_argument("--steps", type=int, default=700, help="batches of 32 pictures")
    parser.add_argument("--pictures", type=int, default=3000, help="pictures to train on")
    parser.add_argument("--max-minutes", type=float, default=3.0, help="of training, at most")
    arguments = parser.parse_args(argv)
    try:
        import skimage
    except ImportError:
        sys.stderr.write(
            "lit-restore demo: the pictures of scikit-image are missing; install the extra: "
            "pip install 'lit-restore[demo]' ('.[demo]' in its repository)\n"
        )
        return MISSING
    _demo(arguments, Path(skimage.__file__).parent / "data")
    return 0


def _demo(arguments: argparse.Namespace, photos: Path) -> None:
    from lit_restore.checkpoints import save_network
    from lit_restore.commands._figure import before_after

    out: Path = arguments.out
    _tell(f"1/3 making {arguments.pictures} pictures to train on")
    make_pictures(out / "pictures", [photos / name for name in PHOTOS], arguments.pictures)
    _tell(f"2/3 training for {arguments.steps} steps, {arguments.max_minutes:g} minutes at most")
    network, trainer = _train(arguments)
    save_network(network, out / "mosaic_unet.safetensors", recipe="lit-restore demo")
    _tell(f"3/3 restoring pictures that were not in the training ({trainer.global_step} steps)")
    held_out = [photos / name for name in HELD_OUT]
    whole = compare(network, held_out, "resize", 1)
    crops = compare(network, held_out, "zoom", CROPS)
    before_after(whole, out / "before_after.png")
    sys.stdout.write(_table(whole, crops))
    if trainer.global_step < arguments.steps / 2:
        sys.stdout.write(
            f"\nonly {trainer.global_step} of {arguments.steps} steps were done in time: this "
            "machine is slow or busy; --max-minutes 20 gains more, and the shipped weights most\n"
        )
    sys.stdout.write(f"\nthe picture:  {out / 'before_after.png'}\n")
    sys.stdout.write(f"the network:  {out / 'mosaic_unet.safetensors'}\n")


def make_pictures(folder: Path, photos: Sequence[Path], count: int) -> None:
    """Write generated pictures, and a crop of a photograph as every fourth, if not there already.

    Args:
        folder: Gets the folder ``train``, and the folder ``val`` with 32 more.
        photos: To take colours and crops from.
        count: Pictures for training.
    """
    from lit_restore.data import write_image

    for split, seed, number in (("train", 0, count), ("val", 1, 32)):
        target = folder / split
        target.mkdir(parents=True, exist_ok=True)
        if len(list(target.glob("*.png"))) == number:
            continue
        for stale in target.glob("*.png"):
            stale.unlink()
        for index, picture in enumerate(_pictures(photos, seed, number)):
            write_image(picture, target / f"{index:05}.png")


def _pictures(photos: Sequence[Path], seed: int, count: int) -> "Iterator[Tensor]":
    from lit_restore.data import (
        DeadLeaves,
        RestorationDataset,
        palette,
        read_image,
        sample_generator,
    )

    colors = palette(map(read_image, photos), 4096, sample_generator(seed, 0, 0))
    leaves = DeadLeaves(SIZE, colors)
    crops = RestorationDataset(photos, None, SIZE, view="zoom", flip=True, repeat=count, seed=seed)
    for index in range(count):
        if index % 4:
            yield leaves(sample_generator(seed, 1, index))
        else:
            yield (crops[index]["target"] * 255).round().byte()


def _train(arguments: argparse.Namespace) -> "tuple[nn.Module, Trainer]":
    import warnings
    from functools import partial

    import torch
    from lightning.pytorch import Trainer, seed_everything

    from lit_restore.data import Mosaic
    from lit_restore.datamodules import RestorationDataModule
    from lit_restore.losses import L2Loss
    from lit_restore.models import MosaicUNet
    from lit_restore.tasks import RestorationTask
    from lit_restore.training import quieten

    quieten()
    warnings.filterwarnings("ignore", ".*val_dataloader.*")
    seed_everything(0, verbose=False)
    network = MosaicUNet(widths=(64, 80, 96), skip="add")
    task = RestorationTask(
        network,
        L2Loss(),
        partial(torch.optim.AdamW, lr=1e-3, weight_decay=1e-4, fused=True),
        partial(
            torch.optim.lr_scheduler.LambdaLR,
            lr_lambda=_Anneal(arguments.steps, 60 * arguments.max_minutes),
        ),
    )
    data = RestorationDataModule(
        str(arguments.out / "pictures"),
        Mosaic(),
        SIZE,
        flip=True,
        batch_size=32,
        cache=str(arguments.out / "cache"),
    )
    trainer = Trainer(
        max_steps=arguments.steps,
        max_time={"seconds": int(60 * arguments.max_minutes)},
        default_root_dir=arguments.out,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        limit_val_batches=1,
    )
    trainer.fit(task, data)
    return network, trainer


class _Anneal:
    """A learning rate that warms up and falls by a cosine, to zero when steps or time run out."""

    def __init__(self, steps: int, seconds: float) -> None:
        self.steps = steps
        self.seconds = seconds
        self.start: float | None = None

    def __call__(self, step: int) -> float:
        now = time.monotonic()
        self.start = self.start or now
        done = min(max(step / self.steps, (now - self.start) / self.seconds), 1)
        return min((step + 1) / 35, 1) * 0.5 * (1 + math.cos(math.pi * done))


def _table(whole: Comparison, crops: Comparison) -> str:
    from lit_restore.metrics import psnr

    lines = [f"{'PSNR in dB':<24}{'mosaic':>9}{'bicubic':>9}{'restored':>9}"]
    groups: list[list[float]] = []
    for kind, pictures, repeat in (("whole", whole, 1), (f"{CROPS} crops", crops, CROPS)):
        columns = [psnr(column, pictures.original).view(-1, repeat).mean(1) for column in pictures]
        for index, name in enumerate(HELD_OUT):
            figures = [float(column[index]) for column in columns[:3]]
            lines.append(_row(f"{Path(name).stem}, {kind}", figures))
            groups.append(figures)
    mean = [sum(column) / len(groups) for column in zip(*groups, strict=True)]
    gains = [mean[2] - mean[0], mean[2] - mean[1]]
    lines += [_row("mean", mean), ""]
    lines.append(f"gain over the mosaic {gains[0]:+.2f} dB, over its smoothing {gains[1]:+.2f} dB")
    return "\n".join(lines) + "\n"


def _row(title: str, figures: Sequence[float]) -> str:
    return f"{title:<24}" + "".join(f"{figure:9.2f}" for figure in figures)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
