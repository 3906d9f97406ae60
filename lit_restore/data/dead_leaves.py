"""Pictures made from nothing: overlapping shapes with the statistics of photographs."""

from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from lit_restore.data import _leaves

SUPERSAMPLE = 2  # drawn so many times larger, then reduced: edges are antialiased


class DeadLeaves:
    """A generator of pictures after the dead-leaves model, for training without photographs.

    Ellipses, polygons, boxes and strokes hide one another. The density of their radii falls with
    the cube, so that spectra fall as those of photographs do. Two deviations from the plain model
    bring it nearer to photographs: details take after the shape that they lie on, some busy, some
    plain; and shapes carry gradients, textures and stripes. A picture keeps to a few colours, one
    direction of light, one amount of blur and one of grain. The numbers in the code were set so
    that contrast, spectrum and flatness are near those of photographs reduced to 64 pixels.

    Args:
        size: Side of the pictures, in pixels; at least 8.
        colors: Colours to draw from, shape (count, 3), uint8; see ``palette``. ``None`` draws greys
            tinted mostly between blue and yellow.
        large: Typical number of large shapes per 64 by 64 pixels.
        details: Mean number of small shapes per 64 by 64 pixels.

    Raises:
        ValueError: If ``size`` is below 8, a number of shapes is negative, or ``colors`` has
            another shape, another dtype or no entry.

    Source:
        Lee, Mumford, Huang, "Occlusion Models for Natural Images: A Statistical Study of a
        Scale-Invariant Dead Leaves Model", IJCV 41, 2001: why the density falls with the cube.
    """

    def __init__(
        self, size: int = 64, colors: Tensor | None = None, large: int = 45, details: int = 130
    ) -> None:
        if size < 8 or large < 0 or details < 0:
            wanted = "size must be at least 8, large and details at least 0"
            raise ValueError(f"{wanted}, got {size}, {large} and {details}")
        self.size = size
        self.colors = None if colors is None else _checked(colors).numpy()
        self.large = large * (size / 64) ** 2
        self.details = details * (size / 64) ** 2
        self._side = SUPERSAMPLE * size
        pixels = np.arange(self._side, dtype=np.float32)
        self._grid = np.stack(np.meshgrid(pixels, pixels), axis=-1)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw the next picture.

        Args:
            generator: The only source of randomness, on the CPU; one number is taken from it.

        Returns:
            Shape (3, size, size), uint8.
        """
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        large, center, radius = self._scatter(rng)
        count = len(radius)
        index, parent = self._stack(rng, large, center, radius)
        offset = (self._grid - center[index]) / radius[index][..., None]
        light = _leaves.shade(rng, count, index, offset) + _leaves.texture(rng, count, index)
        color = _leaves.paint(rng, self._leaf_colors(rng, count, parent), index, offset)
        picture = self._develop(rng, color * np.exp(light.clip(-2, 1.2))[..., None], index)
        return torch.from_numpy(picture).permute(2, 0, 1).contiguous()

    def _scatter(self, rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
        """Place the background, the large shapes (roughly by size) and the details, in that order.

        Returns how many come before the details, centres (count, 2) and radii (count,).
        """
        side, large = self._side, round(self.large * rng.lognormal(0, 0.4))
        details = round(self.details * rng.uniform(0, 2))
        radius = _leaves.power_law(rng, large, 7 * rng.lognormal(0.7, 0.5), 1.2 * side)
        order = rng.uniform(0.3, 2) * rng.standard_normal(large) - np.log(radius)
        swarm = rng.uniform(0, side, (3, 2))[rng.integers(3, size=details)]
        swarm += rng.normal(0, 0.16 * side, (details, 2))
        alone = rng.random((details, 1)) > 0.6 * rng.random()
        spot = np.where(alone, rng.uniform(0, side, (details, 2)), swarm).clip(0, side - 1)
        place = rng.uniform(-0.1 * side, 1.1 * side, (large, 2))
        center = np.concatenate([[[side / 2, side / 2]], place, spot])
        small = _leaves.power_law(rng, details, 2.4, 16)
        radii = np.concatenate([[side / 2], radius[order.argsort()], small])
        return 1 + large, center.astype(np.float32), radii.astype(np.float32)

    def _stack(
        self, rng: np.random.Generator, large: int, center: np.ndarray, radius: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which shape is seen at each pixel, and on which shape each detail lies."""
        upright = rng.choice([0, 0.9 * rng.random()])
        outlines = _leaves.outlines(rng, len(radius), upright) * radius[:, None, None]
        vertices = (outlines + center[:, None]).reshape(len(radius), -1).tolist()
        canvas = Image.new("I", (self._side, self._side))
        pen = ImageDraw.Draw(canvas)
        for number in range(1, large):
            pen.polygon(vertices[number], fill=number)
        column, row = center[large:].astype(int).T
        parent = np.asarray(canvas)[row, column]
        for number in range(large, len(vertices)):
            pen.polygon(vertices[number], fill=number)
        return np.asarray(canvas), parent

    def _leaf_colors(self, rng: np.random.Generator, count: int, parent: np.ndarray) -> np.ndarray:
        """Draw two colours a shape, (count, 2, 3), near a few; a detail comes near its parent's."""
        themes = self._draw_colors(rng, int(rng.integers(3, 9)))
        color = themes[rng.integers(len(themes), size=(count, 2))]
        stray = rng.random((count, 2, 1)) < 0.5 * rng.random()
        color = np.where(stray, self._draw_colors(rng, 2 * count).reshape(count, 2, 3), color)
        brightness = rng.normal(0, 0.5 * rng.random(), (count, 2, 1))
        color = color * np.exp(brightness + rng.normal(0, 0.12, (count, 2, 3)))
        busy = rng.random((count, 1))[parent] ** 1.5
        first = count - len(parent)
        color[first:, 0] = (1 - busy) * color[parent, 0] + busy * color[first:, 0]
        return color

    def _draw_colors(self, rng: np.random.Generator, count: int) -> np.ndarray:
        if self.colors is None:
            return _leaves.daylight(rng, count)
        return self.colors[rng.integers(len(self.colors), size=count)]

    def _develop(
        self, rng: np.random.Generator, light: np.ndarray, index: np.ndarray
    ) -> np.ndarray:
        """Give contrast, depth of field, blur and grain; return uint8 (size, size, 3)."""
        mean = light.mean((0, 1))
        light = mean + np.float32(rng.uniform(0.4, 1.1)) * (light - mean)
        picture = Image.fromarray(light.clip(0, 255).astype(np.uint8))
        if rng.random() < 0.2:
            near = Image.fromarray(index > rng.uniform(0.5, 1) * index.max())
            far = picture.filter(ImageFilter.GaussianBlur(rng.uniform(1, 5)))
            picture = Image.composite(picture, far, near.convert("L"))
        if rng.random() < 0.2:
            picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5)))
        small = np.asarray(picture.resize((self.size, self.size), Image.Resampling.LANCZOS))
        grain = rng.standard_normal((*small.shape[:2], 1)) + rng.normal(0, 0.5, small.shape)
        return (small + 3 * rng.random() ** 2 * grain).round().clip(0, 255).astype(np.uint8)


def palette(images: Iterable[Tensor], count: int, generator: torch.Generator) -> Tensor:
    """Draw colours from pictures, about as many from each.

    Args:
        images: Each of shape (3, H, W), uint8; the sizes may differ.
        count: How many colours to draw.
        generator: Chooses the pixels, on the CPU.

    Returns:
        Shape (count, 3), uint8, in random order.

    Raises:
        ValueError: If there is no image, or one has another shape or dtype.
    """
    pools = [_checked(image.flatten(1).T) for image in images]
    if not pools:
        raise ValueError("palette needs at least one image, got none")
    share = -(-count // len(pools))
    drawn = [pool[torch.randint(len(pool), (share,), generator=generator)] for pool in pools]
    order = torch.randperm(share * len(pools), generator=generator)
    return torch.cat(drawn)[order[:count]]


def _checked(colors: Tensor) -> Tensor:
    if colors.ndim != 2 or colors.shape[1] != 3 or not len(colors) or colors.dtype != torch.uint8:
        got = f"{tuple(colors.shape)} of {colors.dtype}"
        raise ValueError(f"colours must have shape (count, 3) of torch.uint8, got {got}")
    return colors
