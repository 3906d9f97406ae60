"""Random brightness, contrast, saturation, hue, noise and blur."""

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.data._draws import uniform
from lit_restore.data._luma import luma


@dataclass(frozen=True)
class ColourJitter:
    """Changes the colours of a picture; 0 changes nothing.

    Args:
        brightness: The picture is multiplied by 1 - brightness to 1 + brightness.
        contrast: So is its distance to the mean luma.
        saturation: So is the distance of each pixel to its luma.
        hue: Colours are turned about the axis of greys, by up to so much of a full turn, 0 to 0.5.
        noise: Highest standard deviation of Gaussian noise, in unit range.
        blur: Highest standard deviation of a Gaussian blur, in pixels.

    Raises:
        ValueError: If a number is negative, one of the first three above 1, or hue above 0.5.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    noise: float = 0.0
    blur: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        highest = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}
        for field in fields(self):
            value, most = getattr(self, field.name), highest.get(field.name, math.inf)
            if not 0 <= value <= most:
                raise ValueError(f"{field.name} must be 0 to {most}, got {value}")

    def __call__(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Change a picture, float32 in unit range, shape (1 or 3, H, W); the result is clipped.

        Raises:
            ValueError: If saturation or hue is to change in a grey picture.
        """
        if self == ColourJitter():
            return image
        if self.blur:
            image = gaussian_blur(image, uniform(generator, (0, self.blur)))
        image = self._colours(image, generator)
        if self.noise:
            level = uniform(generator, (0, self.noise))
            image = image + level * torch.randn(image.shape, generator=generator)
        return image.clamp(0, 1)

    def _colours(self, image: Tensor, generator: torch.Generator) -> Tensor:
        if self.brightness:
            image = image * _factor(generator, self.brightness)
        if self.contrast:
            mean = _brightness(image).mean()
            image = mean + (image - mean) * _factor(generator, self.contrast)
        if not (self.saturation or self.hue):
            return image
        if len(image) == 1:
            raise ValueError("grey pictures have no saturation and no hue: expected 0 for both")
        if self.saturation:
            grey = luma(image)
            image = grey + (image - grey) * _factor(generator, self.saturation)
        if self.hue:
            turn = _turn_of_hue(uniform(generator, (-self.hue, self.hue)))
            image = torch.einsum("dc,chw->dhw", turn, image)
        return image


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur a float picture (C, H, W) by a Gaussian of three sigma, the edge repeated."""
    reach = math.ceil(3 * sigma)
    if reach == 0:
        return image
    steps = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    weights = weights / weights.sum()
    padded = F.pad(image[:, None], (reach,) * 4, mode="replicate")
    across = F.conv2d(padded, weights.view(1, 1, 1, -1))
    return F.conv2d(across, weights.view(1, 1, -1, 1))[:, 0]


def _factor(generator: torch.Generator, spread: float) -> float:
    return uniform(generator, (1 - spread, 1 + spread))


def _brightness(image: Tensor) -> Tensor:
    return image if len(image) == 1 else luma(image)


def _turn_of_hue(turns: float) -> Tensor:
    """Make the matrix that turns RGB about the axis of greys, shape (3, 3)."""
    angle = 2 * math.pi * turns
    cos, sin = math.cos(angle), math.sin(angle) / math.sqrt(3)
    even, later, earlier = (1 + 2 * cos) / 3, (1 - cos) / 3 + sin, (1 - cos) / 3 - sin
    return torch.tensor([[even, earlier, later], [later, even, earlier], [earlier, later, even]])
