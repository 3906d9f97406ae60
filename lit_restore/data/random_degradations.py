"""Resizing, noise and compression of random strength."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.data._draws import (
    check_probability,
    check_range,
    choose,
    happens,
    integer,
    needed,
    uniform,
)
from lit_restore.data._luma import luma
from lit_restore.data.degradation import Degradation, check_picture, to_codes
from lit_restore.data.degradations import compressed

_MODES = ("area", "bilinear", "bicubic")


def resized(image: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Resize a uint8 picture, shape (3, H, W), by area, bilinear or bicubic, equally often.

    These are PyTorch's, of which the last two do not average where they reduce.
    """
    mode = _MODES[choose(generator, (1, 1, 1))]
    return to_codes(F.interpolate(image.float()[None], size, mode=mode)[0])


class RandomResize(Degradation):
    """A picture enlarged, reduced or left at its size, as after a detour through other programs.

    Args:
        factors: Smallest and largest factor, below and above 1.
        odds: How often the picture is enlarged, reduced and neither, in any unit.

    Raises:
        ValueError: If an argument is out of range; when called, without a generator.

    Source:
        Wang et al., https://arxiv.org/abs/2107.10833, section 3.1.
    """

    def __init__(
        self,
        factors: tuple[float, float] = (0.15, 1.5),
        odds: Sequence[float] = (0.2, 0.7, 0.1),
    ) -> None:
        check_range("factors", factors, 0.01, 16)
        if not factors[0] <= 1 <= factors[1]:
            raise ValueError(f"factors must lie on both sides of 1, got {factors[0]}, {factors[1]}")
        if len(odds) != 3 or min(odds) < 0 or not sum(odds) > 0:
            raise ValueError(f"odds must be three numbers from 0 on, not all 0, got {odds}")
        self.factors = factors
        self.odds = tuple(odds)

    def __call__(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Resize a uint8 picture, shape (3, H, W), by a random factor; ``generator`` is needed."""
        height, width = image.shape[-2:]
        return self.around(image, (height, width), generator)

    def around(
        self, image: Tensor, size: tuple[int, int], generator: torch.Generator | None
    ) -> Tensor:
        """Resize a uint8 picture, shape (3, H, W), to ``size`` times a random factor."""
        check_picture(image)
        generator = needed(generator, "the size")
        low, high = self.factors
        ends = ((1.0, high), (low, 1.0), (1.0, 1.0))[choose(generator, self.odds)]
        factor = uniform(generator, ends)
        height, width = (max(1, round(side * factor)) for side in size)
        return resized(image, (height, width), generator)


class RandomNoise(Degradation):
    """Noise of a random strength: the same everywhere or, as of light, more where it is bright.

    Args:
        sigmas: Smallest and largest standard deviation of the normal noise, in grey levels.
        strengths: Smallest and largest strength of the Poisson noise: its standard deviation is
            the strength times the square root of the grey level.
        normal: Probability of the first of the two.
        grey: Probability that all channels get the same noise.

    Raises:
        ValueError: If an argument is out of range; when called, without a generator.

    Source:
        Wang et al., https://arxiv.org/abs/2107.10833, section 3.1.
    """

    def __init__(
        self,
        sigmas: tuple[float, float] = (1.0, 30.0),
        strengths: tuple[float, float] = (0.05, 3.0),
        normal: float = 0.5,
        grey: float = 0.4,
    ) -> None:
        check_range("sigmas", sigmas, 0, 255)
        check_range("strengths", strengths, 0, 100)
        check_probability("normal", normal)
        check_probability("grey", grey)
        self.sigmas = sigmas
        self.strengths = strengths
        self.normal = normal
        self.grey = grey

    def __call__(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Add noise to a uint8 picture, shape (3, H, W); ``generator`` is needed."""
        check_picture(image)
        generator = needed(generator, "noise")
        normal, grey = happens(generator, self.normal), happens(generator, self.grey)
        clean = image.float()
        light = luma(clean) if grey else clean
        if normal:
            sigma = uniform(generator, self.sigmas)
            noise = torch.randn(light.shape, generator=generator) * sigma
        else:
            strength = uniform(generator, self.strengths)
            noise = (torch.poisson(light, generator=generator) - light) * strength
        return to_codes(clean + noise)


class RandomJPEG(Degradation):
    """The picture after a JPEG file of a random quality has held it.

    Args:
        qualities: Smallest and largest quality of Pillow's encoder, of 1 (worst) to 95.

    Raises:
        ValueError: If the qualities are out of range; when called, without a generator.
    """

    def __init__(self, qualities: tuple[int, int] = (30, 95)) -> None:
        check_range("qualities", qualities, 1, 95)
        self.qualities = qualities

    def __call__(self, image: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Compress a uint8 picture, shape (3, H, W); ``generator`` is needed."""
        check_picture(image)
        return compressed(image, integer(needed(generator, "the quality"), self.qualities))
