"""Normalisations of maps, by name."""

from typing import Literal, get_args

from torch import nn

from lit_restore.nn.fast_instance_norm import FastInstanceNorm2d
from lit_restore.nn.instance_norm import StdInstanceNorm2d
from lit_restore.nn.switch_batch_norm import SwitchBatchNorm2d

Norm = Literal["batch", "layer", "instance", "std_instance", "group", "none"]

_GROUPS = 32


def make_norm(
    norm: Norm,
    channels: int,
    style: Literal["torch", "keras"] = "torch",
    affine: bool | None = None,
) -> nn.Module:
    """Make a normalisation of maps of shape (N, channels, H, W).

    Args:
        norm: Over what mean and variance are taken. ``"batch"``: each channel of the whole batch
            (``SwitchBatchNorm2d``). ``"layer"``: each picture, all channels and pixels together.
            ``"instance"``: each channel of each picture (``FastInstanceNorm2d``).
            ``"std_instance"``: the same, divided as ``keras_contrib`` does (``StdInstanceNorm2d``,
            whose constants have but one style). ``"group"``: groups of channels of each picture, 32
            of them, or as many of at most 32 as divide the channels into groups of two or more.
            ``"none"``: nothing is normalised.
        channels: Channels.
        style: Whose constants: added to the variance are 1e-5 (``"torch"``) or 1e-3 (``"keras"``);
            BatchNorm's momentum and running variance are PyTorch's or Keras's.
        affine: Whether there is a learned factor and offset per channel; None: all have it but the
            two instance norms.

    Returns:
        The layer. On a CPU PyTorch 2.14 computes ``"layer"`` and ``"group"`` inexactly for maps
        that lie pixel by pixel (channels_last) where the mean is large: with one 100 times the
        deviation the result is off by some hundredths.

    Raises:
        ValueError: If ``norm`` or ``style`` is unknown.

    Source:
        Wu and He, "Group Normalization", ECCV 2018, https://arxiv.org/abs/1803.08494, figure 2,
        whose four kinds the study notes list, too.
    """
    check_norm(norm)
    if style not in ("torch", "keras"):
        raise ValueError(f"style must be 'torch' or 'keras', got {style!r}")
    affine = norm not in ("instance", "std_instance") if affine is None else affine
    eps = 1e-5 if style == "torch" else 1e-3
    match norm:
        case "batch":
            torch_style = style == "torch"
            momentum = 0.1 if torch_style else 0.01
            return SwitchBatchNorm2d(channels, eps, momentum, bessel=torch_style, affine=affine)
        case "instance":
            return FastInstanceNorm2d(channels, eps, affine)
        case "std_instance":
            return StdInstanceNorm2d(channels, affine=affine)
        case "none":
            return nn.Identity()
    groups = 1 if norm == "layer" else _groups(channels)
    return nn.GroupNorm(groups, channels, eps, affine)


def check_norm(norm: str) -> None:
    """Refuse an unknown normalisation.

    Raises:
        ValueError: If ``norm`` is none of ``Norm``.
    """
    if norm not in get_args(Norm):
        raise ValueError(f"norm must be one of {', '.join(get_args(Norm))}; got {norm!r}")


def removes_mean(norm: Norm) -> bool:
    """Tell whether a normalisation takes any offset per channel away again.

    The bias of a convolution before such a one is dead: it changes nothing, and has no gradient.
    """
    return norm in ("batch", "instance", "std_instance")


def _groups(channels: int) -> int:
    most = min(_GROUPS, max(channels // 2, 1))  # one of a single channel would be an instance norm
    return max(count for count in range(1, most + 1) if channels % count == 0)
