"""Batch normalisation that can be told which statistics it uses when it does not train."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_restore.nn.batch_norm import KerasBatchNorm2d

NormMode = Literal["running", "batch", "recalibrated"]


class SwitchBatchNorm2d(KerasBatchNorm2d):
    """``KerasBatchNorm2d`` that in eval mode may normalise by the batch's own statistics, too.

    Parameters and buffers are those of ``nn.BatchNorm2d``.

    Args:
        num_features: Channels.
        eps: What is added to the variance before its root.
        momentum: Share of the new batch in the running statistics; None: the mean over all batches.
        bessel: Whether the running variance is the unbiased one, as in PyTorch.
        affine: Whether there is a learned factor and offset per channel.

    Attributes:
        norm_mode: Which statistics eval mode uses: ``"running"`` ones; those of the ``"batch"``
            itself, so that what a picture becomes depends on the batch that it comes in; or
            ``"recalibrated"``: running ones that ``recalibrate`` estimated for the final weights.

    Source:
        Ioffe and Szegedy, "Batch Normalization", ICML 2015, https://arxiv.org/abs/1502.03167;
        Isola et al., CVPR 2017, https://arxiv.org/abs/1611.07004, section 3.1 (``"batch"``).
    """

    norm_mode: NormMode = "running"

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel.

        Args:
            input: Shape (N, num_features, H, W).

        Returns:
            The same shape.

        Raises:
            ValueError: If the input is not four-dimensional, or there is only one value per channel
                and its own statistics are to be used.
        """
        own = self.training or self.norm_mode == "batch"
        if own and input.ndim == 4 and input.numel() == self.num_features:
            raise ValueError(
                "BatchNorm cannot normalise one value of a channel by itself: expected a batch of "
                f"2 or more, a larger picture or another norm; got shape {tuple(input.shape)}"
            )
        if self.training or not own:
            return super().forward(input)
        self._check_input_dim(input)
        return F.batch_norm(input, None, None, self.weight, self.bias, True, 0.0, self.eps)


def set_norm_mode(network: nn.Module, mode: NormMode) -> None:
    """Say which statistics all BatchNorms of a network use in eval mode.

    The network's own attribute ``norm_mode`` is set, too, by which a checkpoint describes it.

    Args:
        network: Changed in place. Only its layers ``SwitchBatchNorm2d`` heed this.
        mode: ``"running"``, ``"batch"`` or ``"recalibrated"``; the latter estimates nothing, which
            ``recalibrate`` does.

    Raises:
        ValueError: If ``mode`` is unknown.
    """
    if mode not in get_args(NormMode):
        raise ValueError(f"norm_mode must be 'running', 'batch' or 'recalibrated', got {mode!r}")
    for module in network.modules():
        if isinstance(module, SwitchBatchNorm2d):
            module.norm_mode = mode
    vars(network)["norm_mode"] = mode


def recalibrate(network: nn.Module, inputs: Iterable[Tensor]) -> None:
    """Estimate the running statistics of a network's BatchNorms anew, for the weights it has.

    Each statistic becomes the mean over the batches, all of equal weight. Dropout is off. Training
    flags, momentum and ``norm_mode`` stay as they are.

    Args:
        network: Changed in place; without BatchNorm it stays as it is.
        inputs: Batches as the network reads them, of the size that it is trained with.

    Raises:
        ValueError: If there are no batches; the statistics are then the old ones.
    """
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    if not norms:
        return
    before = [{name: value.clone() for name, value in one.named_buffers()} for one in norms]
    device = next((one.device for one in network.parameters()), None)
    seen = 0
    try:
        with _only_statistics(network, norms), torch.no_grad():
            for batch in inputs:
                network(batch.to(device))
                seen += 1
        if not seen:
            raise ValueError("expected at least one batch to estimate statistics of, got none")
    except BaseException:
        for norm, buffers in zip(norms, before, strict=True):
            for name, value in buffers.items():
                norm.get_buffer(name).copy_(value)
        raise


@contextmanager
def _only_statistics(network: nn.Module, norms: list[nn.BatchNorm2d]) -> Iterator[None]:
    """Let nothing but the BatchNorms be in training mode, with statistics that begin anew."""
    flags = [(module, module.training) for module in network.modules()]
    momenta = [(norm, norm.momentum) for norm in norms]
    try:
        for module, _ in flags:  # by hand, since a network's own train() may leave dropout on
            module.training = False
        for norm in norms:
            norm.reset_running_stats()
            norm.training, norm.momentum = True, None
        yield
    finally:
        for module, training in flags:
            module.training = training
        for norm, momentum in momenta:
            norm.momentum = momentum
