"""An evaluation as a Markdown table: figures, the papers' beside them, an earlier table's."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_restore.commands._evaluation_rows import Row

if TYPE_CHECKING:
    from lit_restore.metrics import Figure

_DIGITS = {"psnr": 2, "ssim": 4}
_RULES = {
    "paper": "luma, small pictures made of it, results rounded",
    "y": "luma, not rounded",
    "rgb": "all three channels",
    "notes": "RGB in 8 bits, small pictures by OpenCV's bilinear",
}


def as_markdown(rows: Sequence[Row], earlier: Sequence[Row] = ()) -> str:
    """Write rows as a table with a line about the pictures above.

    Args:
        rows: At least one; all by one protocol and of the same large pictures.
        earlier: Rows to put beside those of the same model and scale, and below them where there
            is no such row.

    Returns:
        Lines of Markdown.
    """
    columns = _columns(rows, earlier)
    header = ["model", "scale", *columns, "weights"]
    lines = [header, ["---", "---:", *["---:"] * len(columns), "---"]]
    old = {(row.model, row.scale): row for row in earlier}
    for row in rows:
        cells = _cells(row, old.pop((row.model, row.scale), None))
        lines.append(
            [row.model, f"x{row.scale}", *(cells[name] for name in columns), _weights(row)]
        )
    for row in old.values():
        cells = _cells(row, row)
        name = f"{row.model} (earlier)"
        lines.append([name, f"x{row.scale}", *(cells[one] for one in columns), _weights(row)])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{_heading(rows[0])}\n\n{table}\n"


def _heading(row: Row) -> str:
    name, known = row.facts["data"], row.facts["data_known"]
    dataset = f"{name} (known {known}): " if name else ""
    protocol = row.psnr.protocol.name
    return (
        f"{dataset}{row.psnr.images} images, sha256 {row.facts['data_sha256'][:12]}; "
        f"protocol {protocol}: {_RULES[protocol]}"
    )


def _columns(rows: Sequence[Row], earlier: Sequence[Row]) -> list[str]:
    """Name the columns that have something to say."""
    with_paper = any(row.facts["paper_psnr"] or row.facts["paper_ssim"] for row in rows)
    found = []
    for measure in ("PSNR", "SSIM"):
        found.append(measure)
        if with_paper:
            found += [f"paper's {measure}", f"{measure} - paper's"]
        if earlier:
            found += [f"earlier {measure}", f"{measure} - earlier"]
    return found


def _cells(row: Row, old: Row | None) -> dict[str, str]:
    cells = {}
    for measure, figure in (("psnr", row.psnr), ("ssim", row.ssim)):
        name, digits = measure.upper(), _DIGITS[measure]
        before: Figure | None = getattr(old, measure, None)
        change = None if before is None or old is row else figure - before
        cells[name] = _text(None if old is row else figure.value, digits)
        cells[f"paper's {name}"] = _text(row.facts[f"paper_{measure}"], digits)
        cells[f"{name} - paper's"] = _beside(figure.value, row.facts[f"paper_{measure}"], digits)
        cells[f"earlier {name}"] = _text(None if before is None else before.value, digits)
        cells[f"{name} - earlier"] = _signed(change, digits)
    return cells


def _beside(value: float, paper: float | None, digits: int) -> str:
    """Tell by how much the two figures differ that the table shows."""
    return "" if paper is None else _signed(round(value, digits) - paper, digits)


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{round(value, digits) + 0.0:+.{digits}f}"  # no minus before nothing


def _weights(row: Row) -> str:
    sha256 = row.facts["weights_sha256"]
    by = ", enlarged by Pillow" if row.facts["enlarge"] == "pillow" else ""
    return f"{sha256[:12]}{by}" if sha256 else ""
