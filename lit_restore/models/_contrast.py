"""Initial weights of networks that read pictures of positive values."""

from collections.abc import Sequence

from torch import nn

_MEAN = 0.45  # of photographs' luma, in unit range


def see_contrast(convs: Sequence[nn.Conv2d], gain: float) -> None:
    """Make the first convolution see contrast, which is small, and not the mean.

    PyTorch's initial kernels answer mostly to a window's mean, by much the same number everywhere,
    and hardly to the differences within it, so that what follows stays in its linear part for very
    long. Here the first kernels sum to 0 and are larger, and the last biases give a mean picture.

    Args:
        convs: A network's convolutions from first to last, with biases; changed in place.
        gain: How much larger the first kernels become.
    """
    first = convs[0].weight.data
    first.sub_(first.mean((1, 2, 3), keepdim=True)).mul_(gain)
    for conv in convs:
        nn.init.constant_(conv.bias, _MEAN if conv is convs[-1] else 0)  # type: ignore[arg-type]
