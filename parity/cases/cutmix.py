"""CutMix: boxes and pasted pictures bit for bit, and the labels' shares; Mixup's blend."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from unittest.mock import patch

import torch
from torch import Tensor

from lit_restore.data import CutMix, Mixup
from lit_restore.data.cutmix import cutmix_box
from parity.arrays import Draw
from parity.case import Case, Ours, Tensors
from parity.layout import to_keras, to_torch

Box = tuple[int, int, int, int]
FindBox = Callable[[int, float, int, int], Box]

_SIZES = (*range(1, 65), 96, 128, 224, 256)
_DRAWN = 256
_SIZE = 12  # of the pictures that are pasted into
_WIDTH = 8  # of the box before it is clipped
_BOX = (6, 0, _SIZE, 7)


def boxes(t: Tensors, find: FindBox, whole: bool) -> Tensors:
    """A box for every size and every probability that there is for it."""
    found = [
        find(size, probability, int(x) % size, int(y) % size)
        for size in _SIZES
        for probability, x, y in zip(_probabilities(t, size, whole), t["x"], t["y"], strict=False)
    ]
    return {"output": torch.tensor(found, dtype=torch.int32)}


def _probabilities(t: Tensors, size: int, whole: bool) -> list[float]:
    """Those at which a box is a whole number of pixels wide, or drawn ones; float32 values."""
    if whole:
        widths = torch.arange(1, size + 1, dtype=torch.float64)
        values = 1 - (widths / size).square()
    else:
        digits = (t[name].double() for name in ("first", "second", "third"))
        values = sum((digit / 256**place for place, digit in enumerate(digits, 1)), torch.zeros(()))
    return [float(value) for value in values.float()]


def ours(size: int, probability: float, x: int, y: int) -> Box:
    """cutmix_box."""
    return cutmix_box(size, size, probability, x, y)


def _around(x: int, y: int, before: int, after: int, size: int) -> Box:
    edges = max(0, x - before), max(0, y - before), min(size, x + after), min(size, y + after)
    return edges[0], edges[1], edges[2], edges[3]


def in_python(size: int, probability: float, x: int, y: int) -> Box:
    """The root in double precision."""
    half = int(size * math.sqrt(1 - probability)) // 2
    return _around(x, y, half, half, size)


def rounded(size: int, probability: float, x: int, y: int) -> Box:
    """The nearest whole width."""
    half = round(size * math.sqrt(1 - probability)) // 2
    return _around(x, y, half, half, size)


def full_width(size: int, probability: float, x: int, y: int) -> Box:
    """Odd widths keep their last pixel."""
    width = int(torch.tensor(float(size)) * (1 - torch.tensor(probability)).sqrt())
    return _around(x, y, width // 2, width - width // 2, size)


def exchanged(size: int, probability: float, x: int, y: int) -> Box:
    """Columns for rows."""
    return ours(size, probability, y, x)


def _box_case(whole: bool) -> Case:
    wrong: dict[str, FindBox] = {
        "rounded": rounded,
        "odd widths as they are": full_width,
        "x and y exchanged": exchanged,
    }
    if whole:
        wrong["root in double precision"] = in_python
    names = ("x", "y") if whole else ("x", "y", "first", "second", "third")
    return Case(
        name=f"picture/cutmix_box/{'near_whole_widths' if whole else 'drawn'}",
        inputs={name: Draw((_DRAWN,), kind="codes") for name in names},
        ours=partial(boxes, find=ours, whole=whole),
        reference="cutmix.boxes",
        settings={"sizes": list(_SIZES), "whole": whole},
        wrong={name: partial(boxes, find=find, whole=whole) for name, find in wrong.items()},
        precision="exact",
    )


def _mixed(box: Box, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """CutMix of two samples with a box that is given; the first sample."""
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    with patch("lit_restore.data.cutmix.cutmix_box", lambda *_: box):
        pictures, shares = CutMix()(images, labels, generators)
    return pictures[0], shares[0]


def pasted(t: Tensors, box: Box = _BOX, swapped: bool = False) -> Tensors:
    """The pictures of CutMix."""
    images = to_torch(t["image"]).float()
    images = images.flip(0) if swapped else images
    picture, _ = _mixed(box, images, torch.eye(2))
    return {"output": to_keras(picture[None])[0].to(torch.uint8)}


def shared(t: Tensors, box: Box = _BOX, swapped: bool = False) -> Tensors:
    """The labels of CutMix."""
    labels = t["labels"].flip(0) if swapped else t["labels"]
    return {"output": _mixed(box, torch.zeros(2, 3, _SIZE, _SIZE), labels)[1]}


def blended(t: Tensors, exchanged: bool = False) -> Tensors:
    """The pictures of Mixup, where so much is left of each."""
    kept = float(t["kept"])
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    with patch("lit_restore.data.mixup.beta", lambda *_: 1 - kept if exchanged else kept):
        pictures, shares = Mixup()(to_torch(t["image"]), t["labels"], generators)
    return {"output": to_keras(pictures), "labels": shares}


def unblended_labels(t: Tensors) -> Tensors:
    """Each picture's own label stays."""
    return blended(t) | {"labels": t["labels"]}


def _mix_cases() -> Iterator[Case]:
    left, top, right, bottom = _BOX
    wrong: dict[str, Ours] = {
        "x and y exchanged": partial(pasted, box=(top, left, bottom, right)),
        "a pixel less": partial(pasted, box=(left, top, right, bottom - 1)),
        "the other way round": partial(pasted, swapped=True),
    }
    yield Case(
        name="picture/cutmix",
        inputs={"image": Draw((2, _SIZE, _SIZE, 3), kind="codes")},
        ours=pasted,
        reference="cutmix.mixed",
        settings={"box": list(_BOX)},
        wrong=wrong,
        precision="exact",
    )
    yield Case(
        name="picture/cutmix_labels",
        inputs={"labels": Draw((2, 4), 0.0, 1.0)},
        ours=shared,
        reference="cutmix.labels",
        settings={"box": list(_BOX), "size": _SIZE},
        wrong={
            "the area before clipping": partial(shared, box=(0, 0, _WIDTH, _WIDTH)),
            "the other way round": partial(shared, swapped=True),
        },
        terms=2,
    )
    yield Case(
        name="picture/mixup",
        inputs={
            "image": Draw((2, 5, 7, 3), 0.0, 1.0),
            "labels": Draw((2, 4), 0.0, 1.0),
            "kept": Draw((1,), 0.1, 0.4, kind="constant"),
        },
        ours=blended,
        reference="cutmix.blended",
        wrong={
            "the other way round": partial(blended, exchanged=True),
            "labels as they were": unblended_labels,
        },
        terms=2,
    )


CASES = (*(_box_case(whole) for whole in (True, False)), *_mix_cases())
