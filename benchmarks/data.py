"""The data path: pictures per second in the first epoch, which decodes, and in later ones."""

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.process import in_fresh_process
from benchmarks.report import Figure, Report

PICTURES, WIDTH, HEIGHT = 300, 481, 321
SIZE, BATCH, LATER = 64, 32, 10
SOURCES = ("astronaut.png", "coffee.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg")


def run(rounds: int, threads: int) -> Report:
    """Measure ``RestorationDataModule`` on photographs, whole and reduced, with mosaics.

    Args:
        rounds: Each with a fresh cache.
        threads: Of PyTorch; the loader has no workers.
    """
    with tempfile.TemporaryDirectory() as folder:
        photographs(Path(folder) / "pictures" / "train")
        results = in_fresh_process(_rounds, Path(folder), rounds, threads)
    lines = [
        f"first epoch  {median(first for first, _ in results):8.0f} pictures/s of processor time",
        f"later epochs {median(later for _, later in results):8.0f} pictures/s of processor time",
    ]
    ratios = [later / first for first, later in results]
    title = f"data: {PICTURES} photographs of {WIDTH}x{HEIGHT}, reduced to {SIZE}x{SIZE}, mosaic"
    return Report(title, lines, [Figure("later epochs / first epoch", ratios, 20)])


def _rounds(folder: Path, rounds: int, threads: int) -> list[tuple[float, float]]:
    """Pictures per second of processor time in the first epoch and in later ones, each round."""
    import torch

    torch.set_num_threads(threads)
    _round(folder, "warm-up")
    return [_round(folder, str(number)) for number in range(rounds)]


def _round(folder: Path, name: str) -> tuple[float, float]:
    from lit_restore.data import Mosaic
    from lit_restore.datamodules import RestorationDataModule

    root, cache = str(folder / "pictures"), str(folder / name)
    module = RestorationDataModule(root, Mosaic(), SIZE, batch_size=BATCH, cache=cache)
    module.setup("fit")
    loader = module.train_dataloader()
    speeds = []
    for epochs in (1, LATER):
        start, count = time.process_time(), 0
        for _ in range(epochs):
            count += sum(len(batch["input"]) for batch in loader)
        speeds.append(count / (time.process_time() - start))
    return speeds[0], speeds[1]


def photographs(folder: Path, count: int = PICTURES) -> None:
    """Write crops of scikit-image's photographs as JPEG files.

    Args:
        folder: For the files; made if missing.
        count: Of the files.
    """
    import numpy as np
    import skimage
    from PIL import Image

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    stored = Path(skimage.__file__).parent / "data"
    sources = [Image.open(stored / name).convert("RGB") for name in SOURCES]
    for index in range(count):
        source = sources[index % len(sources)]
        left = int(rng.integers(source.width - WIDTH + 1))
        top = int(rng.integers(source.height - HEIGHT + 1))
        crop = source.crop((left, top, left + WIDTH, top + HEIGHT))
        crop.save(folder / f"{index:04}.jpg", quality=92)
