"""The command: ``python -m parity``, and its verbs ``golden``, ``mutate``, ``fuzz``, ``readme``.

Exit codes: 0 all agree and every wrong variant is noticed, 1 some do not, 2 usage, a stale
reference or a refused one, 3 TensorFlow is missing.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import torch

from lit_restore.atomic import replace_file
from lit_restore.commands._near import guess
from parity import stored
from parity.case import Case
from parity.cases import CASES
from parity.cases import live as live_cases
from parity.certificate import certify, to_json
from parity.judge import Reference, Result, bound, distances, judge
from parity.live import ChainerWorker, KerasWorker, ReferenceRefusedError
from parity.mutate import matrix, mutate
from parity.page import to_html
from parity.process import ReferenceMissingError, Worker
from parity.readme import README, figures, put
from parity.report import table
from parity.stored import StaleReferenceError

Read = Callable[[Case], Reference]
_WORKERS: dict[str, type[KerasWorker] | type[ChainerWorker]] = {
    "keras": KerasWorker,
    "chainer": ChainerWorker,
}


class UnknownCaseError(LookupError):
    """A word is in no case's name."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = list(sys.argv[1:] if args is None else args)
    verbs = {"golden": _golden, "mutate": _mutate, "fuzz": _fuzz, "readme": _readme}
    torch.set_num_threads(1)
    try:
        return verbs[words[0]](words[1:]) if words and words[0] in verbs else _compare(words)
    except ReferenceMissingError as error:
        sys.stderr.write(f"parity: {error}\n")
        return 3
    except (ReferenceRefusedError, StaleReferenceError, UnknownCaseError, OSError) as error:
        sys.stderr.write(f"parity: {error}\n")
        return 2


def _parser(verb: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m parity{verb}", description=about)
    parser.add_argument("word", nargs="*", help="only cases whose names have one of these in them")
    parser.add_argument(
        "--ref",
        choices=("golden", "live"),
        default="golden",
        help="stored results of Keras, or Keras itself",
    )
    return parser


def _compare(args: Sequence[str]) -> int:
    parser = _parser(
        "", "Compare with Keras. Verbs: golden, mutate, fuzz, readme (each has --help)."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the certificate as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the certificate as a page")
    options = parser.parse_args(args)
    live = options.ref == "live"
    cases = select(options.word, live_cases() if live else ())
    with _reference(live) as (read, versions):
        results = list(compare(cases, read))
    print(table(results))
    certificate = certify(cases, results, versions)
    for path, write in ((options.json, to_json), (options.html, to_html)):
        if path:
            replace_file(path, write(certificate).encode())
    return int(not certificate["passed"])


def _mutate(args: Sequence[str]) -> int:
    about = "Show that every wrong variant, and every small damage to a network, is noticed."
    options = _parser(" mutate", about).parse_args(args)
    with _reference(options.ref == "live") as (read, _):
        kills = list(mutate(select(options.word), read))
    print(matrix(kills))
    return int(not all(kill.passed for kill in kills))


def _fuzz(args: Sequence[str]) -> int:
    # Imported here, since hypothesis is not needed otherwise.
    return int(importlib.import_module("parity.fuzz").main(args))


def _readme(args: Sequence[str]) -> int:
    about = "Put the figures of all cases, compared with stored results, in README.md."
    argparse.ArgumentParser("python -m parity readme", description=about).parse_args(args)
    results, kills = list(compare(CASES)), list(mutate(CASES, stored.read))
    block = figures(CASES, results, kills)
    replace_file(README, put(README.read_text(), block).encode())
    print(block, end="")
    passed = (one.passed for found in (results, kills) for one in found)
    return int(not all(passed))


def _golden(args: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m parity golden", description="Store the reference's results for all cases."
    )
    parser.add_argument(
        "--check", action="store_true", help="compare what is stored with it; write nothing"
    )
    parser.add_argument("--framework", choices=tuple(_WORKERS), default="keras")
    options = parser.parse_args(args)
    cases = [case for case in CASES if case.framework == options.framework]
    with _WORKERS[options.framework]() as worker:
        if not options.check:
            _store(cases, worker)
            return 0
        results = [check(case, worker) for case in cases]
    print(table(results))
    return int(not all(one.passed for one in results))


def _store(cases: Sequence[Case], worker: Worker) -> None:
    for name, some in groupby(sorted(cases, key=stored.group), key=stored.group):
        pairs = [(case, worker.reference(case)) for case in some]
        path = stored.write(name, pairs, worker.versions)
        print(f"{path.name}: {len(pairs)} cases, {path.stat().st_size / 1000:.0f} kB")


def check(case: Case, worker: Worker) -> Result:
    """Compare what is stored with what the reference computes now."""
    dtype = case.dtypes[0]
    errors = distances(case, worker.compute(case, dtype), stored.read(case))
    return Result(case.name, dtype, errors, bound(case, dtype))


def select(words: Sequence[str], further: Sequence[Case] = ()) -> list[Case]:
    """Pick the cases whose names contain one of the words, in any case; all if there is no word.

    Args:
        words: As said.
        further: Cases beside those of ``CASES``.

    Raises:
        UnknownCaseError: If a word is in no name.
    """
    cases = (*CASES, *further)
    for word in words:
        if not any(_has(case, word) for case in cases):
            kinds = sorted({"/".join(case.name.split("/")[:2]) for case in cases})
            near = guess(word, [part for case in cases for part in case.name.split("/")])
            raise UnknownCaseError(
                f"no case has {word!r} in its name.{near} There are {', '.join(kinds)}"
            )
    return [case for case in cases if not words or any(_has(case, word) for word in words)]


def _has(case: Case, word: str) -> bool:
    return word.lower() in case.name.lower()


@contextmanager
def _reference(live: bool) -> Iterator[tuple[Read, Mapping[str, str] | None]]:
    """Give what reads a case's reference, and the versions of Keras if it runs.

    Of Chainer there are only stored results.
    """
    if not live:
        yield stored.read, None
        return
    with KerasWorker() as keras:
        readers: dict[str, Read] = {"keras": keras.reference, "chainer": stored.read}
        yield (lambda case: readers[case.framework](case)), keras.versions


def compare(cases: Sequence[Case], read: Read = stored.read) -> Iterator[Result]:
    """Compare cases and their wrong variants with what is read of the reference."""
    for case in cases:
        yield from judge(case, read(case))


if __name__ == "__main__":
    raise SystemExit(main())
