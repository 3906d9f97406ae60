"""What mixes the pictures of a batch and their labels, and where in a training it happens."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import default_collate

from lit_restore.data._draws import check_probability, choose, happens, integer, uniform

MIXING_SEED = "mixing_seed"
Generators = Sequence[torch.Generator]


class Mixing(ABC):
    """What changes the pictures of a batch, and their labels as the pictures.

    All randomness comes from the generators, one of each sample (what concerns the whole batch is
    drawn from the first), so that equal ones give equal batches, whatever device trains on them.
    """

    @abstractmethod
    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Mix a batch, without changing what is given.

        Args:
            images: Shape (N, C, H, W), floating point.
            labels: Shape (N, num_classes), floating point: the share of each class, 1 in sum.
            generators: One of each sample, on the CPU.

        Returns:
            Images and labels of the same shapes and dtypes.

        Raises:
            ValueError: If shapes and generators do not fit together, or there is nothing to mix
                with.
        """

    def __repr__(self) -> str:
        """Name the class and what it was made with, so that equal ones read equal."""
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class PartnerMixing(Mixing):
    """Mixes each picture with another of its batch, and its label by the same share.

    Args:
        alpha: Of the Beta distribution that shares are drawn from.
        probability: Of each picture to be mixed, 0..1.

    Raises:
        ValueError: If ``alpha`` is not above 0, or ``probability`` is none; in a call, if the batch
            has one sample only.
    """

    def __init__(self, alpha: float, probability: float) -> None:
        check_alpha(alpha)
        check_probability("probability", probability)
        self.alpha = alpha
        self.probability = probability

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Mix each picture as its own generator draws."""
        check_batch(images, labels, generators)
        others = partners(generators[0], len(images))
        made, shares = images.clone(), labels.clone()
        for sample, generator in enumerate(generators):
            if happens(generator, self.probability):
                other = others[sample]
                share = self.mix_into(made[sample], images[other], generator)
                shares[sample] = mixed(labels[sample], labels[other], share)
        return made, shares

    @abstractmethod
    def mix_into(self, image: Tensor, other: Tensor, generator: torch.Generator) -> float:
        """Change a picture in place, and return the other's share of it.

        Args:
            image: Shape (C, H, W).
            other: The same shape.
            generator: Of the sample.
        """


class OneOf(Mixing):
    """One of several, drawn for each batch.

    Args:
        mixings: Which.
        probabilities: Of each, at most 1 in sum; what is left to 1 leaves the batch as it is. None:
            all alike, always one.

    Raises:
        ValueError: If there is none, or the probabilities are not as many or no probabilities.
    """

    def __init__(
        self, mixings: Sequence[Mixing], probabilities: Sequence[float] | None = None
    ) -> None:
        if not mixings:
            raise ValueError("one of nothing cannot be drawn: at least one mixing is needed")
        self.mixings = list(mixings)
        self.probabilities = list(probabilities or [1 / len(mixings)] * len(mixings))
        if len(self.probabilities) != len(self.mixings):
            raise ValueError(
                f"each mixing needs its probability: got {len(self.mixings)} and "
                f"{len(self.probabilities)}"
            )
        for probability in self.probabilities:
            check_probability("probabilities", probability)
        if sum(self.probabilities) > 1 + 1e-6:
            raise ValueError(f"probabilities must be at most 1 in sum, got {self.probabilities}")

    def __call__(
        self, images: Tensor, labels: Tensor, generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Draw one from the first sample's generator, and mix by it."""
        check_batch(images, labels, generators)
        nothing = max(1 - sum(self.probabilities), 0.0)
        drawn = choose(generators[0], [*self.probabilities, nothing if nothing > 1e-6 else 0.0])
        if drawn == len(self.mixings):
            return images.clone(), labels.clone()
        return self.mixings[drawn](images, labels, generators)


class MixingCollate:
    """Joins samples to a batch, mixes it and adds ``mixed_label``, shape (N, num_classes), float32.

    The generators are made of the samples' ``mixing_seed``, which does not reach the batch, so that
    a batch of the same samples is mixed alike in every process and after every resume. ``label``
    stays what each picture was before.

    Args:
        mixings: In the order of their application.
        num_classes: Classes there are.
    """

    def __init__(self, mixings: Sequence[Mixing], num_classes: int) -> None:
        self.mixings = list(mixings)
        self.num_classes = num_classes

    def __call__(self, samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Make a batch of samples with ``input``, ``label`` and ``mixing_seed``."""
        seeds = [int(sample[MIXING_SEED]) for sample in samples]
        batch = default_collate(
            [{key: sample[key] for key in sample if key != MIXING_SEED} for sample in samples]
        )
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        images, labels = batch["input"], F.one_hot(batch["label"], self.num_classes).float()
        for mixing in self.mixings:
            images, labels = mixing(images, labels, generators)
        return {**batch, "input": images, "mixed_label": labels}


def partners(generator: torch.Generator, count: int) -> list[int]:
    """Draw with which other sample of its batch each is mixed; each serves once.

    The samples are put in a random ring, in which the next one is the partner.

    Raises:
        ValueError: If there is no other.
    """
    if count < 2:
        raise ValueError(
            f"samples are mixed with others: expected a batch of 2 or more, got {count}"
        )
    ring = torch.randperm(count, generator=generator).tolist()
    found = [0] * count
    for place, sample in enumerate(ring):
        found[sample] = ring[(place + 1) % count]
    return found


def beta(generator: torch.Generator, alpha: float) -> float:
    """Draw a share of Beta(alpha, alpha), in 0..1; of ``alpha`` 1 evenly."""
    if alpha == 1:
        return uniform(generator, (0.0, 1.0))
    concentrations = torch.full((2,), alpha, dtype=torch.float64)
    # Tensors of Gamma draws are the only ones of torch's that take a generator.
    one, other = torch._standard_gamma(concentrations, generator=generator).tolist()
    if max(one, other) <= torch.finfo(torch.float64).tiny:  # both too small to tell: a coin
        return float(integer(generator, (0, 1)))
    return one / (one + other)


def mixed(one: Tensor, other: Tensor, share: float) -> Tensor:
    """Put ``share`` of the other in place of as much of the one."""
    return one * (1 - share) + other * share


def check_alpha(alpha: float) -> None:
    """Refuse what is no parameter of a Beta distribution."""
    if not alpha > 0:
        raise ValueError(f"alpha must be above 0, got {alpha}")


def check_batch(images: Tensor, labels: Tensor, generators: Generators) -> None:
    """Refuse images, labels and generators that are not one batch."""
    if images.ndim != 4 or labels.ndim != 2 or not images.is_floating_point():
        raise ValueError(
            "mixing needs floating-point images of shape (N, C, H, W) and labels of shape "
            f"(N, num_classes), got {images.dtype} of shape {tuple(images.shape)} and labels of "
            f"shape {tuple(labels.shape)}"
        )
    if not labels.is_floating_point():
        raise ValueError(f"labels must be shares of classes, floating point, got {labels.dtype}")
    if not len(images) == len(labels) == len(generators):
        raise ValueError(
            f"each image needs a label and a generator, got {len(images)} images, {len(labels)} "
            f"labels and {len(generators)} generators"
        )
