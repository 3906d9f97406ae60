"""A network made ready to tell the classes of single pictures of any size."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.inference._device import find_device
from lit_restore.inference._picture import check_image
from lit_restore.inference.luma import full_luma
from lit_restore.inference.tiles import Grid, cores, cut, grid_of, tiles

MAX_TILE_PIXELS = 2**20


class Segmenter:
    """Tells the class of every pixel of one picture at a time, whatever its size.

    The picture is continued at the right and the bottom by its edge, up to the multiple that the
    network asks for; for a network with a ``margin`` it is continued at all sides by its mirror
    image, and every pixel of it is judged. A large picture is judged by tiles, which are cut with
    so much around them that they give what the whole picture would. A network that sees all of the
    picture at once gets it in one piece.

    A network that was trained on pictures that had been brought to a ``working_side`` gets them so;
    its probabilities are then brought back to the picture's own size, bilinearly.

    Args:
        network: Maps (N, in_channels, H, W) in unit range to logits (N, num_classes, H, W), of one
            class for a sigmoid or of several for a softmax. It is moved to the device and put in
            eval mode. It may say what it needs by the attributes ``in_channels`` (3 if missing; 1
            gets the luma in full range), ``multiple_of`` (pixels, 1), ``margin`` (pixels that its
            output lacks at each side, 0) with ``next_side``, ``receptive_radius`` (pixels; measured
            if missing) and ``working_side`` (pixels of the longer side, None).
        device: ``"auto"`` takes a GPU where there is one. Tiles go there, pictures do not.
        tile: Height and width of tiles in pixels, what is around them not counted; None takes the
            picture in one piece up to ``MAX_TILE_PIXELS``, and tiles of about as many beyond.

    Attributes:
        num_classes: Of the network.

    Raises:
        ValueError: If there is no such device, the network tells no classes of pixels apart,
            ``tile`` is below 1, or the network sees all of a picture at once and ``tile`` is given.

    Source:
        Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation",
        MICCAI 2015, https://arxiv.org/abs/1505.04597, figure 2 (overlap-tile strategy).
    """

    def __init__(
        self,
        network: nn.Module,
        device: Literal["auto", "cpu", "cuda"] | str = "auto",
        tile: int | None = None,
    ) -> None:
        if not is_segmenter(network):
            raise ValueError(
                "a network that tells the classes of pixels gives logits of num_classes maps, got "
                f"{type(network).__name__}, which does not"
            )
        if tile is not None and tile < 1:
            raise ValueError(f"tile must be at least 1 pixel, got {tile}")
        self.device = find_device(device)
        self.num_classes = int(network.num_classes)  # type: ignore[arg-type]
        self.in_channels = int(getattr(network, "in_channels", 3))
        self.working_side = getattr(network, "working_side", None)
        self.tile = tile
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.whole = grid_of(self.network, tiled=False)
        self._tiled = None if tile is None else grid_of(self.network, tiled=True)

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """Judge a picture.

        Args:
            image: Shape (in_channels, H, W), or (3, H, W) for a network of one channel; uint8, or
                float in unit range.

        Returns:
            Probabilities, shape (num_classes, H, W), float32, on the device of ``image``; several
            have a sum of 1.

        Raises:
            ValueError: If ``image`` has another shape or type, or the network gives another size
                than it says.
        """
        check_image(image, self.in_channels)
        seen = brought_to(grey_of(image) if self.in_channels == 1 else image, self.working_side)
        found = self.predict(seen[None] / 255 if seen.dtype == torch.uint8 else seen[None].float())
        if found.shape[-2:] != image.shape[-2:]:
            size = (image.shape[-2], image.shape[-1])
            found = F.interpolate(found, size, mode="bilinear", antialias=True)
        return found[0]

    @torch.inference_mode()
    def predict(self, batch: Tensor) -> Tensor:
        """Run the network alone, on what it reads.

        Args:
            batch: Shape (N, in_channels, H, W), float in unit range.

        Returns:
            Probabilities, shape (N, num_classes, H, W), float32, on the device of ``batch``.

        Raises:
            ValueError: If the network gives another size than it says.
        """
        size = (batch.shape[-2], batch.shape[-1])
        grid, core = self._plan(size)
        result = batch.new_empty(len(batch), self.num_classes, *size, dtype=torch.float32)
        for rows, columns in tiles(size, core, grid):
            part = self._judge(cut(batch, rows, columns, grid), grid)
            top, left = (0 if grid.margin else span.start - span.first for span in (rows, columns))
            height, width = rows.stop - rows.start, columns.stop - columns.start
            inner = part[..., top : top + height, left : left + width]
            result[..., rows.start : rows.stop, columns.start : columns.stop] = inner
        return result

    def _plan(self, size: tuple[int, int]) -> tuple[Grid, tuple[int, int]]:
        """Choose how a picture is cut; one that is a single tile needs no halo."""
        if self.tile is not None and self._tiled is not None:
            side = self.tile + -self.tile % self._tiled.step
            return self._tiled, (side, side)
        if size[0] * size[1] <= MAX_TILE_PIXELS:
            return self.whole, size
        try:
            self._tiled = self._tiled or grid_of(self.network, tiled=True)
        except ValueError:  # it sees all of the picture at once
            return self.whole, size
        return self._tiled, cores(size, self._tiled, MAX_TILE_PIXELS)

    def _judge(self, batch: Tensor, grid: Grid) -> Tensor:
        batch = batch.to(self.device).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.network(batch).float()
        height, width = (side - 2 * grid.margin for side in batch.shape[-2:])
        expected = (len(batch), self.num_classes, height, width)
        if logits.shape != expected:
            raise ValueError(
                f"of {batch.shape[-2]}x{batch.shape[-1]} pixels the network must make logits of "
                f"shape {expected}, got {tuple(logits.shape)}"
            )
        return logits.sigmoid() if self.num_classes == 1 else logits.softmax(dim=1)


def decide(probabilities: Tensor, threshold: float | None = None) -> Tensor:
    """Choose the class of every pixel.

    Args:
        probabilities: Shape (num_classes, H, W).
        threshold: Of one class, the least probability of a yes (0.5 if None); of several, the least
            that the likeliest class must have, below which a pixel is of class 0 (None: any will
            do).

    Returns:
        Shape (H, W), int64: 0 or 1 of one class, 0 .. num_classes - 1 of several.
    """
    if len(probabilities) == 1:
        return (probabilities[0] >= (0.5 if threshold is None else threshold)).long()
    highest, classes = probabilities.max(dim=0)
    return classes if threshold is None else classes.where(highest >= threshold, 0)


def grey_of(image: Tensor) -> Tensor:
    """Take the luma in full range of a picture, shape (1 or 3, H, W), in its own type."""
    if len(image) == 1:
        return image
    luma = full_luma(image[None].float())[0]
    return (luma + 0.5).floor().byte() if image.dtype == torch.uint8 else luma


def brought_to(image: Tensor, side: int | None) -> Tensor:
    """Bring a picture's longer side to so many pixels, by Pillow's bicubic filter.

    Args:
        image: Shape (C, H, W); uint8, or float in unit range, which is clipped to it.
        side: Pixels; None leaves the picture as it is.
    """
    height, width = image.shape[-2:]
    if side is None or max(height, width) == side:
        return image
    from lit_restore.data import fitted_size  # whose package needs Pillow
    from lit_restore.data.resize import resize_bicubic_pillow

    resized = resize_bicubic_pillow(image, fitted_size((height, width), side))
    return resized.clamp(0, 1) if image.is_floating_point() else resized


def tells_classes(network: nn.Module) -> bool:
    """Whether a network gives logits of classes, of pixels or of whole pictures."""
    return getattr(network, "output", None) == "logits" and hasattr(network, "num_classes")


def is_segmenter(network: nn.Module) -> bool:
    """Whether a network tells the classes of pixels, not of whole pictures."""
    return tells_classes(network) and not isinstance(getattr(network, "fc", None), nn.Linear)
