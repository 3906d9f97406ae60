"""Binary cross-entropy of probabilities, for networks that end in something bounded to 0 .. 1."""

from torch import Tensor, nn


def probability_bce_loss(prediction: Tensor, target: Tensor, epsilon: float = 1e-7) -> Tensor:
    """Binary cross-entropy of each picture, of probabilities kept off 0 and 1 by ``epsilon``.

    Where the probabilities are a sigmoid's, ``F.binary_cross_entropy_with_logits`` on its input is
    the better loss, and is what Keras computes there even if it is told that it gets
    probabilities: it looks for the sigmoid behind them. This is what it computes of any other
    probabilities. Where clipped, the gradient is 0.

    Args:
        prediction: Shape (N, C, H, W), in 0 .. 1.
        target: The same shape and range.
        epsilon: The least probability, and the distance of the greatest from 1.

    Returns:
        Shape (N,).

    Raises:
        ValueError: If the shapes differ.

    Source:
        ``keras.losses.BinaryCrossentropy(from_logits=False)``.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            "prediction and target must have the same shape, got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    likely = prediction.clamp(epsilon, 1 - epsilon)
    entropy = target * likely.log() + (1 - target) * (1 - likely).log()
    return -entropy.mean(dim=(1, 2, 3))


class ProbabilityBCELoss(nn.Module):
    """``probability_bce_loss``, then the mean over the pictures.

    Args:
        epsilon: The least probability, and the distance of the greatest from 1.
    """

    def __init__(self, epsilon: float = 1e-7) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare; both have shape (N, C, H, W), in 0 .. 1; returns a scalar."""
        return probability_bce_loss(prediction, target, self.epsilon).mean()
