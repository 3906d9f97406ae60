"""Batch normalisation as Keras computes it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KerasBatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` with Keras's constants and Keras's running variance.

    PyTorch enters the batch's variance into the running one as ``sum / (n - 1)``, Keras 3 as
    ``sum / n``. Outputs and gradients of training don't show it; what is evaluated later does.
    Parameters and buffers are those of ``nn.BatchNorm2d``, so weights fit either.
    ``nn.SyncBatchNorm.convert_sync_batchnorm`` makes a layer of it that keeps PyTorch's variance.

    Args:
        num_features: Channels.
        eps: What is added to the variance before its root.
        momentum: Share of the new batch in the running statistics: 1 minus Keras's ``momentum``;
            None if they are to be the mean over all batches since the last reset.
        bessel: Whether the running variance is the unbiased one, as in PyTorch and in the fused
            kernel of Keras 2.
        affine: Whether there is a learned factor and offset per channel.

    Source:
        ``keras.layers.BatchNormalization``; Ioffe and Szegedy, "Batch Normalization", ICML 2015,
        https://arxiv.org/abs/1502.03167.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-3,
        momentum: float | None = 0.01,
        bessel: bool = False,
        affine: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine)
        self.bessel = bessel

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel, in training by the batch's own mean and variance.

        Args:
            input: Shape (N, num_features, H, W); in training N * H * W must exceed 1.

        Returns:
            The same shape.

        Raises:
            ValueError: If the input is not four-dimensional; in training, if there is only one
                value per channel.
        """
        if not self.training or self.bessel:
            return super().forward(input)
        self._check_input_dim(input)
        # The statistics are copies, since the backward pass keeps those that PyTorch updates.
        mean, variance = self.running_mean.clone(), self.running_var.clone()
        momentum = self._count_batch()
        output = F.batch_norm(
            input, mean, variance, self.weight, self.bias, True, momentum, self.eps
        )
        with torch.no_grad():
            kept = (1 - momentum) * self.running_var
            count = input.numel() // self.num_features
            self.running_mean.copy_(mean)
            self.running_var.copy_(kept + (variance - kept) * ((count - 1) / count))
        return output

    def _count_batch(self) -> float:
        """Count a batch, and say what share of the running statistics it gets."""
        self.num_batches_tracked.add_(1)
        return 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum

    @classmethod
    def convert(
        cls,
        module: nn.Module,
        eps: float = 1e-3,
        momentum: float | None = 0.01,
        bessel: bool = False,
    ) -> nn.Module:
        """Replace every ``nn.BatchNorm2d`` in a network; parameters and buffers stay the same ones.

        Args:
            module: The network; changed in place unless it is a BatchNorm itself.
            eps: As above, for all of them.
            momentum: As above, for all of them.
            bessel: As above, for all of them.

        Returns:
            The network.

        Raises:
            ValueError: If one of them keeps no running statistics, which Keras's always does.
        """
        if isinstance(module, nn.BatchNorm2d):
            return cls._like(module, eps, momentum, bessel)
        for name, child in list(module.named_children()):
            setattr(module, name, cls.convert(child, eps, momentum, bessel))
        return module

    @classmethod
    def _like(
        cls, module: nn.BatchNorm2d, eps: float, momentum: float | None, bessel: bool
    ) -> "KerasBatchNorm2d":
        if module.running_mean is None:
            raise ValueError(
                f"expected a BatchNorm2d with running statistics, got {module} without"
            )
        layer = cls(module.num_features, eps, momentum, bessel, module.affine)
        layer.weight, layer.bias = module.weight, module.bias
        for name, buffer in module.named_buffers():
            setattr(layer, name, buffer)
        return layer.train(module.training)
