"""From Keras's layouts to PyTorch's, and back; differentiable."""

from torch import Tensor


def to_torch(image: Tensor) -> Tensor:
    """Turn an image of shape (N, H, W, C) to (N, C, H, W)."""
    return image.permute(0, 3, 1, 2)


def to_keras(image: Tensor) -> Tensor:
    """Turn an image of shape (N, C, H, W) to (N, H, W, C)."""
    return image.permute(0, 2, 3, 1)


def kernel_to_torch(kernel: Tensor) -> Tensor:
    """Turn a kernel of Conv2D, (k, k, in, out), to (out, in, k, k).

    That of Conv2DTranspose is (k, k, out, in) in Keras and (in, out, k, k) in PyTorch: the same
    permutation. Contiguous, since PyTorch cannot differentiate a float64 convolution with one
    output channel by a kernel that is not.
    """
    return kernel.permute(3, 2, 0, 1).contiguous()


def dense_to_conv(kernel: Tensor) -> Tensor:
    """Turn a kernel of Dense, (in, out), to that of a 1x1 convolution, (out, in, 1, 1)."""
    return kernel.T[:, :, None, None]
