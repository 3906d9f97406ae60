"""A training picture and its labels, changed at random and alike."""

import math

import torch
from torch import Tensor

from lit_restore.data._colour_jitter import ColourJitter
from lit_restore.data._draws import check_probability, happens, uniform
from lit_restore.data._warp import Border, warp, warp_places
from lit_restore.data.classes import IGNORED
from lit_restore.data.elastic import elastic_displacement


class JointAugmentation:
    """Mirrors, turns, warps and pastes pictures together with their labels; then changes colours.

    Rotation, zoom and elastic deformation are one resampling: bilinear for the picture, nearest
    for the labels; where neither is asked for, pixels stay as they are. Beyond its edge a picture
    goes on as its mirror image. Every random draw is the generator's.

    Args:
        flip: Whether to mirror half of the samples.
        turn: Whether to mirror and turn by quarters, in all eight ways, whatever ``flip`` is; for
            square samples, or in loaders of one by one.
        rotation: Largest angle to either side, in degrees.
        zoom: Smallest and largest factor, drawn evenly in its logarithm; above 1 enlarges. Bilinear
            resampling drops pixels where it reduces to less than about a half.
        elastic: Standard deviation of the displacement of the points of a 3x3 grid, in pixels of
            the sample; see ``elastic_displacement``.
        border: ``"reflect"`` mirrors the labels beyond the edge, too; ``"ignore"`` makes them 255.
        brightness: As in ``ColourJitter``, and so are the others: fractions.
        contrast: Up to 1.
        saturation: Up to 1; not for grey pictures.
        hue: Up to 0.5 of a full turn; not for grey pictures.
        noise: Highest standard deviation, in unit range.
        blur: Highest standard deviation, in pixels.
        paste: How often the labelled pixels of another sample (any class but 0) are laid over this
            one, as a probability; a dataset chooses the other one, and warps it by itself.

    Raises:
        ValueError: If a number is out of range.

    Source:
        Ronneberger et al., U-Net, MICCAI 2015, https://arxiv.org/abs/1505.04597, section 3.1
        (elastic deformation); Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method
        for Instance Segmentation, CVPR 2021, https://arxiv.org/abs/2012.07177 (pasting).
    """

    def __init__(
        self,
        flip: bool = True,
        turn: bool = False,
        rotation: float = 0.0,
        zoom: tuple[float, float] = (1.0, 1.0),
        elastic: float = 0.0,
        border: Border = "reflect",
        brightness: float = 0.0,
        contrast: float = 0.0,
        saturation: float = 0.0,
        hue: float = 0.0,
        noise: float = 0.0,
        blur: float = 0.0,
        paste: float = 0.0,
    ) -> None:
        _check_geometry(rotation, zoom, elastic, border)
        check_probability("paste", paste)
        self.flip = flip
        self.turn = turn
        self.rotation = rotation
        self.zoom = tuple(zoom)
        self.elastic = elastic
        self.border: Border = border
        self.colours = ColourJitter(brightness, contrast, saturation, hue, noise, blur)
        self.paste = paste

    def __call__(
        self, image: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Change a picture and its labels; nothing is pasted.

        Args:
            image: float32 in unit range, shape (1 or 3, H, W).
            labels: int64, shape (H, W); 255 is ignored.
            generator: Of the sample.

        Returns:
            Both, of the same types; sides are swapped where ``turn`` turns by a quarter.
        """
        image, labels = self.move(image, labels, generator)
        return self.recolour(image, generator), labels

    def move(
        self, image: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Mirror, turn and warp; arguments and results as of a call."""
        image, labels = self._mirrored(image, labels, generator)
        low, high = self.zoom
        if not self.rotation and not self.elastic and low == high == 1:
            return image, labels
        size = (labels.shape[0], labels.shape[1])
        degrees = uniform(generator, (-self.rotation, self.rotation))
        factor = math.exp(uniform(generator, (math.log(low), math.log(high))))
        moved = elastic_displacement(size, self.elastic, generator) if self.elastic else None
        places = warp_places(size, degrees, factor, moved)
        return warp(image, labels, places, self.border, IGNORED)

    def recolour(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Change the colours of a picture; argument and result as of a call."""
        return self.colours(image, generator)

    def pastes(self, generator: torch.Generator) -> bool:
        """Draw whether something is to be pasted."""
        return self.paste > 0 and happens(generator, self.paste)

    def _mirrored(
        self, image: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        if not (self.flip or self.turn):
            return image, labels
        across, down, swap = (torch.rand(3, generator=generator) < 0.5).tolist()
        axes = [axis for axis, wanted in ((-1, across), (-2, down and self.turn)) if wanted]
        both = [one.flip(axes) if axes else one for one in (image, labels)]
        if swap and self.turn:
            both = [one.transpose(-1, -2) for one in both]
        return both[0], both[1]


def paste_objects(
    image: Tensor, labels: Tensor, other: Tensor, other_labels: Tensor
) -> tuple[Tensor, Tensor]:
    """Lay the labelled pixels of another sample over a sample of the same size.

    Args:
        image: Shape (C, H, W).
        labels: Shape (H, W).
        other: The other picture, shape (C, H, W).
        other_labels: Its labels, shape (H, W); pixels of class 0 and of 255 are not pasted.
    """
    pasted = (other_labels != 0) & (other_labels != IGNORED)
    return torch.where(pasted, other, image), torch.where(pasted, other_labels, labels)


def _check_geometry(
    rotation: float, zoom: tuple[float, float], elastic: float, border: str
) -> None:
    if rotation < 0 or elastic < 0:
        raise ValueError(f"rotation and elastic must not be negative, got {rotation} and {elastic}")
    if len(zoom) != 2 or not 0 < zoom[0] <= zoom[1]:
        raise ValueError(f"zoom must be two factors above 0, the smaller first, got {zoom}")
    if border not in ("reflect", "ignore"):
        raise ValueError(f"border must be 'reflect' or 'ignore', got {border!r}")
