"""A network made ready to restore single pictures of any size."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Restorer:
    """Restores one picture at a time, whatever its size.

    The picture is padded at the right and the bottom by its edge, up to the multiple that the
    network asks for, and the result is cut back.

    Args:
        network: Maps (N, C, H, W) in unit range to (N, C', H * scale, W * scale). It is moved to
            the device and put in eval mode. It may say what it needs by the attributes
            ``in_channels`` (3 if missing), ``multiple_of`` (pixels, 1) and ``scale`` (1).
        device: ``"auto"`` takes a GPU where there is one.

    Raises:
        ValueError: If there is no such device.
    """

    def __init__(
        self, network: nn.Module, device: Literal["auto", "cpu", "cuda"] | str = "auto"
    ) -> None:
        self.device = _device(device)
        self.scale = int(getattr(network, "scale", 1))
        self.multiple_of = int(getattr(network, "multiple_of", 1))
        self.in_channels = int(getattr(network, "in_channels", 3))
        self.network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """Restore a picture.

        Args:
            image: Shape (in_channels, H, W); uint8, or float in unit range.

        Returns:
            Shape (out_channels, H * scale, W * scale), float32, clipped to unit range, on the
            device of ``image``.

        Raises:
            ValueError: If ``image`` has another shape or type, or the network gives another size
                than its ``scale`` says.
        """
        self._check(image)
        height, width = image.shape[-2:]
        batch = image[None].to(self.device)
        batch = batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()
        right, bottom = -width % self.multiple_of, -height % self.multiple_of
        if right or bottom:
            batch = F.pad(batch, (0, right, 0, bottom), mode="replicate")
        result: Tensor = self.network(batch.contiguous(memory_format=torch.channels_last))
        expected = [self.scale * side for side in batch.shape[-2:]]
        if list(result.shape[-2:]) != expected:
            raise ValueError(
                f"a network of scale {self.scale} must make {expected[0]}x{expected[1]} pixels, "
                f"got {result.shape[-2]}x{result.shape[-1]}"
            )
        result = result[0, :, : height * self.scale, : width * self.scale]
        return result.float().clamp(0, 1).contiguous().to(image.device)

    def _check(self, image: Tensor) -> None:
        if image.ndim != 3 or image.shape[0] != self.in_channels or 0 in image.shape:
            raise ValueError(
                f"image must have shape ({self.in_channels}, H, W), got {tuple(image.shape)}"
            )
        if image.dtype != torch.uint8 and not image.is_floating_point():
            raise ValueError(f"image must be uint8 or float in unit range, got {image.dtype}")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be auto, cpu or cuda, got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda is not available here; choose auto or cpu")
    return device
