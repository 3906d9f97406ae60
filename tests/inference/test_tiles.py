"""Tests of lit_restore.inference.tiles."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lit_restore.inference.tiles import Grid, Span, computed, cores, cut, spans, tiles


@st.composite
def same(draw: st.DrawFn) -> Grid:
    """The grid of a network that keeps the size."""
    step = draw(st.sampled_from([1, 2, 16]))
    return Grid(step, 0, step * draw(st.integers(0, 8)), step)


@st.composite
def unpadded(draw: st.DrawFn) -> Grid:
    """The grid of a network that takes margin and more, in steps."""
    step, margin = draw(st.sampled_from([1, 2, 16])), draw(st.integers(1, 40))
    return Grid(step, margin, 0, 2 * margin + draw(st.integers(1, 20)))


LENGTHS = st.integers(1, 200)


@given(LENGTHS, st.integers(1, 12), same())
def test_tiles_cover_a_line_and_have_their_halo_on_the_grid(
    length: int, count: int, grid: Grid
) -> None:
    found = spans(length, count * grid.step, grid)
    pixels = [pixel for span in found for pixel in range(span.start, span.stop)]
    assert pixels == list(range(length))
    end = length + -length % grid.step
    for span in found:
        assert span.first % grid.step == span.last % grid.step == 0
        assert span.first == 0 or span.start - span.first >= grid.halo
        assert span.last == end or span.last - span.stop >= grid.halo
        assert 0 <= span.first <= span.start < span.stop <= span.last <= end


@given(LENGTHS, st.integers(1, 12), unpadded())
def test_tiles_with_a_margin_are_of_sides_that_the_network_takes(
    length: int, count: int, grid: Grid
) -> None:
    found = spans(length, count * grid.step, grid)
    pixels = [pixel for span in found for pixel in range(span.start, span.stop)]
    assert pixels == list(range(length))
    for span in found:
        side = span.last - span.first
        assert side >= grid.shortest
        assert (side - grid.shortest) % grid.step == 0
        assert span.first == span.start - grid.margin  # on the grid of the whole picture's
        assert span.first % grid.step == found[0].first % grid.step
        assert span.last >= span.stop + grid.margin


@given(st.tuples(LENGTHS, LENGTHS), same() | unpadded())
def test_tiles_are_chosen_within_the_budget_where_that_can_be(
    size: tuple[int, int], grid: Grid
) -> None:
    most = 4 * (2 * (grid.halo or grid.margin) + grid.step + grid.shortest) ** 2
    core = cores(size, grid, most)
    assert all(part % grid.step == 0 for part in core) or core[1] == size[1]
    for rows, columns in tiles(size, core, grid):
        assert (rows.last - rows.first) * (columns.last - columns.first) <= most


@pytest.mark.parametrize(
    ("size", "halo", "expected"),
    [((4000, 1500), 6, "strips"), ((4000, 6000), 96, "squares"), ((500, 40_000), 6, "squares")],
)
def test_strips_are_taken_where_they_cost_less(
    size: tuple[int, int], halo: int, expected: str
) -> None:
    core = cores(size, Grid(2, 0, halo, 2), 2**20)
    assert (core[1] == size[1]) == (expected == "strips")
    whole = size[0] * size[1]
    assert whole < computed(size, core, Grid(2, 0, halo, 2)) < 1.6 * whole


def test_what_lies_outside_repeats_the_edge_or_is_mirrored_for_a_margin() -> None:
    line = torch.arange(5.0).reshape(1, 1, 1, 5)
    row = Span(0, 1, 0, 1)
    edge = cut(line, row, Span(4, 5, 2, 8), Grid(2, 0, 2, 2))
    assert edge.flatten().tolist() == [2, 3, 4, 4, 4, 4]
    grid = Grid(1, 7, 0, 15)
    mirror = cut(line, row, Span(0, 5, -7, 12), grid)
    assert mirror.flatten().tolist() == [
        3, 4, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 4, 3, 2, 1, 0, 0, 1,
    ]  # fmt: skip
