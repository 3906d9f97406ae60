"""Ways to find edges: photograph (3, H, W) uint8 -> strength (1, H, W), larger where likelier."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

CONSTANT, CANNY, WIDE_CANNY = "constant mean picture", "Canny", "Canny, lines 3 pixels wide"
SOBEL, THIN_SOBEL = "Sobel's magnitude", "Sobel's magnitude, thinned"
BLURS = (1.0, 1.5, 2.0, 2.5, 3.0)
HIGHS = (30, 40, 60, 80, 110, 150)
RATIOS = (0.3, 0.5, 0.7, 0.9)
STEPS = 100


@dataclass(frozen=True)
class Way:
    """A method with all settings but its threshold.

    Attributes:
        setting: In words.
        strength: Maps a photograph to the strength of its edges.
        thresholds: What to try; rising.
        picture: Maps a photograph to a picture of its edges, shape (3, H, W), in unit range; None
            for what the threshold leaves, in white on black.
    """

    setting: str
    strength: "Callable[[Tensor], Tensor]"
    thresholds: Sequence[float] = (0.5,)
    picture: "Callable[[Tensor], Tensor] | None" = None


def methods(level: float, weights: Path | None = None) -> dict[str, list[Way]]:
    """Give all methods by name, each in the settings that it is to be tuned among.

    Args:
        level: Of the constant picture, in unit range.
        weights: A file of a network that turns photographs to pictures of edges.

    Raises:
        OSError, ValueError: If the weights are missing, broken or of a network that does not take
            and make colour pictures of one size.
    """
    found = {
        CONSTANT: [_constant(level)],
        CANNY: [_canny(*one) for one in _canny_settings()],
        WIDE_CANNY: [_canny(*one, wide=True) for one in _canny_settings()],
        SOBEL: [_sobel(blur) for blur in BLURS],
        THIN_SOBEL: [_sobel(blur, thin=True) for blur in BLURS],
    }
    return found | (_network(weights) if weights else {})


def picture_of(way: Way, photo: "Tensor", threshold: float) -> "Tensor":
    """Draw what a method finds: shape (3, H, W), in unit range."""
    if way.picture is not None:
        return way.picture(photo)
    return (way.strength(photo) >= threshold).float().expand(3, -1, -1)


def canny(photo: "Tensor", blur: float, low: float, high: float, wide: bool = False) -> "Tensor":
    """Find edges by OpenCV's Canny of the grey picture.

    Args:
        photo: Shape (3, H, W), uint8.
        blur: Standard deviation of the Gaussian before it, in pixels.
        low: Slope from which on a line goes on, in OpenCV's units: 8 times grey levels a pixel.
        high: Slope that a line needs somewhere.
        wide: Whether lines are then made 3 pixels wide.

    Returns:
        Shape (1, H, W): 1 at edges, else 0.
    """
    import cv2
    import numpy as np
    import torch

    grey = cv2.GaussianBlur(_grey(photo), (0, 0), blur)
    lines = cv2.Canny(grey, low, high, L2gradient=True)
    if wide:
        lines = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    return torch.from_numpy(lines > 0)[None].float()


def sobel(photo: "Tensor", blur: float, thin: bool = False) -> "Tensor":
    """Measure the slope of the blurred grey picture by Sobel's kernels, in grey levels a pixel.

    Args:
        photo: Shape (3, H, W), uint8.
        blur: As for Canny.
        thin: Whether only the crests of edges are kept.
    """
    import cv2
    import numpy as np
    import torch

    from lit_restore.metrics import thin_edges

    grey = cv2.GaussianBlur(_grey(photo).astype(np.float32), (0, 0), blur)
    slopes = [cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1))]
    strength = torch.from_numpy(np.hypot(*slopes) / 8)[None]
    return thin_edges(strength[None])[0] if thin else strength


def _constant(level: float) -> Way:
    import torch

    def strength(photo: "Tensor") -> "Tensor":
        return torch.full((1, *photo.shape[1:]), level)

    def picture(photo: "Tensor") -> "Tensor":
        return strength(photo).expand(3, -1, -1)

    return Way(f"level {level:.3f}", strength, (0.0,), picture)


def _canny(blur: float, low: float, high: float, wide: bool = False) -> Way:
    setting = f"sigma {blur:g}, {high:g} and {low:g}"
    return Way(setting, lambda photo: canny(photo, blur, low, high, wide))


def _canny_settings() -> list[tuple[float, float, float]]:
    return [(blur, ratio * high, high) for blur in BLURS for high in HIGHS for ratio in RATIOS]


def _sobel(blur: float, thin: bool = False) -> Way:
    thresholds = [100 ** (step / STEPS) for step in range(STEPS)]  # 1 to 100 levels a pixel
    return Way(f"sigma {blur:g}", lambda photo: sobel(photo, blur, thin), thresholds)


def _network(weights: Path) -> dict[str, list[Way]]:
    from lit_restore import Restorer, load_network
    from lit_restore.inference import takes_mask
    from lit_restore.metrics import thin_edges
    from lit_restore.metrics.boundary import THRESHOLDS

    network = load_network(weights)
    restorer = Restorer(network, "cpu")
    if takes_mask(network) or restorer.in_channels != 3 or restorer.scale != 1:
        raise ValueError(f"{weights}: expected a network that takes and makes colour pictures")
    picture = cache(restorer)  # a tensor is told from others by its identity

    def strength(photo: "Tensor") -> "Tensor":
        return picture(photo).mean(0, keepdim=True)

    def thin(photo: "Tensor") -> "Tensor":
        return thin_edges(strength(photo)[None])[0]

    name, setting = weights.stem, "brightness"
    return {
        name: [Way(setting, strength, THRESHOLDS, picture)],
        f"{name}, thinned": [Way(setting, thin, THRESHOLDS)],
    }


def _grey(photo: "Tensor") -> Any:
    import cv2

    return cv2.cvtColor(photo.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2GRAY)
