"""Cross-entropy of the classes of pixels, of a sigmoid or of a softmax."""

from collections.abc import Sequence

from torch import Tensor, nn

from lit_restore.losses._pixel_classes import (
    IGNORED,
    check_class_weights,
    check_number_of_weights,
    entropies,
    mean_over_valid,
    prepare,
)


def segmentation_cross_entropy(
    logits: Tensor,
    classes: Tensor,
    weights: Tensor | None = None,
    class_weights: Sequence[float] | None = None,
    ignore_index: int | None = IGNORED,
) -> Tensor:
    """Mean over all pixels that count of minus the logarithm of the true class's probability.

    It is computed from the logits, and so stays finite however certain they are, and in float32 at
    least. For K classes it is what the notes reach by turning logits to (N * H * W, K): the
    channels must be moved to the end *before* that reshape, or it mixes pixels with classes.

    The mean is ``sum(w_class * w_pixel * entropy) / sum(w_class)``. Class weights are in its
    denominator, as in PyTorch's, so that only their ratio matters. Pixel weights are not: a map
    with a higher mean asks for a higher loss, and what a pixel is worth does not depend on which
    others are in its batch. Where no pixel counts it is 0, and so is its gradient.

    Args:
        logits: Shape (N, C, H, W). One channel: of a sigmoid, the probability of class 1, the
            foreground; more: of a softmax over them.
        classes: Shape (N, H, W), integers.
        weights: Shape (N, H, W), such as a ``BorderWeights`` map; None: 1 everywhere.
        class_weights: One for each class; two, the background's first, for one channel.
        ignore_index: Pixels of this class do not count; None: all do.

    Returns:
        A scalar, of the whole batch's pixels together.

    Raises:
        ValueError: If shapes do not fit, a class is unknown, or a class has no weight.

    Source:
        Long et al., "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015,
        https://arxiv.org/abs/1411.4038, section 4; Ronneberger et al., "U-Net", MICCAI 2015,
        https://arxiv.org/abs/1505.04597, equation 1, which sums where this averages.
    """
    check_number_of_weights(class_weights, logits)
    logits, classes, valid = prepare(logits, classes, weights, ignore_index)
    return mean_over_valid(entropies(logits, classes), classes, valid, class_weights, weights)


class SegmentationCrossEntropy(nn.Module):
    """``segmentation_cross_entropy`` as a module.

    Args:
        class_weights: One for each class, the background's first; None: all count alike.
        ignore_index: Pixels of this class do not count; None: all do.

    Raises:
        ValueError: If a class weight is negative, or all are 0.
    """

    def __init__(
        self, class_weights: Sequence[float] | None = None, ignore_index: int | None = IGNORED
    ) -> None:
        super().__init__()
        self.class_weights = check_class_weights(class_weights)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, classes: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compare logits (N, C, H, W) with classes (N, H, W); returns a scalar."""
        return segmentation_cross_entropy(
            logits, classes, weights, self.class_weights, self.ignore_index
        )
