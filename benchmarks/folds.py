"""Cross-validation of a segmentation config: each picture is judged by a network that never saw it.

``python -m benchmarks.folds CONFIG --root FOLDER --out FOLDER`` trains the config once for each
fold, on the others' pictures, and judges the fold's pictures at their own size, as ``lit-restore
segment`` does. Figures are of all pixels of all pictures together. What is trained already is not
trained again.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from torch import Tensor, nn

from lit_restore.commands._compare_config import with_options
from lit_restore.commands._compare_process import Processes
from lit_restore.commands._compare_run import Run, carry_out, result_of
from lit_restore.data.images import read_image
from lit_restore.datamodules import SegmentationDataModule
from lit_restore.inference.segmenter import Segmenter, decide
from lit_restore.metrics.rand_score import foreground_rand_score
from lit_restore.metrics.segmentation import (
    confusion_matrix,
    dice,
    foreground_dice,
    iou,
    pixel_accuracy,
)
from lit_restore.nn import TTA

Flips = Literal["none", "horizontal", "eightfold"]
_OF_TRAINING = ("augmentation", "border", "cache")


@dataclass(frozen=True)
class Judged:
    """What came of the pictures of some folds.

    Attributes:
        names: Of the classes.
        confusion: Shape (K, K); rows are the truth.
        rand: Of each picture of two classes, how well its cells are kept apart.
    """

    names: tuple[str, ...]
    confusion: Tensor
    rand: tuple[float, ...] = ()

    def __add__(self, other: "Judged") -> "Judged":
        """Put both together."""
        return Judged(self.names, self.confusion + other.confusion, self.rand + other.rand)

    def figures(self) -> dict[str, float]:
        """Name what is reported."""
        found = {
            "miou": float(iou(self.confusion).nanmean()),
            "pixel_accuracy": float(pixel_accuracy(self.confusion)),
        }
        for kind, values in (("iou", iou(self.confusion)), ("dice", dice(self.confusion))):
            found |= {
                f"{kind}_{name}": float(value)
                for name, value in zip(self.names, values, strict=True)
            }
        if self.rand:
            found["foreground_dice"] = float(foreground_dice(self.confusion))
            found["foreground_rand"] = statistics.fmean(self.rand)
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is missing, judge, and print.

    Args:
        argv: The command line; None for the process's own.
    """
    parser = argparse.ArgumentParser("python -m benchmarks.folds", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--root", type=Path, required=True, help="folder of pictures and labels")
    parser.add_argument("--out", type=Path, required=True, help="for trainings and folds.json")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of every training")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the config")
    arguments = parser.parse_args(argv)
    options = dict(text.split("=", 1) for text in arguments.set)
    chosen = {key: yaml.safe_load(value) for key, value in options.items()}
    chosen |= {"data.root": str(arguments.root.resolve()), "data.folds": arguments.folds}
    chosen |= {"seed_everything": arguments.seed, "data.seed": arguments.seed}
    config = with_options(yaml.safe_load(arguments.config.read_text()), chosen)
    runs = list(_runs(config, arguments.out, arguments.folds, arguments.seed))
    start = Processes(1)
    for run in runs:
        if result_of(run) is None:
            carry_out(run, start)
    ways = {"plain": "none", "tta": _flips_of(config)}
    found = {way: _told(runs, flips, way) for way, flips in ways.items() if way == "plain" or flips}
    (arguments.out / "folds.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


def judge(network: nn.Module, data: SegmentationDataModule, flips: Flips) -> Judged:
    """Judge the pictures of the DataModule's test.

    Args:
        network: Of ``load_network``.
        data: Set up.
        flips: In which ways the network sees a picture; see ``TTA``.
    """
    dataset = data.dataset("test")
    seen = network if flips == "none" else TTA(network, "segmentation", flips).eval()
    segmenter = Segmenter(seen)
    kinds = len(data.class_names)
    total = Judged(data.class_names, torch.zeros(kinds, kinds, dtype=torch.int64))
    for file, label in zip(dataset.files, dataset.labels or [], strict=True):
        found = decide(segmenter(read_image(file, bit_depth=8)))
        truth = dataset.reader(label)  # type: ignore[misc]
        rand = (foreground_rand_score(found, truth).f,) if data.num_classes == 1 else ()
        total += Judged(data.class_names, confusion_matrix(found, truth, kinds), rand)
    return total


def _runs(config: dict[str, Any], out: Path, folds: int, seed: int) -> Iterator[Run]:
    for fold in range(folds):
        whole = with_options(config, {"data.fold": fold})
        yield Run(f"fold {fold}", seed, (out / f"fold{fold}").resolve(), whole, "last")


def _told(runs: Sequence[Run], flips: Flips, way: str) -> dict[str, dict[str, float]]:
    """Print the figures of each fold and of all."""
    each = {run.arm: _judged(run, flips) for run in runs}
    first, *others = each.values()
    each["all"] = sum(others, first)
    told = {name: judged.figures() for name, judged in each.items()}
    for name, figures in told.items():
        text = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
        print(f"{way}, {name}: {text}", flush=True)
    return told


def _judged(run: Run, flips: Flips) -> Judged:
    from lit_restore.checkpoints import load_network

    arguments = run.config["data"]["init_args"]
    kept = {key: value for key, value in arguments.items() if key not in _OF_TRAINING}
    data = SegmentationDataModule(**kept)
    data.setup("test")
    return judge(load_network(run.folder / "last.ckpt"), data, flips)


def _flips_of(config: dict[str, Any]) -> Any:
    tta = config["model"]["init_args"].get("tta")
    return tta and tta["init_args"].get("flips")


if __name__ == "__main__":
    sys.exit(main())
