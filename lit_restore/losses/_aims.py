"""What style transfer compares a picture with."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class Aims(nn.Module):
    """A content's map and styles' Gram matrices; they move with a loss, and no checkpoint has them.

    Args:
        content: The content's map.
        grams: For each style, the mean Gram matrices over the positions of its layers, by name.
        shares: Of each style, which sum to 1; none before there is anything to compare with.
    """

    content: Tensor

    def __init__(
        self, content: Tensor, grams: Sequence[Mapping[str, Tensor]], shares: Sequence[float]
    ) -> None:
        super().__init__()
        self.shares = tuple(shares)
        self.register_buffer("content", content, persistent=False)
        for index, layers in enumerate(grams):
            for name, gram in layers.items():
                self.register_buffer(f"gram{index}_{name}", gram, persistent=False)

    def gram(self, index: int, name: str) -> Tensor:
        """Find the mean Gram matrix of a style, shape (1, C, C)."""
        return self.get_buffer(f"gram{index}_{name}")


def shares_of(weights: Sequence[float] | None, count: int) -> list[float]:
    """Divide weights by their sum.

    Args:
        weights: One for each style, at least 0; None: all alike.
        count: Of styles.

    Raises:
        ValueError: If there is no style, or the weights are others.
    """
    if not count:
        raise ValueError("expected at least one style, got none")
    given = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(given) != count or min(given) < 0 or not 0 < sum(given) < float("inf"):
        raise ValueError(
            f"style_weights must be {count}, at least 0 and not all of them 0, got {given}"
        )
    return [weight / sum(given) for weight in given]
