"""The certificate as a page: one HTML file without scripts, fonts or pictures from elsewhere."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2430; background: #fff }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e4e8ee;
         vertical-align: top }
th { font-weight: 600; color: #51606f } td.number { font-variant-numeric: tabular-nums }
.seal { display: inline-block; margin: .8rem 0; padding: .3rem .9rem; border-radius: .4rem;
        font-weight: 600; background: #dff3e4; color: #12632b }
.seal.bad, tr.bad td { background: #fbe1df; color: #8f1d14 }
details { margin: .15rem 0 } summary { cursor: pointer } code { font-size: .92em }
.muted { color: #6b7886 }
"""


def to_html(certificate: Mapping[str, Any]) -> str:
    """Write a certificate as a page.

    Args:
        certificate: As ``parity.certificate.certify`` makes it.
    """
    right = [one for one in certificate["results"] if not one["variant"]]
    wrong = [one for one in certificate["results"] if one["variant"]]
    body = [
        _head(certificate),
        "<h2>Where and with what</h2>",
        _facts(certificate),
        "<h2>Comparisons</h2>",
        _levels(right, set(certificate["float32_only"])),
        *(_level(level, right) for level in _unique(_level_of(one) for one in right)),
        "<h2>Wrong variants</h2>",
        "<p>Ways to err that the comparison has to notice; the error is what gave it away.</p>",
        *(_variants(level, wrong) for level in _unique(_level_of(one) for one in wrong)),
        "<h2>What was exercised</h2>",
        _table(("cases", "attribute", "values"), _exercised(certificate["exercised"])),
        "<h2>Accepted deviations</h2>",
        _table(("case", "reason"), map(_cells, certificate["accepted"].items())),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Parity certificate</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _head(certificate: Mapping[str, Any]) -> str:
    seal = ("seal", "agrees") if certificate["passed"] else ("seal bad", "DIFFERS")
    against = "stored results of Keras" if certificate["reference"] == "golden" else "live Keras"
    worst = _number(certificate["worst_float64"])
    return (
        f'<h1>lit_restore and Keras</h1><p class="{seal[0]}">{seal[1]}</p>'
        f"<p>{escape('; '.join(certificate['summary']))}, against {against}. The worst float64 "
        f"error is {worst} of an array's largest value.</p>"
        '<p class="muted">Bounds follow from the type, the length of the longest sum and the '
        "number of sums in a row; none is set by hand. An error is a share of the largest value of "
        "its array, infinite where the shape is another or a value is not finite.</p>"
    )


def _facts(certificate: Mapping[str, Any]) -> str:
    rows = [_cells(one) for one in certificate["environment"].items()]
    for group, versions in certificate["reference_versions"].items():
        made = ", ".join(f"{name} {number}" for name, number in versions.items())
        rows.append(_cells((f"reference of {group}", made or "not stored")))
    return _table(("what", "version"), [*rows, _cells(("seed", certificate["seed"]))])


def _levels(results: Sequence[Mapping[str, Any]], single: Collection[str]) -> str:
    """Lay out the levels; what Keras computes in float32 whatever it is given counts as such."""
    rows = []
    for level in _unique(_level_of(one) for one in results):
        some = [one for one in results if _level_of(one) == level]
        double = [one for one in some if one["dtype"] == "float64" and one["case"] not in single]
        others = [one for one in some if one["dtype"] == "float32" or one["case"] in single]
        worst = [_worst(double), _worst(others)]
        agree = f"{sum(one['passed'] for one in some)} of {len(some)}"
        rows.append(_cells((level, agree, *worst)))
    return _table(("level", "agree", "worst in float64", "worst in float32"), rows)


def _worst(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return "-"
    errors = [one["worst"] for one in results]
    return _number(None if None in errors else max(errors))


def _level(level: str, results: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        _row(one, one["case"].partition("/")[2], "agrees" if one["passed"] else "DIFFERS")
        for one in results
        if _level_of(one) == level
    ]
    head = ("case", "type", "worst or first diverging", "error", "bound", "verdict")
    return f"<details><summary>{level}: every case</summary>{_table(head, rows)}</details>"


def _variants(level: str, results: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        _row(
            one,
            f"{one['case'].partition('/')[2]}: {one['variant']}",
            "noticed" if one["passed"] else "NOT NOTICED",
        )
        for one in results
        if _level_of(one) == level
    ]
    head = ("variant", "type", "first diverging", "error", "bound", "verdict")
    return f"<details><summary>{level}: {len(rows)}</summary>{_table(head, rows)}</details>"


def _row(one: Mapping[str, Any], name: str, verdict: str) -> str:
    """Lay out a result; all its errors unfold under the name of the array that decides."""
    errors = "<br>".join(f"{escape(array)} {_number(e)}" for array, e in one["errors"].items())
    where = f"<details><summary>{escape(one['where'])}</summary>{errors}</details>"
    end = (_number(one["worst"]), _number(one["bound"]), verdict)
    cells = [escape(name), one["dtype"], where, *end]
    bad = "" if one["passed"] else ' class="bad"'
    return f"<tr{bad}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _exercised(groups: Mapping[str, Mapping[str, Sequence[Any]]]) -> list[str]:
    return [
        _cells((group, name, ", ".join(map(str, values))))
        for group, attributes in groups.items()
        for name, values in attributes.items()
    ]


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<table><tr>{cells}</tr>{''.join(rows)}</table>"


def _cells(values: Iterable[object]) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in values) + "</tr>"


def _number(error: float | None) -> str:
    return "infinite" if error is None else f"{error:.1e}"


def _level_of(one: Mapping[str, Any]) -> str:
    return str(one["case"].partition("/")[0])


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
