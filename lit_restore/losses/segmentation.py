"""The terms by which segmentation networks are trained, as named ones."""

from collections.abc import Sequence

from torch import Tensor, nn

from lit_restore.losses._pixel_classes import IGNORED
from lit_restore.losses.cross_entropy import SegmentationCrossEntropy
from lit_restore.losses.dice import DiceLoss
from lit_restore.losses.focal import FocalLoss


class SegmentationLoss(nn.Module):
    """How far logits are from the classes of pixels, in one to three ways.

    Called as ``loss(logits, classes, weights=None)``, it returns named scalars that are already
    weighted: ``cross_entropy``, ``dice`` and ``focal``, as ``SegmentationCrossEntropy``,
    ``DiceLoss`` and ``FocalLoss`` say. A term whose weight is 0 is left out.

    Args:
        cross_entropy: Weight of the term; so are the two that follow.
        dice: As ``cross_entropy``.
        focal: As ``cross_entropy``.
        gamma: How much less a pixel that is right counts in ``focal``; 0 or more.
        class_weights: One for each class, the background's first (two for one channel), in
            ``cross_entropy`` and ``focal``. Dice weighs all classes alike as it is.
        ignore_index: Pixels of this class count in no term; None: all do.

    Raises:
        ValueError: If a term's weight is negative, or all are 0, or so are the class weights, or
            ``gamma`` is negative.
    """

    def __init__(
        self,
        cross_entropy: float = 1.0,
        dice: float = 0.0,
        focal: float = 0.0,
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        ignore_index: int | None = IGNORED,
    ) -> None:
        super().__init__()
        self.term_weights = {"cross_entropy": cross_entropy, "dice": dice, "focal": focal}
        _check_weights(self.term_weights)
        terms = {
            "cross_entropy": SegmentationCrossEntropy(class_weights, ignore_index),
            "dice": DiceLoss(ignore_index),
            "focal": FocalLoss(gamma, class_weights, ignore_index),
        }
        self.terms = nn.ModuleDict(
            {name: term for name, term in terms.items() if self.term_weights[name]}
        )

    def forward(
        self, logits: Tensor, classes: Tensor, weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compare a batch with its truth.

        Args:
            logits: Shape (N, C, H, W): of a sigmoid if C is 1, of a softmax if not.
            classes: Shape (N, H, W), integers.
            weights: Of pixels, shape (N, H, W), in every term; None: 1 everywhere.

        Returns:
            The weighted terms, scalars, in the order above.

        Raises:
            ValueError: If shapes do not fit, a class is unknown, or a class has no weight.
        """
        return {
            name: self.term_weights[name] * term(logits, classes, weights)
            for name, term in self.terms.items()
        }


def _check_weights(weights: dict[str, float]) -> None:
    if not all(weight >= 0 for weight in weights.values()) or not any(weights.values()):
        raise ValueError(f"expected weights of terms of 0 or more, and one above 0; got {weights}")
