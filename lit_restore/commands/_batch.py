"""What the verbs that turn picture files into picture files share."""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lit_restore.commands._report import Report, Result

if TYPE_CHECKING:
    from lit_restore.data.images import Header, ReadOptions

Sizes = list[tuple[int, int]]


class UsageError(Exception):
    """What was asked for cannot be done; nothing was written."""


@dataclass(frozen=True)
class Job:
    """One input file and the files that it becomes.

    Attributes:
        source: The input.
        outputs: One, or one per frame.
        header: What the input's header says; ``None`` if nothing is to be made of it.
        problem: Why nothing can be made of it; empty if something can.
        position: Among all inputs, from 0.
    """

    source: Path
    outputs: tuple[Path, ...]
    header: "Header | None"
    problem: str = ""
    position: int = 0


class Found(NamedTuple):
    """An input file, and its folder inside the one that was given (``.``: none)."""

    path: Path
    inside: Path = Path()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every such verb has."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="files and folders")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made if missing")
    deep = "descend into folders, whose like are made in --out"
    parser.add_argument("--recursive", action="store_true", help=deep)
    parser.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")


def find_inputs(inputs: Sequence[Path], recursive: bool) -> list[Found | Job]:
    """Replace folders by their images, sorted; one without images by a job that fails.

    A path that comes up twice is taken once.
    """
    from lit_restore.data.images import list_images

    found: dict[str, Found | Job] = {}
    for path in inputs:
        if not path.is_dir():
            found.setdefault(os.path.abspath(path), Found(path))
            continue
        files = list_images(path, recursive)
        if not files:
            found[os.path.abspath(path)] = Job(path, (), None, f"{path}: no images in this folder")
        for file in files:
            inside = file.parent.relative_to(path)
            found.setdefault(os.path.abspath(file), Found(file, inside))
    return list(found.values())


def plan(
    inputs: Sequence[Found | Job],
    folder: Path,
    options: "ReadOptions",
    suffix: "Callable[[Header], str]",
    kept: Sequence[Path] = (),
    beside: Sequence[str] = (),
) -> list[Job]:
    """Name the outputs of all inputs by their headers.

    Args:
        inputs: From ``find_inputs``.
        folder: Of the outputs.
        options: How the inputs will be read.
        suffix: Of the output for an input with such a header.
        kept: Further files that are read, such as masks.
        beside: Of each output ``a.png`` there are further ones, ``a_WORD.png`` for each of these.

    Raises:
        UsageError: If two inputs would get one output, an output is one of the inputs or of
            ``kept``, or ``folder`` is a file.
    """
    from lit_restore.data.images import ImageFileError, read_header

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out must be a folder, got the file {folder}")
    jobs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # reading will say it again
        for position, found in enumerate(inputs):
            if isinstance(found, Job):
                jobs.append(found)
                continue
            path = found.path
            try:
                header = read_header(path, options)
                stems, ending = _stems(path, header, options), suffix(header)
                names = [f"{name}{ending}" for stem in stems for name in _with(stem, beside)]
                outputs = tuple(folder / found.inside / name for name in names)
                jobs.append(Job(path, outputs, header, position=position))
            except ImageFileError as error:
                jobs.append(Job(path, (), None, str(error), position))
    _check_outputs(jobs, kept)
    return jobs


def _stems(path: Path, header: "Header", options: "ReadOptions") -> list[str]:
    if options.frames != "all" or header.frames == 1:
        return [path.stem]
    return [f"{path.stem}_{frame:04d}" for frame in range(header.frames)]


def _with(stem: str, beside: Sequence[str]) -> list[str]:
    return [stem, *(f"{stem}_{word}" for word in beside)]


def _check_outputs(jobs: Sequence[Job], kept: Sequence[Path]) -> None:
    inputs = {_identity(path) for path in (*(job.source for job in jobs if job.header), *kept)}
    owners: dict[str, Path] = {}
    for job in jobs:
        for output in job.outputs:
            owner = owners.setdefault(os.path.normcase(output), job.source)
            if owner != job.source:
                raise UsageError(f"{owner} and {job.source} would both be written to {output}")
            if output.exists() and _identity(output) in inputs:
                raise UsageError(f"{output} is an input, and inputs are never overwritten")


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def run(
    jobs: Sequence[Job],
    work: "Callable[[Job, Sequence[Path]], Sizes]",
    report: Report,
    overwrite: bool,
    after: "Callable[[], None] | None" = None,
) -> int:
    """Do all jobs, each on its own, and tell how they went.

    Args:
        jobs: From ``plan``.
        work: Writes those outputs of a job that it is given, in order, and returns their sizes.
        report: Is told of every output.
        overwrite: Whether to do again what is there already.
        after: What to do with the outputs when all are made.

    Returns:
        0 if all was done, 1 if something failed.
    """
    with report:
        for job in jobs:
            report.progress(job.source)
            for result in _do(job, work, overwrite):
                report.add(result)
        if after is not None:
            after()
    return report.finish()


def _do(
    job: Job, work: "Callable[[Job, Sequence[Path]], Sizes]", overwrite: bool
) -> "list[Result]":
    if job.problem:
        return [Result(job.source, None, "failed", job.problem)]
    wanted = [path for path in job.outputs if overwrite or not path.exists()]
    skipped = [
        Result(job.source, path, "skipped", "exists already")
        for path in job.outputs
        if path not in wanted
    ]
    if not wanted:
        return skipped
    start = time.perf_counter()
    try:
        wanted[0].parent.mkdir(parents=True, exist_ok=True)
        sizes = work(job, wanted)
    except Exception as error:  # whatever is wrong with this one, the others go on
        return [*skipped, Result(job.source, None, "failed", _reason(job.source, error))]
    seconds = (time.perf_counter() - start) / len(wanted)
    done = [
        Result(job.source, path, "done", "", seconds, size)
        for path, size in zip(wanted, sizes, strict=True)
    ]
    return skipped + done


def _reason(source: Path, error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.startswith(str(source)) else f"{source}: {text}"
