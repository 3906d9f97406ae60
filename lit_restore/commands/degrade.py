"""``lit-restore degrade``: make degraded pictures, to try a network on or to measure it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import (
    Job,
    Sizes,
    UsageError,
    add_arguments,
    find_inputs,
    plan,
    run,
)
from lit_restore.commands._parser import Parser
from lit_restore.commands._report import Report
from lit_restore.commands._verb import carry_out

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data import Degradation


def main(argv: Sequence[str]) -> int:
    """Degrade the files that the arguments name.

    Args:
        argv: The words after ``lit-restore degrade``.

    Returns:
        0 all done, 1 some files failed. Wrong usage ends in ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _degrade)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore degrade",
        description="Degrade pictures. Several degradations are applied in the order downsample or "
        "blind, mosaic, grey, noise, jpeg. The results are 8-bit RGB, without transparency and "
        "metadata.",
    )
    add_arguments(parser)
    parser.add_argument("--downsample", type=int, metavar="SCALE", help="reduce by bicubic")
    parser.add_argument(
        "--method",
        choices=("matlab", "tensorflow", "tensorflow-antialias", "pillow"),
        help="whose bicubic (matlab)",
    )
    parser.add_argument(
        "--blind", type=int, metavar="SCALE", help="reduce by blur, noise and JPEG, all at random"
    )
    parser.add_argument("--mosaic", type=int, metavar="BLOCK", help="blocks of so many pixels")
    parser.add_argument("--sigma", type=float, help="blur between the blocks, in blocks (1.5)")
    parser.add_argument("--grey", action="store_true", help="take the colours away")
    parser.add_argument("--noise", type=float, metavar="SIGMA", help="grey levels of 0 to 255")
    parser.add_argument("--jpeg", type=int, metavar="QUALITY", help="compression, 1 to 95")
    parser.add_argument("--seed", type=int, default=0, help="of what is random (0)")
    parser.add_argument("--format", default="png", metavar="SUFFIX", help="of the outputs (png)")
    return parser


def _degrade(arguments: argparse.Namespace) -> int:
    from lit_restore.data.images import ReadOptions, suffix_of

    try:
        degradations = _degradations(arguments)
        suffix = suffix_of(arguments.format)
    except ValueError as error:
        raise UsageError(str(error)) from error
    options = ReadOptions(alpha="drop", bit_depth=8, strip_metadata=True)
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    jobs = plan(inputs, arguments.out, options, lambda header: suffix)
    report = Report("degraded", len(jobs), arguments.json)
    scale = arguments.downsample or arguments.blind or 1
    work = _Work(degradations, scale * (arguments.mosaic or 1), arguments.seed, report)
    return run(jobs, work, report, arguments.overwrite)


def _degradations(arguments: argparse.Namespace) -> "list[Degradation]":
    from lit_restore.data import GaussianNoise, Grayscale, JPEGCompression, Mosaic

    if arguments.sigma is not None and arguments.mosaic is None:
        raise UsageError("--sigma belongs to --mosaic")
    found = _reduction(arguments)
    if arguments.mosaic is not None:
        found.append(Mosaic(arguments.mosaic, 1.5 if arguments.sigma is None else arguments.sigma))
    if arguments.grey:
        found.append(Grayscale())
    if arguments.noise is not None:
        found.append(GaussianNoise(arguments.noise))
    if arguments.jpeg is not None:
        found.append(JPEGCompression(arguments.jpeg))
    if not found:
        raise UsageError(
            "choose at least one of --downsample, --blind, --mosaic, --grey, --noise and --jpeg"
        )
    return found


def _reduction(arguments: argparse.Namespace) -> "list[Degradation]":
    from lit_restore.data import BicubicDownsample, BlindDownsample

    if arguments.method is not None and arguments.downsample is None:
        raise UsageError("--method belongs to --downsample")
    if arguments.downsample is not None and arguments.blind is not None:
        raise UsageError("--downsample and --blind exclude each other")
    if arguments.downsample is not None:
        return [BicubicDownsample(arguments.downsample, arguments.method or "matlab")]
    return [] if arguments.blind is None else [BlindDownsample(arguments.blind)]


@dataclass(frozen=True)
class _Work:
    """Degrades one file.

    Attributes:
        degradations: In the order of their application.
        multiple: Height and width are cropped to a multiple of so many pixels.
        seed: With the position of a file, all that what is random depends on.
        report: Is told of what is cropped.
    """

    degradations: "Sequence[Degradation]"
    multiple: int
    seed: int
    report: Report

    def __call__(self, job: Job, wanted: Sequence[Path]) -> Sizes:
        """Degrade the picture of a job and return its size."""
        from lit_restore.data import read_image, sample_generator, write_image

        image = self._cropped(read_image(job.source, bit_depth=8), job.source)
        generator = sample_generator(self.seed, 0, job.position)
        for degradation in self.degradations:
            image = degradation(image, generator)
        write_image(image, wanted[0])
        return [(image.shape[-2], image.shape[-1])]

    def _cropped(self, image: "Tensor", source: Path) -> "Tensor":
        height, width = image.shape[-2:]
        bottom, right = height - height % self.multiple, width - width % self.multiple
        if not bottom or not right:
            raise ValueError(f"{width}x{height} pixels are less than a block of {self.multiple}")
        if (bottom, right) != (height, width):
            self.report.line(
                f"note: {source}: cropped from {width}x{height} to {right}x{bottom} pixels, "
                f"whole blocks of {self.multiple}"
            )
        return image[:, :bottom, :right].contiguous()
