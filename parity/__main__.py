"""The command: ``python -m parity [WORD...]`` and ``python -m parity golden``.

Exit codes: 0 all agree and every wrong variant is noticed, 1 some do not, 2 usage, a stale
reference or a refused one, 3 TensorFlow is missing.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import torch

from parity import stored
from parity.case import Case
from parity.cases import CASES
from parity.judge import Result, bound, distances, judge
from parity.live import KerasWorker, ReferenceMissingError, ReferenceRefusedError
from parity.report import table, to_json
from parity.stored import StaleReferenceError


class UnknownCaseError(LookupError):
    """A word is in no case's name."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = list(sys.argv[1:] if args is None else args)
    torch.set_num_threads(1)
    try:
        return _golden(words[1:]) if words[:1] == ["golden"] else _compare(words)
    except ReferenceMissingError as error:
        sys.stderr.write(f"parity: {error}\n")
        return 3
    except (ReferenceRefusedError, StaleReferenceError, UnknownCaseError) as error:
        sys.stderr.write(f"parity: {error}\n")
        return 2


def _compare(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m parity", description="Compare with Keras.")
    parser.add_argument("word", nargs="*", help="only cases whose names have one of these in them")
    parser.add_argument(
        "--ref",
        choices=("golden", "live"),
        default="golden",
        help="stored results of Keras, or Keras itself",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here, too")
    options = parser.parse_args(args)
    results = list(compare(select(options.word), live=options.ref == "live"))
    print(table(results))
    if options.json:
        options.json.write_text(to_json(results, options.ref) + "\n")
    return int(not all(one.passed for one in results))


def _golden(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m parity golden", description="Store Keras's results for all cases."
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the stored results with Keras; write nothing"
    )
    if parser.parse_args(args).check:
        results = list(check())
        print(table(results))
        return int(not all(one.passed for one in results))
    with KerasWorker() as keras:
        for level, cases in groupby(sorted(CASES, key=_level), key=_level):
            pairs = [(case, keras.reference(case)) for case in cases]
            path = stored.write(level, pairs, keras.versions)
            print(f"{path.name}: {len(pairs)} cases, {path.stat().st_size / 1000:.0f} kB")
    return 0


def _level(case: Case) -> str:
    return case.level


def select(words: Sequence[str]) -> list[Case]:
    """Pick the cases whose names contain one of the words; all if there is no word.

    Raises:
        UnknownCaseError: If a word is in no name.
    """
    for word in words:
        if not any(word in case.name for case in CASES):
            kinds = sorted({"/".join(case.name.split("/")[:2]) for case in CASES})
            raise UnknownCaseError(
                f"no case has {word!r} in its name; there are {', '.join(kinds)}"
            )
    return [case for case in CASES if not words or any(word in case.name for word in words)]


def compare(cases: Sequence[Case], live: bool = False) -> Iterator[Result]:
    """Compare cases and their wrong variants with Keras, stored or live."""
    with ExitStack() as stack:
        read = stack.enter_context(KerasWorker()).reference if live else stored.read
        for case in cases:
            yield from judge(case, read(case))


def check() -> Iterator[Result]:
    """Compare what is stored with what Keras computes now."""
    with KerasWorker() as keras:
        for case in CASES:
            dtype = case.dtypes[0]
            errors = distances(case, keras.compute(case, dtype), stored.read(case))
            yield Result(case.name, dtype, errors, bound(case, dtype))


if __name__ == "__main__":
    raise SystemExit(main())
