"""The block that the notes' networks are built of: convolution, normalisation, activation."""

from typing import Literal

from torch import Tensor, nn

from lit_restore.nn.conv import SameConv2d

Norm = Literal["batch", "none"]


class ConvNormAct(nn.Module):
    """SAME convolution, BatchNorm and ReLU, in the order that ``order`` spells.

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

    Raises:
        ValueError: If ``norm`` or ``order`` is unknown.

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
        order: Literal["cna", "can"] = "cna",
        bias: bool | None = None,
    ) -> None:
        if order not in ("cna", "can"):
            raise ValueError(f"order must be 'cna' or 'can', got {order!r}")
        if norm not in ("batch", "none"):
            raise ValueError(f"norm must be 'batch' or 'none', got {norm!r}")
        super().__init__()
        self.order = order
        bias = (norm == "none" or order == "can") if bias is None else bias
        self.conv = SameConv2d(in_channels, out_channels, kernel_size, stride, dilation, bias)
        self.norm = nn.BatchNorm2d(out_channels) if norm == "batch" else nn.Identity()
        self.act = nn.ReLU()

    def forward(self, image: Tensor) -> Tensor:
        """Apply the three.

        Args:
            image: Shape (N, in_channels, H, W).

        Returns:
            Shape (N, out_channels, ceil(H / stride), ceil(W / stride)).
        """
        x = self.conv(image)
        return self.act(self.norm(x)) if self.order == "cna" else self.norm(self.act(x))
