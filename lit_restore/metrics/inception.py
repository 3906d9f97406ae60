"""How far generated pictures are, as a set, from real ones: FID and KID."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

SUBSETS, SUBSET_SIZE = 100, 1000


class InceptionMetrics(MetricCollection):
    """FID and KID, which share one pass of Inception over each picture.

    A task gives it real pictures and fakes as they come, and logs it like any collection:
    ``metrics.update(images, real=True)``, ``self.log_dict(metrics)``. ``compute`` gives ``fid`` and
    ``kid``, with the prefix if there is one, as float64 scalars. It computes for seconds: FID's
    matrix root is one of 2048 x 2048 values.

    FID falls as there are more pictures, so only figures of equally many compare. KID does not: it
    is unbiased, and may be below 0. The network is no part of ``state_dict``.

    Args:
        network: Turns pictures to features.
        prefix: Of the two names.

    Raises:
        ValueError: From ``compute``, if there are fewer than 2 real pictures or 2 fakes.

    Source:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
        Equilibrium", NeurIPS 2017, https://arxiv.org/abs/1706.08500, section 3; Binkowski et al.,
        "Demystifying MMD GANs", ICLR 2018, https://arxiv.org/abs/1801.01401, section 4.
    """

    def __init__(self, network: "InceptionFeatures", prefix: str | None = None) -> None:
        given = _Given(network.num_features)
        both: dict[str, Metric | MetricCollection] = {"fid": _FID(given), "kid": _KID(given)}
        super().__init__(both, prefix=prefix, compute_groups=False)
        self._network = network

    def update(self, images: Tensor, real: bool) -> None:  # type: ignore[override]
        """Add pictures.

        Args:
            images: Shape (N, 3, H, W), in unit range.
            real: Whether they are real.
        """
        super().update(self._network(images), real=real)

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add pictures; there are no figures of a batch."""
        self.update(*args, **kwargs)
        return {}

    def protocol(self) -> str:
        """Say what the figures are of: how many pictures, and what subsets of them."""
        kid: Any = self._modules["kid"]
        real, fake = kid.counts()
        subsets, size = kid.plan()
        times = f"{subsets} random subsets" if subsets > 1 else "one subset"
        return f"{real} real pictures, {fake} fakes; KID's mean of {times} of {size}"


def inception_metrics(
    weights: Path | str,
    features: Literal[64, 192, 768, 2048] = 2048,
    prefix: str | None = None,
) -> InceptionMetrics:
    """Make FID and KID of the Inception network that published figures are of.

    Args:
        weights: The file ``pt_inception-2015-12-05-6726825d.pth``, which its makers also call
            ``weights-inception-2015-12-05-6726825d.pth``. Nothing is downloaded.
        features: Which of the network's pooled maps; published figures are of the 2048.
        prefix: Of the names, ``"val/"`` for instance.

    Raises:
        ImportError: If torch-fidelity is not installed.
        OSError, ValueError: If the file is missing, or holds other weights.
    """
    return InceptionMetrics(InceptionFeatures(weights, features), prefix)


class InceptionFeatures:
    """torch-fidelity's Inception, with weights from a file; always in eval mode and in float32.

    Pictures are rounded to 8 bits and squeezed to 299 x 299 by the network itself: bilinearly,
    without antialiasing, as TensorFlow 1 did. It is no module, so that checkpoints do not hold it;
    it follows the pictures to their device.

    Args:
        weights: The file, as for ``inception_metrics``.
        features: How many.

    Raises:
        ImportError, OSError, ValueError: As of ``inception_metrics``.
    """

    def __init__(self, weights: Path | str, features: int = 2048) -> None:
        self.num_features = features
        self._network = _load(Path(weights), features)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Compute features.

        Args:
            images: Shape (N, 3, H, W), in unit range; what is outside is clipped.

        Returns:
            Shape (N, features), float64.

        Raises:
            ValueError: If the shape is another, or the pictures are not floating.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(
                "images must have shape (N, 3, H, W) and be floats in unit range, got "
                f"{tuple(images.shape)} of {images.dtype}"
            )
        codes = (255 * images.float().clamp(0, 1)).round().to(torch.uint8)
        with torch.autocast(images.device.type, enabled=False):
            (found,) = self._network.to(images.device)(codes)
        return found.double()


class _FID(FrechetInceptionDistance):
    """FID of features; says so if there are too few."""

    def __init__(self, given: nn.Module) -> None:
        super().__init__(given)

    def compute(self) -> Tensor:
        _check(int(self.real_features_num_samples), int(self.fake_features_num_samples))
        return super().compute()


class _KID(KernelInceptionDistance):
    """The mean KID of features, whose subsets are no larger than the sets are.

    They are drawn alike each time, and PyTorch's global generator does not notice.
    """

    def __init__(self, given: nn.Module) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the room that features take
            super().__init__(given)

    def counts(self) -> tuple[int, int]:
        """How many real pictures, and how many fakes."""
        real, fake = self.real_features, self.fake_features
        return sum(map(len, real)), sum(map(len, fake))

    def plan(self) -> tuple[int, int]:
        """How many subsets, of how many pictures: one, where it is all of both sets."""
        counts = self.counts()
        size = min(*counts, SUBSET_SIZE)
        return (1 if max(counts) == size else SUBSETS), size

    def compute(self) -> Tensor:  # type: ignore[override]
        _check(*self.counts())
        self.subsets, self.subset_size = self.plan()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return super().compute()[0]


class _Given(nn.Module):
    """Features that are given as what they are of."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def _check(real: int, fake: int) -> None:
    if min(real, fake) < 2:
        raise ValueError(
            f"FID and KID need at least 2 real pictures and 2 fakes, got {real} and {fake}"
        )


def _load(path: Path, features: int) -> nn.Module:
    """Build torch-fidelity's network; its own loading would run what a file says."""
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise ImportError(
            "FID and KID need torch-fidelity: pip install -c constraints.txt '.[fid]'"
        ) from error
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file of Inception's weights")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the reader raises whatever it likes on a broken file
        raise ValueError(
            f"{path}: cannot be read as weights: it is damaged, none at all, or would run code"
        ) from error
    copy = BytesIO()
    torch.save(state, copy)
    copy.seek(0)
    try:
        with torch.random.fork_rng(devices=[]):  # it draws weights first
            network: nn.Module = FeatureExtractorInceptionV3("inception", [str(features)], copy)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not the weights of torch-fidelity's Inception") from error
    return network.eval()
