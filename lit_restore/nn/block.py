"""The block that the notes' networks are built of: convolution, normalisation, activation."""

from typing import Literal

from torch import Tensor, nn

from lit_restore.nn.batch_norm import KerasBatchNorm2d
from lit_restore.nn.conv import SameConv2d

Norm = Literal["batch", "none"]
Order = Literal["cna", "can"]
Padding = Literal["same", "valid"]


class ConvNormAct(nn.Module):
    """Convolution, BatchNorm and ReLU, in the order that ``order`` spells.

    ``order="cna"`` is Conv-BN-ReLU, as in the mosaic U-Net. ``order="can"`` is Conv-ReLU-BN, as
    the notes write it on purpose for segmentation. The convolution has a bias only where no
    BatchNorm follows directly, since that would take it away again, or where ``bias`` asks.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel, in pixels.
        stride: Step of the kernel, in pixels.
        dilation: Distance of the kernel's taps, in pixels.
        norm: ``"batch"`` for BatchNorm, ``"none"`` for none.
        order: ``"cna"`` or ``"can"``.
        bias: Whether the convolution has a bias; None chooses as said above.
        padding: ``"same"`` as in TensorFlow, or ``"valid"`` for none.
        style: Whose constants BatchNorm has.

    Raises:
        ValueError: If ``norm``, ``order`` or ``padding`` is unknown.

    Source:
        Ioffe and Szegedy, "Batch Normalization", ICML 2015, https://arxiv.org/abs/1502.03167.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        norm: Norm = "batch",
        order: Order = "cna",
        bias: bool | None = None,
        padding: Padding = "same",
        style: Literal["torch", "keras"] = "torch",
    ) -> None:
        if order not in ("cna", "can"):
            raise ValueError(f"order must be 'cna' or 'can', got {order!r}")
        if norm not in ("batch", "none"):
            raise ValueError(f"norm must be 'batch' or 'none', got {norm!r}")
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same' or 'valid', got {padding!r}")
        super().__init__()
        self.order = order
        bias = (norm == "none" or order == "can") if bias is None else bias
        make = SameConv2d if padding == "same" else nn.Conv2d
        self.conv: nn.Module = make(
            in_channels, out_channels, kernel_size, stride, dilation=dilation, bias=bias
        )
        batch_norm = nn.BatchNorm2d if style == "torch" else KerasBatchNorm2d
        self.norm = batch_norm(out_channels) if norm == "batch" else nn.Identity()
        self.act = nn.ReLU()

    def forward(self, image: Tensor) -> Tensor:
        """Apply the three.

        Args:
            image: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, ceil(H / stride), ceil(W / stride)); with ``"valid"`` as many
            pixels as the kernel finds places for.
        """
        x = self.conv(image)
        return self.act(self.norm(x)) if self.order == "cna" else self.norm(self.act(x))
