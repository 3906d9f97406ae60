"""A network made ready to fill the holes of single pictures of any size."""

import inspect
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference._device import find_device
from lit_restore.inference._picture import check_image
from lit_restore.nn import to_unit

REACH = 12
CONTEXT = 128


def takes_mask(network: nn.Module) -> bool:
    """Whether a network is called with a picture and a mask."""
    return "mask" in inspect.signature(network.forward).parameters


class Inpainter:
    """Fills the holes of one picture at a time, whatever its size.

    Valid pixels are returned as they came. The network sees the rectangle that holds all holes and,
    to each side, half as much again, at least ``CONTEXT`` pixels: a small hole of a large picture
    costs little. What it sees is padded at the right and the bottom by pixels that are not valid,
    up to the multiple that the network asks for, and the result is cut back: partial convolutions
    treat what lies outside of a picture so anyway.

    A network that was trained on small pictures fills narrow holes alone. Where a hole has pixels
    with no valid one within ``reach``, a picture of half the size, each of whose pixels is the mean
    of the valid ones among four, is filled first, and so on. From the edge of the hole to that
    depth its result, enlarged, gradually takes the place of what the network makes of the picture
    itself.

    Args:
        network: Maps (N, 3, H, W) in unit range and a mask (N, 1, H, W), 1 where valid, to
            (N, 3, H, W). It is moved to the device and put in eval mode. It may say what it needs
            by the attributes ``multiple_of`` (pixels, 1 if missing) and ``value_range`` (of its
            output; ``"signed"`` is turned to unit).
        device: ``"auto"`` takes a GPU where there is one.
        reach: Depth, in pixels, up to which the network fills holes by itself; measured by the
            larger of the differences in x and y.

    Raises:
        ValueError: If there is no such device, the network takes no mask, or ``reach`` is below 1.
    """

    def __init__(
        self,
        network: nn.Module,
        device: Literal["auto", "cpu", "cuda"] | str = "auto",
        reach: int = REACH,
    ) -> None:
        if not takes_mask(network):
            raise ValueError(
                f"a network that fills holes takes a picture and a mask, got "
                f"{type(network).__name__}, which takes no mask"
            )
        if reach < 1:
            raise ValueError(f"reach must be at least 1 pixel, got {reach}")
        self.device = find_device(device)
        self.reach = reach
        self.multiple_of = int(getattr(network, "multiple_of", 1))
        self.signed = getattr(network, "value_range", "unit") == "signed"
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill the holes of a picture.

        Args:
            image: Shape (3, H, W); uint8, or float in unit range. What is in the holes does not
                matter, be it NaN.
            mask: Shape (1, H, W), bool or 0 and 1 of any type; 1 where valid.

        Returns:
            Shape (3, H, W), float32, on the device of ``image``. Valid pixels are those of
            ``image``, of bytes divided by 255; in the holes it is clipped to unit range.

        Raises:
            ValueError: If ``image`` or ``mask`` has another shape, type or value, or no pixel is
                valid.
        """
        self._check(image, mask)
        result = image.float() / 255 if image.dtype == torch.uint8 else image.float().clone()
        valid = mask.to(image.device) != 0
        if valid.all():
            return result
        rows, columns = (_surroundings(valid[0].all(axis)) for axis in (1, 0))
        part, valid = result[:, rows, columns], valid[:, rows, columns]
        batch = part.where(valid, 0)[None].to(self.device)
        filled = self._filled(batch, valid[None].to(self.device, torch.float32))
        result[:, rows, columns] = torch.where(valid, part, filled[0].to(image.device))
        return result

    def _filled(self, image: Tensor, mask: Tensor) -> Tensor:
        """Fill a picture, shape (1, 3, H, W), that is 0 in its holes; valid pixels may change."""
        near = _share(mask, self.reach)
        result = self._predicted(image, mask)
        if near.gt(0).all():
            return result
        coarse = _doubled(self._filled(*_halved(image, mask)), image)
        return coarse.lerp(result, (2 * near).clamp(max=1))

    def _predicted(self, image: Tensor, mask: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padding = (0, -width % self.multiple_of, 0, -height % self.multiple_of)
        padded = F.pad(image, padding).contiguous(memory_format=torch.channels_last)
        result: Tensor = self.network(padded, F.pad(mask, padding))
        if result.shape != padded.shape:
            raise ValueError(
                f"the network must make shape {tuple(padded.shape)}, got {tuple(result.shape)}"
            )
        result = result[..., :height, :width].float()
        return (to_unit(result) if self.signed else result).clamp(0, 1)

    def _check(self, image: Tensor, mask: Tensor) -> None:
        check_image(image, 3)
        if mask.shape != (1, *image.shape[1:]):
            raise ValueError(
                f"mask must have shape {(1, *image.shape[1:])} for an image of "
                f"{tuple(image.shape)}, got {tuple(mask.shape)}"
            )
        if not ((mask == 0) | (mask == 1)).all():
            raise ValueError("mask must be 1 where valid and 0 in the holes, got other values")
        if not mask.any():
            raise ValueError("no valid pixel: the mask makes the whole picture a hole")


def _surroundings(valid: Tensor) -> slice:
    """Say which part of a line, shape (L,), True where valid, is seen when its holes are filled."""
    places = (~valid).nonzero()
    first, end = int(places[0]), int(places[-1]) + 1
    context = max(CONTEXT, (end - first) // 2)
    return slice(max(first - context, 0), end + context)


def _share(mask: Tensor, reach: int) -> Tensor:
    """Give the valid share of the square around each pixel that goes ``reach`` to each side."""
    kernel = 2 * reach + 1
    rows = F.avg_pool2d(mask, (kernel, 1), 1, (reach, 0))
    return F.avg_pool2d(rows, (1, kernel), 1, (0, reach))


def _halved(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Average the valid pixels of each 2x2, and mark where there is one; sides are rounded up."""
    padding = (0, image.shape[-1] % 2, 0, image.shape[-2] % 2)
    share = F.avg_pool2d(F.pad(mask, padding), 2)
    sums = F.avg_pool2d(F.pad(image, padding), 2)
    return sums / share.clamp(min=0.25), share.gt(0).to(mask.dtype)


def _doubled(image: Tensor, like: Tensor) -> Tensor:
    """Enlarge what ``_halved`` made, and cut it to the size that the picture had."""
    height, width = like.shape[-2:]
    enlarged = F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
    return enlarged[..., :height, :width]
