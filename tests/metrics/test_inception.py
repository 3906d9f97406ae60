"""Tests of lit_restore.metrics.inception; the weights are random ones of the right shapes."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn

from lit_restore.metrics import InceptionMetrics, inception_metrics
from lit_restore.metrics.inception import SUBSET_SIZE, InceptionFeatures

pytest.importorskip(
    "torch_fidelity", reason="torch-fidelity is missing: pip install -c constraints.txt '.[fid]'"
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of the network's shapes, drawn so that features keep their scale."""
    from torch_fidelity import feature_extractor_inceptionv3 as fidelity

    class Bare(fidelity.FeatureExtractorInceptionV3):
        def load_state_dict(self, *args: Any, **kwargs: Any) -> None:
            """Keep what was drawn."""

    path = tmp_path_factory.mktemp("inception") / "pt_inception-2015-12-05-6726825d.pth"
    nothing = path.with_name("nothing.pth")
    torch.save({}, nothing)
    torch.manual_seed(0)
    network = Bare("inception", ["2048"], str(nothing))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    torch.save(network.state_dict(), path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def features(weights: Path) -> InceptionFeatures:
    return InceptionFeatures(weights, 64)


class _FewFeatures:
    """Stands for the network: 6 features of a picture, at once."""

    num_features = 6

    def __call__(self, images: Tensor) -> Tensor:
        seen = images.flatten(1).double()
        drawn = torch.randn(seen.shape[1], 6, generator=torch.Generator().manual_seed(0))
        return seen @ drawn.double() / 10


FEW: Any = _FewFeatures()


@pytest.fixture
def metrics() -> InceptionMetrics:
    return InceptionMetrics(FEW)


def _pictures(seed: int, count: int, low: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return low + (1 - low) * torch.rand(count, 3, 5, 6, generator=generator)


def _values(metrics: InceptionMetrics, real: Tensor, fake: Tensor) -> tuple[float, float]:
    metrics.reset()
    for images, is_real in ((real, True), (fake, False)):
        for batch in images.split(4):
            metrics.update(batch, is_real)
    found = metrics.compute()
    assert {value.dtype for value in found.values()} == {torch.float64}
    return found["fid"].item(), found["kid"].item()


def _kernel(one: Any, other: Any) -> Any:
    return (one @ other.T / one.shape[1] + 1) ** 3


def test_fid_and_kid_are_those_of_their_formulas(metrics: InceptionMetrics) -> None:
    real, fake = _pictures(0, 12), _pictures(1, 12, low=0.3)
    fid, kid = _values(metrics, real, fake)
    one, other = (FEW(images).numpy() for images in (real, fake))
    covariances = [np.cov(side, rowvar=False) for side in (one, other)]
    expected = np.square(one.mean(0) - other.mean(0)).sum()
    expected += np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    assert fid == pytest.approx(expected, rel=1e-9)
    same = [(k.sum() - np.trace(k)) / (12 * 11) for k in (_kernel(one, one), _kernel(other, other))]
    assert kid == pytest.approx(sum(same) - 2 * _kernel(one, other).mean(), rel=1e-9)
    assert fid > 0.1


def test_a_set_is_at_no_distance_from_itself_and_order_and_batches_do_not_matter(
    metrics: InceptionMetrics,
) -> None:
    real, fake = _pictures(0, 9), _pictures(1, 9, low=0.3)
    apart, _ = _values(metrics, real, fake)
    alone, _ = _values(metrics, real, real.flip(0))
    assert abs(alone) < 1e-6 * apart


def test_both_are_symmetric(metrics: InceptionMetrics) -> None:
    real, fake = _pictures(0, 9), _pictures(1, 9, low=0.3)
    np.testing.assert_allclose(
        _values(metrics, real, fake), _values(metrics, fake, real), rtol=1e-9
    )


def test_pictures_that_are_farther_off_are_farther_off(metrics: InceptionMetrics) -> None:
    real = _pictures(0, 8)
    near, far = (_values(metrics, real, _pictures(1, 8, low)) for low in (0.0, 0.5))
    assert near[0] < far[0]
    assert near[1] < far[1]


def test_kids_subsets_are_no_larger_than_the_sets(
    metrics: InceptionMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = _pictures(0, 8), _pictures(1, 6, low=0.3)
    _values(metrics, real, fake)
    assert metrics.protocol() == ("8 real pictures, 6 fakes; KID's mean of 100 random subsets of 6")
    _values(metrics, real, real)
    assert metrics.protocol().endswith("KID's mean of one subset of 8")
    assert SUBSET_SIZE == 1000
    monkeypatch.setattr("lit_restore.metrics.inception.SUBSET_SIZE", 5)
    _values(metrics, real, real)
    assert metrics.protocol().endswith("KID's mean of 100 random subsets of 5")


def test_random_subsets_are_the_same_ones_each_time_and_leave_training_alone(
    metrics: InceptionMetrics,
) -> None:
    real, fake = _pictures(0, 8), _pictures(1, 6, low=0.3)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = _values(metrics, real, fake)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert _values(metrics, real, fake) == one


def test_fewer_than_2_pictures_have_no_figure(metrics: InceptionMetrics) -> None:
    message = re.escape("at least 2 real pictures and 2 fakes, got 3 and 1")
    for key in ("fid", "kid"):
        metrics.reset()
        metrics.update(_pictures(0, 3), real=True)
        metrics.update(_pictures(0, 1), real=False)
        with pytest.raises(ValueError, match=message):
            metrics[key].compute()


def test_features_are_torch_fidelitys_of_pictures_rounded_to_8_bits(
    features: InceptionFeatures,
) -> None:
    images = _pictures(0, 2)
    codes = (images * 255 + 0.5).floor().to(torch.uint8)
    with torch.no_grad():
        (expected,) = features._network(codes)
    assert torch.equal(features(images), expected.double())
    assert torch.equal(features(codes / 255 + 0.4 / 255), features(codes / 255 - 0.4 / 255))
    white = torch.ones(1, 3, 8, 8)
    assert torch.equal(features(white), features(9 * white))


def test_autocast_does_not_reach_the_network(features: InceptionFeatures) -> None:
    images = _pictures(0, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = features(images)
    assert torch.equal(inside, features(images))


def test_2048_features_are_the_default_and_constructing_draws_nothing(weights: Path) -> None:
    before = torch.get_rng_state()
    metrics = inception_metrics(weights, prefix="val/")
    assert torch.equal(torch.get_rng_state(), before)
    metrics.update(_pictures(0, 1), real=True)
    (kept,) = metrics._modules["kid"].real_features
    assert kept.shape == (1, 2048)
    assert 0.01 < kept.mean() < 100
    assert set(metrics.keys()) == {"val/fid", "val/kid"}


def test_a_checkpoint_does_not_hold_the_network(features: InceptionFeatures) -> None:
    metrics = InceptionMetrics(features)
    assert list(metrics.parameters()) == []
    assert len(metrics.state_dict()) == 0
    assert [name for name, _ in metrics.named_children()] == ["fid", "kid"]


def test_lightning_logs_both_at_the_end_of_an_epoch_and_forgets() -> None:
    from lightning import LightningModule, Trainer
    from torch.utils.data import DataLoader

    class Recipe(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.metrics = InceptionMetrics(FEW, "val/")

        def validation_step(self, batch: Tensor, batch_idx: int) -> None:
            self.metrics.update(batch, real=True)
            self.metrics.update(0.5 * batch, real=False)
            self.log_dict(self.metrics, on_epoch=True)

    recipe = Recipe()
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    loader: Any = DataLoader(list(_pictures(0, 4)), batch_size=2)
    first, second = (trainer.validate(recipe, loader, verbose=False)[0] for _ in range(2))
    assert first == second
    expected = _values(InceptionMetrics(FEW), _pictures(0, 4), 0.5 * _pictures(0, 4))
    np.testing.assert_allclose([first["val/fid"], first["val/kid"]], expected, rtol=1e-5)


def test_other_pictures_are_refused(features: InceptionFeatures) -> None:
    for images in (torch.rand(2, 1, 8, 8), torch.rand(3, 8, 8), torch.ones(2, 3, 8, 8).byte()):
        with pytest.raises(ValueError, match=r"images must have shape \(N, 3, H, W\) and be float"):
            features(images)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    other, none, whole, numbers, empty = (folder / f"{number}.pth" for number in range(5))
    torch.save(nn.Linear(2, 2).state_dict(), other)
    yield other, "not the weights of torch-fidelity's Inception"
    torch.save([1, 2], numbers)
    yield numbers, "not the weights of torch-fidelity's Inception"
    torch.save(nn.Linear(2, 2), whole)
    yield whole, "cannot be read as weights: it is damaged, none at all, or would run code"
    none.write_bytes(b"no zip and no pickle")
    yield none, "cannot be read as weights: it is damaged, none at all, or would run code"
    empty.touch()
    yield empty, "cannot be read as weights: it is damaged, none at all, or would run code"


def test_other_files_are_refused_in_a_sentence_and_none_is_executed(tmp_path: Path) -> None:
    for path, message in _files(tmp_path):
        with pytest.raises(ValueError, match=re.escape(f"{path}: {message}")) as caught:
            inception_metrics(path)
        assert "\n" not in str(caught.value)
    missing = tmp_path / "missing.pth"
    with pytest.raises(FileNotFoundError, match="there is no such file of Inception's weights"):
        inception_metrics(missing)


def test_without_torch_fidelity_it_says_what_to_install(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(ImportError, match=re.escape("pip install -c constraints.txt '.[fid]'")):
        inception_metrics(weights)
