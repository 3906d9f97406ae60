"""The command ``python -m benchmarks``."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import benchmarks
from benchmarks import (
    data,
    edges,
    gan_speed,
    inpainting,
    machine,
    memory,
    precision,
    segmentation_speed,
    speed,
)
from benchmarks.report import Report

NAMES = (
    "training",
    "inference",
    "srgan",
    "gan",
    "precision",
    "memory",
    "data",
    "inpainting",
    "edges",
    "pconv",
    "style",
    "segmentation",
)
ON_PICTURES = ("inpainting", "edges")
USAGE, MISSING = 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run benchmarks and print what they found.

    Args:
        argv: The command line; None for the process's own.

    Returns:
        0, also where a target is missed; 2 where data are missing, 3 where a package or weights
        are. If no benchmark is named, one whose data or weights are missing is left out instead.
    """
    parser = argparse.ArgumentParser("python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; or all")
    parser.add_argument("--rounds", type=int, default=7, help="that count, after the warm-up")
    parser.add_argument("--threads", type=int, default=1, help="of each contender")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    _add_pictures(parser)
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        parser.error(f"expected names of {', '.join(NAMES)}, got {unknown[0]!r}")
    if min(arguments.rounds, arguments.threads, arguments.size) < 1:
        parser.error("--rounds, --threads and --size must be at least 1")
    if (arguments.weights or arguments.sheet) and not _of_one(arguments.names):
        parser.error("--weights and --sheet belong to inpainting or to edges: name one of them")
    _limit(arguments.threads)
    facts = machine.facts(arguments.threads)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), flush=True)
    try:
        reports = list(_reports(arguments))
    except inpainting.MissingDataError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return USAGE
    except inpainting.MissingNetworkError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return MISSING
    except ImportError as error:
        sys.stderr.write(f"benchmarks: {error}; pip install '.[bench]'\n")
        return MISSING
    if arguments.json:
        found = {"machine": facts, "reports": [report.plain() for report in reports]}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    options = parser.add_argument_group("of inpainting and edges")
    options.add_argument(
        "--weights", type=Path, metavar="FILE", help="of another network; of one that draws edges"
    )
    options.add_argument(
        "--size", type=int, default=inpainting.SIZE, help="side of pictures to fill, in pixels"
    )
    options.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet")


def _reports(arguments: argparse.Namespace) -> Iterator[Report]:
    races = {
        "training": speed.TRAINING,
        "inference": speed.INFERENCE,
        "srgan": speed.SRGAN,
        "gan": gan_speed.GAN,
        "pconv": speed.PARTIAL,
        "style": speed.STYLE,
        "segmentation": segmentation_speed.SEGMENTATION,
    }
    rounds, threads = arguments.rounds, arguments.threads
    for name in arguments.names or NAMES:
        reports: Iterator[Report]
        if name == "memory":
            reports = (memory.run(each, threads) for each in memory.SUBJECTS)
        elif name == "data":
            reports = iter([data.run(rounds, threads)])
        elif name == "precision":
            reports = (precision.run(each, rounds, threads) for each in precision.NETWORKS)
        elif name in ON_PICTURES:
            reports = _on_pictures(name, arguments)
        else:
            reports = (speed.run(race, rounds, threads) for race in races[name])
        for report in reports:
            print(f"\n{report.text()}", flush=True)
            yield report


def _on_pictures(name: str, arguments: argparse.Namespace) -> Iterator[Report]:
    threads, weights, sheet = arguments.threads, arguments.weights, arguments.sheet
    try:
        if name == "edges":
            yield edges.run(threads, weights, sheet)
        else:
            yield inpainting.run(threads, weights, arguments.size, sheet)
    except (inpainting.MissingDataError, inpainting.MissingNetworkError) as error:
        if arguments.names:
            raise
        print(f"\n{name} is left out: {error}", flush=True)


def _of_one(names: Sequence[str]) -> bool:
    return sum(name in ON_PICTURES for name in names or NAMES) == 1


def _limit(threads: int) -> None:
    """Hand the number of threads, and silence, to the processes that are started."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["KERAS_BACKEND"] = "tensorflow"


if __name__ == "__main__":
    sys.exit(main())
