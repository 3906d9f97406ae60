"""PatchGAN: a discriminator that scores every patch of a picture."""

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.models._checks import check_at_least, check_choice, check_picture
from lit_restore.models._gan import check_common, divide_by_spectral_norm, has_bias, start_gan
from lit_restore.models._style import Style
from lit_restore.nn import Norm, SameConv2d, make_norm

Padding = Literal["same", "one"]

_KERNEL = 4  # pixels
_WIDEST = 8  # times the first width


class PatchDiscriminator(nn.Module):
    """4x4 convolutions, ``layers`` of them of stride 2, and one filter that scores; logits.

    Each doubles the channels, up to 8 times ``width``; all but the first and the last are
    normalised. A score sees 16, 34, 70, 142 ... pixels for 1, 2, 3, 4 ... layers: see
    ``receptive_field``. How many scores a picture gets depends on the padding: take the shape of
    what they should be from the output (``torch.ones_like(logits)``) rather than from the size of
    the picture. For 256 pixels and 3 layers it is 32x32 with ``"same"``, and 30x30 with ``"one"``.

    Args:
        in_channels: Channels of the picture that is scored.
        width: Channels of the first convolution.
        layers: Convolutions of stride 2; 0: 1x1 convolutions that score each pixel by itself.
        norm: Kind of normalisation; see ``make_norm``. ``"batch"`` makes a score depend on the
            other pictures of the batch, which ``"wgan-gp"`` cannot have.
        condition_channels: Channels of the picture that the scored one should belong to, as in
            pix2pix; 0 for none, as in CycleGAN.
        padding: ``"same"``: TensorFlow's, as the study notes; ``"one"``: a pixel on each side, as
            the authors' code.
        spectral: Whether every kernel is divided by an estimate of its largest singular value.
        slope: Of the LeakyReLUs.
        dead_biases: Whether convolutions have a bias even where the normalisation that follows
            takes it away again.
        style: Whose constants of normalisation and whose first weights.

    Attributes:
        receptive_field: Pixels of the picture, along each side, that a score sees.

    Raises:
        ValueError: If an option is unknown, or a number is out of its range.

    Source:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
        https://arxiv.org/abs/1611.07004, sections 3.2.2 and 6.1.2; Miyato et al., "Spectral
        Normalization for Generative Adversarial Networks", ICLR 2018,
        https://arxiv.org/abs/1802.05957; the study notes.
    """

    multiple_of = 1

    def __init__(
        self,
        in_channels: int = 3,
        width: int = 64,
        layers: int = 3,
        norm: Norm = "instance",
        condition_channels: int = 0,
        padding: Padding = "same",
        spectral: bool = False,
        slope: float = 0.2,
        dead_biases: bool = False,
        style: Style = "torch",
    ) -> None:
        check_common(norm, style)
        check_choice("padding", padding, ("same", "one"))
        check_at_least(0, layers=layers, condition_channels=condition_channels)
        super().__init__()
        self.in_channels = in_channels
        self.width = width
        self.layers = layers
        self.norm: Norm = norm
        self.condition_channels = condition_channels
        self.padding: Padding = padding
        self.spectral = spectral
        self.slope = slope
        self.dead_biases = dead_biases
        self.style: Style = style
        self.receptive_field = 9 * 2**layers - 2 if layers else 1
        self.smallest = _smallest(layers, padding, norm)
        widths = [width * min(2**level, _WIDEST) for level in range(max(layers, 1) + 1)]
        bias = has_bias(norm, dead_biases)
        first = self._conv(condition_channels + in_channels, width, 0)
        others = [
            self._conv(before, after, level + 1, bias)
            for level, (before, after) in enumerate(pairwise(widths))
        ]
        self.convs = nn.ModuleList([first, *others])
        self.norms = nn.ModuleList(make_norm(norm, after, style) for after in widths[1:])
        self.head = self._conv(widths[-1], 1, len(widths))
        start_gan(self, style)
        if spectral:
            divide_by_spectral_norm(self)

    def _conv(self, before: int, after: int, index: int, bias: bool = True) -> nn.Module:
        if not self.layers:
            return SameConv2d(before, after, 1, bias=bias)
        stride = 2 if index < self.layers else 1
        if self.padding == "same":
            return SameConv2d(before, after, _KERNEL, stride, bias=bias)
        return nn.Conv2d(before, after, _KERNEL, stride, padding=1, bias=bias)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """Score the patches of pictures.

        Args:
            image: Shape (N, in_channels, H, W), of the range that it is trained with.
            condition: Shape (N, condition_channels, H, W): what the picture was made from; None if
                there are no such channels.

        Returns:
            Logits, the larger the truer a patch looks. Shape (N, 1, h, w): ``"same"`` has
            ceil(H / 2**layers) rows, ``"one"`` floor(H / 2**layers) - 2.

        Raises:
            ValueError: If a shape is another, the picture is too small, or a condition is missing
                or not expected.
        """
        check_picture(image, self.in_channels, least=self.smallest)
        x = self._joined(image, condition)
        first, *others = self.convs
        x = F.leaky_relu(first(x), self.slope)
        for conv, norm in zip(others, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), self.slope)
        logits: Tensor = self.head(x)
        return logits

    def _joined(self, image: Tensor, condition: Tensor | None) -> Tensor:
        expected = (len(image), self.condition_channels, *image.shape[-2:])
        if condition is None:
            if self.condition_channels:
                raise ValueError(f"expected a condition of shape {expected}, got none")
            return image
        if not self.condition_channels:
            raise ValueError(
                f"expected no condition, since condition_channels is 0; got one of shape "
                f"{tuple(condition.shape)}"
            )
        if tuple(condition.shape) != expected:
            raise ValueError(
                f"expected a condition of shape {expected}, got {tuple(condition.shape)}"
            )
        return torch.cat([condition, image], dim=1)


def _smallest(layers: int, padding: Padding, norm: Norm) -> int:
    """Say how many pixels a side must have for a score, and for two pixels to be normalised."""
    alone = norm in ("instance", "std_instance")
    if not layers:
        return 2 if alone else 1
    if padding == "one":
        return 3 * 2**layers
    return 2**layers + 1 if alone else 1
