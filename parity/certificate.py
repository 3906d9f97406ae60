"""The certificate: what was compared, where, by which versions, and every error with its bound.

It is one dictionary of plain values, written as JSON, or as a page that opens in a browser and
needs nothing else.
"""

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from parity import stored
from parity.case import Case
from parity.judge import Result
from parity.report import counts

SEED = "every array follows from the name of its case (CRC-32 of it seeds NumPy's MT19937)"
_PACKAGES = ("lit-restore", "torch", "numpy", "pillow")


def certify(
    cases: Sequence[Case], results: Sequence[Result], live: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Put together what a reader needs to believe it, in plain values.

    Args:
        cases: What was compared.
        results: How it came out, wrong variants and all.
        live: The versions of Keras and what it runs on, if it was compared with as it ran; None if
            stored results were.

    Returns:
        ``reference``, ``passed``, ``summary``, ``worst_float64``, ``environment``,
        ``reference_versions``, ``seed``, ``exercised``, ``accepted``, ``float32_only`` and
        ``results``.
    """
    return {
        "reference": "golden" if live is None else "live",
        "passed": all(one.passed for one in results),
        "summary": list(counts(results)),
        "worst_float64": _worst(cases, results),
        "environment": environment(),
        "reference_versions": _versions(cases, live),
        "seed": SEED,
        "exercised": exercised(cases),
        "accepted": {case.name: case.accepted for case in cases if case.accepted},
        "float32_only": [case.name for case in cases if case.precision in ("float32", "law")],
        "results": [_plain(one) for one in results],
    }


def _versions(
    cases: Sequence[Case], live: Mapping[str, str] | None
) -> dict[str, Mapping[str, str]]:
    groups = {stored.group(case): case.framework for case in cases}
    return {
        group: live if live is not None and framework == "keras" else stored.versions(group)
        for group, framework in sorted(groups.items())
    }


def to_json(certificate: Mapping[str, Any]) -> str:
    """Write a certificate as JSON; an infinite error, as of another shape, is null."""
    return json.dumps(certificate) + "\n"


def environment() -> dict[str, str]:
    """Tell the versions, the processor and the threads of this process."""
    found = {name: found for name in _PACKAGES if (found := _version(name))}
    return {
        "python": platform.python_version(),
        **found,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


def exercised(cases: Iterable[Case]) -> dict[str, dict[str, list[Any]]]:
    """List the values that every attribute had, by group of cases.

    Attributes are the settings, the side of a kernel, height and width of the first image, and the
    types.
    """
    groups: dict[str, dict[str, set[Any]]] = {}
    for case in cases:
        found = groups.setdefault("/".join(case.name.split("/")[:2]), {})
        for name, value in _attributes(case):
            found.setdefault(name, set()).add(value)
    return {
        group: {name: sorted(values, key=_by_type) for name, values in found.items()}
        for group, found in groups.items()
    }


def _attributes(case: Case) -> list[tuple[str, Any]]:
    settings = [(name, _hashable(value)) for name, value in (case.settings or {}).items()]
    shapes = {name: one.shape for name, one in case.inputs.items() if len(one.shape) == 4}
    # Arrays are laid out as the framework's: Keras's kernels are (k, k, in, out).
    name, side, height = ("kernel", 0, 1) if case.framework == "keras" else ("weight", 2, 2)
    kernel = [("kernel_size", shapes[name][side])] if name in shapes else []
    images = [shape for key, shape in shapes.items() if not key.endswith(name)]
    sizes = [("image_size", "{}x{}".format(*one[height : height + 2])) for one in images[:1]]
    return [*settings, *kernel, *sizes, *(("type", dtype) for dtype in case.dtypes)]


def _hashable(value: Any) -> Any:
    return str(value) if isinstance(value, (list, tuple, dict)) else value


def _by_type(value: Any) -> tuple[str, Any]:
    is_number = isinstance(value, (int, float))
    return ("number", value) if is_number else (type(value).__name__, value)


def _worst(cases: Iterable[Case], results: Iterable[Result]) -> float | None:
    """The largest error in float64, of what Keras computes in float64, too."""
    given = {case.name for case in cases if case.precision == "given"}
    errors = [
        max(one.errors.values())
        for one in results
        if one.dtype == "float64" and not one.variant and one.case in given
    ]
    return _finite(max(errors, default=0.0))


def _plain(result: Result) -> dict[str, Any]:
    errors = {name: _finite(error) for name, error in result.errors.items()}
    return asdict(result) | {
        "errors": errors,
        "where": result.where,
        "worst": _finite(result.worst),
        "first_diverging": None if result.agrees else result.where,
        "passed": result.passed,
    }


def _finite(error: float) -> float | None:
    return error if math.isfinite(error) else None
