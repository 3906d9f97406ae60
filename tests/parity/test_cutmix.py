"""Tests of parity.cases.cutmix."""

import math

import torch

from lit_restore.data import cutmix
from parity.cases import CASES
from parity.cases.cutmix import in_python, ours

BOXES = {case.name.rpartition("/")[2]: case for case in CASES if "cutmix_box" in case.name}


def test_the_stored_boxes_are_those_of_every_size_and_width() -> None:
    arrays = BOXES["near_whole_widths"].arrays("uint8")
    found = BOXES["near_whole_widths"].ours({n: torch.tensor(a) for n, a in arrays.items()})
    sizes = (BOXES["near_whole_widths"].settings or {})["sizes"]
    assert {*range(1, 65), 224} <= set(sizes)
    assert found["output"].shape == (sum(sizes), 4)


def test_a_root_in_double_precision_errs_where_the_width_is_nearly_whole() -> None:
    shares = {w: float(torch.tensor(1 - (w / 224) ** 2)) for w in range(1, 225)}
    other = [
        w
        for w, share in shares.items()
        if in_python(224, share, 112, 112) != ours(224, share, 112, 112)
    ]
    assert 0 < len(other) < 224 / 4
    exact = [224 * math.sqrt(1 - shares[w]) for w in other]
    assert all(abs(width - round(width)) < 1e-4 for width in exact)


def test_the_picture_of_two_is_mixed_with_the_other() -> None:
    case = next(case for case in CASES if case.name == "picture/cutmix")
    image = torch.arange(2 * 12 * 12 * 3).reshape(2, 12, 12, 3) % 256
    before = image.clone()
    mixed = case.ours({"image": image.byte()})["output"]
    left, top, right, bottom = (case.settings or {})["box"]
    assert torch.equal(mixed[top:bottom, left:right].long(), image[1, top:bottom, left:right])
    assert torch.equal(mixed[bottom:].long(), image[0, bottom:])
    assert torch.equal(image, before)
    assert cutmix.cutmix_box(12, 12, 0.5, 9, 3) == (5, 0, 12, 7)  # put back
