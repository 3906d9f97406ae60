"""Test-time augmentation: a network that sees a picture in several ways and gives the mean."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kind = Literal["classification", "segmentation", "restoration"]
Flips = Literal["none", "horizontal", "eightfold"]
Mean = Literal["probabilities", "logits"]


class TTA(nn.Module):
    """Shows a network each picture mirrored, turned, resized or cut, and takes the mean.

    It stands in for the network: what makes logits still does, ``softmax`` (or for one channel
    ``sigmoid``) of which are the mean probabilities, what restores gives the mean picture; and
    attributes that it lacks (``scale``, ``multiple_of``, ``num_classes``) are the network's. What
    is made of a view is brought back to the picture's own place before the mean, so that a network
    to which mirroring means nothing gives what it gave. While the network is in training mode, it
    sees the picture once, as it is.

    Args:
        network: Maps pictures, shape (N, C, H, W), to logits, shape (N, K), for classification, or
            to maps that lie as the pictures do.
        kind: What it is for.
        flips: ``"horizontal"``: each picture and its mirror image; ``"eightfold"``: mirrored and
            turned by quarters in all eight ways; ``"none"``: only as it is.
        crops: Side, in pixels, of five squares (the centre and the corners) that are shown instead
            of the whole picture; for classification only. None cuts nothing.
        scales: Factors by which the picture is resized, bilinearly, without aliasing, and to
            multiples of the network's ``multiple_of``; maps are resized back bilinearly.
        mean: Of logits, whether the mean is that of the ``"probabilities"`` that they stand for, or
            theirs (for softmax: the geometric mean of the probabilities).

    Raises:
        ValueError: If an option has no such value, or two do not go together; in ``forward``, if
            a picture is smaller than ``crops``.

    Source:
        Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", NIPS
        2012, section 4.1 (five squares and their mirror images); Timofte et al., "Seven Ways to
        Improve Example-Based Single Image Super Resolution", CVPR 2016,
        https://arxiv.org/abs/1511.02228, section 2.5 (eightfold); the study notes.
    """

    def __init__(
        self,
        network: nn.Module,
        kind: Kind = "classification",
        flips: Flips = "horizontal",
        crops: int | None = None,
        scales: Sequence[float] = (1.0,),
        mean: Mean = "probabilities",
    ) -> None:
        super().__init__()
        _check_choices(kind, flips, mean)
        _check_sizes(network, kind, crops, scales)
        self.network = network
        self.kind = kind
        self.flips = flips
        self.crops = crops
        self.scales = tuple(scales)
        self.mean = mean

    def forward(self, image: Tensor) -> Tensor:
        """Give the mean of what the network makes of all views.

        Args:
            image: Shape (N, C, H, W).

        Returns:
            What the network's is for this picture: the same shape, at least float32.
        """
        if self.network.training:
            return self.network(image)
        join = torch.logaddexp if self._of_probabilities() else torch.add
        made = (self._entered(self._made(*view, image)) for view in self._views(image))
        total, count = next(made), 1
        for one in made:
            total, count = join(total, one), count + 1
        return self._left(total, count)

    def __getattr__(self, name: str) -> Any:
        """Give the network's attribute if there is none here."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "network":  # of an instance that is not made yet
                raise
            return getattr(self.network, name)

    def extra_repr(self) -> str:
        """Tell the arguments."""
        return (
            f"kind={self.kind!r}, flips={self.flips!r}, crops={self.crops}, "
            f"scales={self.scales}, mean={self.mean!r}"
        )

    def _views(self, image: Tensor) -> Iterator[tuple[Tensor, "_Way"]]:
        """Yield what the network is shown, and how it was mirrored and turned."""
        for scale in self.scales:
            resized = _resized(image, _scaled_size(image, scale, self.network))
            for part in _five(resized, self.crops) if self.crops else [resized]:
                for way in _WAYS[self.flips]:
                    yield way.there(part), way

    def _made(self, seen: Tensor, way: "_Way", image: Tensor) -> Tensor:
        """Let the network make something of a view, and bring it back to the picture's place."""
        made = self.network(seen)
        made = made.to(torch.promote_types(made.dtype, torch.float32))
        if self.kind == "classification":
            return made
        back = way.back(made)
        if self.scales == (1.0,):  # the network may leave a margin
            return back
        factor = getattr(self.network, "scale", 1)
        return _resized(back, [factor * side for side in image.shape[-2:]])

    def _entered(self, made: Tensor) -> Tensor:
        """Turn what was made of a view to what is summed, in one row or two (yes and no)."""
        if not self._of_probabilities():
            return made[None]
        if made.shape[1] == 1:
            return torch.stack((F.logsigmoid(made), F.logsigmoid(-made)))
        return made.log_softmax(1)[None]

    def _left(self, total: Tensor, count: int) -> Tensor:
        """Turn the sum of what was made of ``count`` views to the mean."""
        if not self._of_probabilities():
            return total[0] / count
        return total[0] - total[1] if len(total) == 2 else total[0] - math.log(count)

    def _of_probabilities(self) -> bool:
        return self.kind != "restoration" and self.mean == "probabilities"


class _Way(NamedTuple):
    """One of the eight ways to lay a picture: first swapped about its diagonal, then mirrored."""

    swap: bool
    axes: tuple[int, ...]

    def there(self, image: Tensor) -> Tensor:
        image = image.transpose(-1, -2) if self.swap else image
        return image.flip(self.axes) if self.axes else image

    def back(self, image: Tensor) -> Tensor:
        image = image.flip(self.axes) if self.axes else image
        return image.transpose(-1, -2) if self.swap else image


_WAYS = {
    "none": [_Way(False, ())],
    "horizontal": [_Way(False, ()), _Way(False, (-1,))],
    "eightfold": [
        _Way(swap, axes) for swap in (False, True) for axes in ((), (-1,), (-2,), (-1, -2))
    ],
}


def _check_choices(kind: str, flips: str, mean: str) -> None:
    for name, value, choices in (
        ("kind", kind, Kind),
        ("flips", flips, Flips),
        ("mean", mean, Mean),
    ):
        if value not in get_args(choices):
            raise ValueError(f"{name} must be one of {', '.join(get_args(choices))}, got {value!r}")


def _check_sizes(
    network: nn.Module, kind: Kind, crops: int | None, scales: Sequence[float]
) -> None:
    if crops is not None and (kind != "classification" or crops < 1):
        raise ValueError(f"crops must be at least 1 pixel, for classification only, got {crops}")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be factors above 0, one at least, got {list(scales)}")
    if getattr(network, "margin", 0) and tuple(scales) != (1.0,):
        raise ValueError(
            "a network that leaves a margin sees other parts of resized pictures: expected scales "
            f"of 1 alone, got {list(scales)}"
        )


def _scaled_size(image: Tensor, scale: float, network: nn.Module) -> list[int]:
    """Height and width of a resized picture, in pixels, such as the network can take."""
    if scale == 1:
        return list(image.shape[-2:])
    grid = getattr(network, "multiple_of", 1)
    return [max(round(side * scale / grid), 1) * grid for side in image.shape[-2:]]


def _resized(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize bilinearly, or leave as it is what has the size."""
    if image.shape[-2:] == tuple(size):
        return image
    return F.interpolate(image, list(size), mode="bilinear", antialias=True)


def _five(image: Tensor, side: int) -> list[Tensor]:
    """Cut squares out of the centre and the corners."""
    height, width = image.shape[-2:]
    down, across = height - side, width - side
    if min(down, across) < 0:
        raise ValueError(f"crops of {side} pixels need a larger picture than {height}x{width}")
    corners = [(0, 0), (0, across), (down, 0), (down, across)]
    places = [(down // 2, across // 2), *corners]
    return [image[..., top : top + side, left : left + side] for top, left in places]
