"""Tests of lit_restore.data._mask_shapes."""

import numpy as np
import pytest

from lit_restore.data._mask_shapes import KINDS, Kind, outlines, paint, thicken


def shapes(kind: Kind, count: int = 200, side: float = 100) -> np.ndarray:
    return outlines(np.random.default_rng(0), [kind], count, side)[0]


def turns(vertices: np.ndarray) -> np.ndarray:
    """The angles between successive edges, in radians, shape (count, vertices - 2)."""
    edges = np.diff(vertices, axis=1)
    heading = np.arctan2(edges[..., 1], edges[..., 0])
    return (np.diff(heading, axis=1) + np.pi) % (2 * np.pi) - np.pi


def test_lines_start_at_the_origin_and_rings_lie_about_it() -> None:
    for kind in ("walk", "stroke"):
        assert (shapes(kind)[:, 0] == 0).all()
    for kind in ("ellipse", "blob"):
        ring = shapes(kind)
        assert ring[:, 0] == pytest.approx(ring[:, -1])
        assert (ring.min(1) < 0).all()
        assert (ring.max(1) > 0).all()


def test_walks_turn_more_than_strokes() -> None:
    walk, stroke = (np.abs(turns(shapes(kind))).mean() for kind in ("walk", "stroke"))

    assert walk > 0.4 > 0.15 > stroke


def test_ellipses_are_ellipses_and_blobs_are_not() -> None:
    for kind, most in (("ellipse", 1e-9), ("blob", np.inf)):
        for ring in shapes(kind, 20):
            x, y = ring[:-1].T
            design = np.stack([x * x, x * y, y * y], 1)
            error = np.abs(design @ np.linalg.lstsq(design, np.ones(len(x)), rcond=None)[0] - 1)
            assert error.max() < most
            assert kind == "ellipse" or error.max() > 0.05


def test_only_blobs_are_filled() -> None:
    _, filled = outlines(np.random.default_rng(0), KINDS, 400, 100)
    extent = {kind: np.ptp(shapes(kind), axis=1).max() for kind in KINDS}

    assert filled.sum() in range(70, 131)
    assert outlines(np.random.default_rng(0), ["blob"], 9, 100)[1].all()
    assert not outlines(np.random.default_rng(0), ["walk", "stroke", "ellipse"], 9, 100)[1].any()
    assert extent["blob"] < extent["ellipse"] < extent["stroke"] <= 100


def test_shapes_grow_with_the_side() -> None:
    for kind in KINDS:
        assert shapes(kind, side=300) == pytest.approx(3 * shapes(kind))


def test_the_first_shape_is_on_top_with_the_largest_code() -> None:
    box = np.array([[1, 1], [6, 1], [6, 4], [1, 4], [1, 1]], float)
    line = np.array([[3, 0], [3, 2], [3, 4], [3, 5], [3, 7]], float)
    vertices = np.stack([line, box])

    codes = paint(vertices, np.array([False, True]), (8, 9))

    expected = np.zeros((8, 9), np.uint8)
    expected[1:5, 1:7] = 1
    expected[:, 3] = 2
    assert np.array_equal(codes, expected)
    outline = paint(vertices[1:], np.array([False]), (8, 9))
    assert outline[1, 1:7].all()
    assert not outline[2:4, 2:6].any()


@pytest.mark.parametrize("width", range(1, 14))
def test_a_square_brush_covers_a_square_with_the_largest_code(width: int) -> None:
    codes = np.random.default_rng(0).integers(0, 9, (30, 40)).astype(np.uint8)
    codes[codes < 8] = 0
    codes[10, 12] = 3

    windows = np.lib.stride_tricks.sliding_window_view(codes, (width, width))
    assert np.array_equal(thicken(codes, width, rounded=False), windows.max((2, 3)))


@pytest.mark.parametrize("width", range(1, 24))
def test_a_round_brush_is_a_regular_octagon(width: int) -> None:
    codes = np.zeros((2 * width + 9, 2 * width + 9), np.uint8)
    codes[width + 4, width + 4] = 7

    brush = thicken(codes, width, rounded=True)

    rows, columns = np.nonzero(brush)
    assert len(codes) - width + 1 == len(brush) == brush.shape[1]
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == width
    assert set(np.unique(brush)) == {0, 7}
    cut = brush[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert all(np.array_equal(np.rot90(cut, turn), cut) for turn in range(4))
    for line in (*cut, *cut.T):  # without gaps
        assert np.ptp(np.nonzero(line)) + 1 == np.count_nonzero(line)
    area = 0.8284 * width**2  # of a regular octagon
    assert abs(np.count_nonzero(cut) - area) <= 1.2 * width + 1
