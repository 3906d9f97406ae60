"""A network made ready to restore single pictures of any size."""

from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.inference._device import find_device
from lit_restore.inference._picture import check_image
from lit_restore.inference.luma import (
    brightness_of,
    full_luma,
    recoloured,
    resized,
    with_margin,
)
from lit_restore.inference.padding import padded_to
from lit_restore.nn import to_signed, to_unit


class Restorer:
    """Restores or translates one picture at a time, whatever its size.

    The picture is padded at the right and the bottom, up to the multiple that the network asks for,
    and the result is cut back. It is padded by its edge; for a network of signed range by its
    mirror image, since such a network may ask for a multiple of 256, and normalisations of
    instances (or of the batch, in ``norm_mode`` ``"batch"``) take their statistics over what was
    padded, too. A network that wants its input enlarged
    (``enlarged_by``) gets it so, by MATLAB's bicubic in the picture's own type. A network of one
    channel restores the brightness of colour pictures: luma in studio range if it is one for
    super-resolution (its ``scale`` is above 1, or it has ``enlarged_by``), else luma in full range,
    which is what a grey picture holds; the colours are enlarged by MATLAB's bicubic. One of signed
    range, which makes a picture of another kind, is given the luma in full range alone.

    Args:
        network: Maps (N, C, H, W) in unit range to (N, C', H * scale, W * scale). It is moved to
            the device and put in eval mode. It may say what it needs by the attributes
            ``in_channels`` (3 if missing), ``input_range`` (``"unit"``; ``"signed"`` gets its
            input so), ``norm_mode`` (where ``"batch"``, it sees one picture at a time),
            ``multiple_of`` (pixels, 1), ``scale`` (1), ``enlarged_by``, ``margin`` (pixels that
            its output lacks at each side, 0; they keep what was there) and ``value_range`` (of its
            output; ``"signed"`` is turned to unit).
        device: ``"auto"`` takes a GPU where there is one.
        scale: Factor from the picture to the result; needed for a network whose ``enlarged_by`` is
            None. None is what the network says.

    Attributes:
        scale: Factor from the picture to the result.
        enlarged_by: The part of it that comes before the network.

    Raises:
        ValueError: If there is no such device, or the network cannot enlarge by ``scale``.
    """

    def __init__(
        self,
        network: nn.Module,
        device: Literal["auto", "cpu", "cuda"] | str = "auto",
        scale: int | None = None,
    ) -> None:
        self.device = find_device(device)
        self.enlarged_by = _enlarged_by(network, scale)
        self.network_scale = int(getattr(network, "scale", 1))
        self.scale = self.network_scale * self.enlarged_by
        self.multiple_of = int(getattr(network, "multiple_of", 1))
        self.in_channels = int(getattr(network, "in_channels", 3))
        self.margin = int(getattr(network, "margin", 0))
        self.signed = getattr(network, "value_range", "unit") == "signed"
        self.translates = is_translator(network)
        self.brightness = None if self.translates else brightness_of(network)
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """Restore a picture.

        Args:
            image: Shape (in_channels, H, W), or (3, H, W) for a network of one channel; uint8, or
                float in unit range.

        Returns:
            Shape (out_channels, H * scale, W * scale), float32, clipped to unit range, on the
            device of ``image``; a colour picture stays one.

        Raises:
            ValueError: If ``image`` has another shape or type, or the network gives another size
                than its ``scale`` says.
        """
        check_image(image, self.in_channels)
        return self.restore_enlarged(resized(image, self.enlarged_by))

    @torch.inference_mode()
    def restore_enlarged(self, image: Tensor) -> Tensor:
        """Restore a picture that was enlarged before, if the network wants that.

        Args:
            image: As for a call, but ``enlarged_by`` times as large.

        Returns:
            As of a call.

        Raises:
            ValueError: As of a call.
        """
        check_image(image, self.in_channels)
        batch = image[None].to(self.device)
        batch = batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()
        if self.brightness is None:
            result = self.predict(full_luma(batch) if self.in_channels == 1 else batch)
        else:
            prediction = self.predict(self.brightness.of(batch))
            enlarged = resized(batch, self.network_scale)
            result = recoloured(prediction, enlarged, self.brightness)
        return result[0].clamp(0, 1).contiguous().to(image.device)

    @torch.inference_mode()
    def predict(self, batch: Tensor) -> Tensor:
        """Run the network alone, on what it reads.

        Args:
            batch: Shape (N, in_channels, H, W), float in unit range, enlarged if the network wants
                that; of a network of one channel, brightness.

        Returns:
            Shape (N, out_channels, H * s, W * s) for the network's own scale s, float32 in unit
            range, not clipped, on the network's device.

        Raises:
            ValueError: If the network gives another size than its ``scale`` says.
        """
        batch = batch.to(self.device, torch.float32)
        height, width = batch.shape[-2:]
        padded = padded_to(batch, self.multiple_of, "mirror" if self.translates else "edge")
        result = self._run(to_signed(padded) if self.translates else padded)
        self._check_size(padded, result)
        cut = [self.network_scale * side - 2 * self.margin for side in (height, width)]
        result = result[..., : cut[0], : cut[1]].float()
        result = to_unit(result) if self.signed else result
        if not self.margin:
            return result
        return with_margin(result, resized(batch, self.network_scale), self.margin)

    def _run(self, batch: Tensor) -> Tensor:
        batch = batch.contiguous(memory_format=torch.channels_last)
        if getattr(self.network, "norm_mode", "running") != "batch":
            result: Tensor = self.network(batch)
            return result
        return torch.cat([self.network(image) for image in torch.split(batch, 1)])

    def _check_size(self, given: Tensor, result: Tensor) -> None:
        expected = [self.network_scale * side - 2 * self.margin for side in given.shape[-2:]]
        if list(result.shape[-2:]) != expected:
            raise ValueError(
                f"a network of scale {self.network_scale} must make {expected[0]}x{expected[1]} "
                f"pixels, got {result.shape[-2]}x{result.shape[-1]}"
            )


def is_translator(network: nn.Module) -> bool:
    """Whether a network makes pictures of one kind into another: it reads signed range."""
    return getattr(network, "input_range", "unit") == "signed"


def _enlarged_by(network: nn.Module, scale: int | None) -> int:
    """Say by how much a picture is enlarged before the network."""
    if scale is not None and scale < 1:
        raise ValueError(f"scale must be at least 1, got {scale}")
    name, own = type(network).__name__, int(getattr(network, "scale", 1))
    before = getattr(network, "enlarged_by", 1)
    if before is None and scale is None:
        raise ValueError(
            f"this {name} restores pictures that were enlarged before, and does not say by how "
            "much: expected a scale, got none (1 if they are enlarged already)"
        )
    before = scale // own if before is None and scale else int(before)
    if scale not in (None, own * before):
        raise ValueError(f"this {name} enlarges by {own * before}, got a scale of {scale}")
    return before
