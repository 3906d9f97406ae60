"""Tests of lit_restore.losses.gram."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_restore.losses import correlation_matrix, covariance_matrix, gram_matrix

Matrix = Callable[[Tensor], Tensor]
ALL = [gram_matrix, covariance_matrix, correlation_matrix]
EACH = pytest.mark.parametrize("matrix", ALL)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64) * 3 - 1


def test_gram_is_the_sum_of_products_over_positions() -> None:
    features = drawn(2, 3, 4, 5)
    expected = np.zeros((2, 3, 3))
    for n, i, j, y, x in np.ndindex(2, 3, 3, 4, 5):
        expected[n, i, j] += (features[n, i, y, x] * features[n, j, y, x]).item()
    np.testing.assert_allclose(gram_matrix(features).numpy(), expected, rtol=1e-12)


def test_covariance_is_numpys_divided_by_the_number_of_positions() -> None:
    features = drawn(2, 3, 4, 5)
    expected = [np.cov(one.flatten(1).numpy(), bias=True) for one in features]
    np.testing.assert_allclose(covariance_matrix(features).numpy(), expected, rtol=1e-12)


def test_correlation_is_numpys() -> None:
    features = drawn(2, 3, 4, 5) * torch.tensor([1e-4, 1.0, 1e4]).view(3, 1, 1)
    expected = [np.corrcoef(one.flatten(1).numpy()) for one in features]
    np.testing.assert_allclose(correlation_matrix(features).numpy(), expected, rtol=1e-11)


def test_the_notes_call_them_the_mean_gram_of_centred_and_of_standardised_features() -> None:
    features = drawn(2, 3, 4, 5)
    centred = features - features.mean(dim=(2, 3), keepdim=True)
    standard = centred / centred.square().mean(dim=(2, 3), keepdim=True).sqrt()
    torch.testing.assert_close(covariance_matrix(features), gram_matrix(centred) / 20)
    torch.testing.assert_close(correlation_matrix(features), gram_matrix(standard) / 20)


@EACH
def test_it_is_symmetric_and_positive_semidefinite(matrix: Matrix) -> None:
    found = matrix(drawn(2, 6, 2, 2))  # of lower rank than channels
    assert torch.equal(found, found.mT)
    values = torch.linalg.eigvalsh(found)
    assert values.min() > -1e-12 * values.max()


@EACH
def test_where_something_is_does_not_matter(matrix: Matrix) -> None:
    features = drawn(2, 3, 4, 5)
    moved = features.flatten(2)[..., torch.randperm(20)].reshape(2, 3, 5, 4)
    torch.testing.assert_close(matrix(moved), matrix(features))


@EACH
def test_each_picture_has_its_own(matrix: Matrix) -> None:
    features = drawn(3, 2, 4, 5)
    torch.testing.assert_close(matrix(features)[1:2], matrix(features[1:2]))


def test_a_constant_channel_varies_and_correlates_with_nothing() -> None:
    features = drawn(1, 3, 4, 5).float()
    features[:, 1] = 0.1  # whose mean, in float32, is not 0.1
    for matrix in (covariance_matrix, correlation_matrix):
        found = matrix(features)[0]
        assert found[1].eq(0).all()
        assert found[:, 1].eq(0).all()
        assert found[0, 2] != 0


def test_the_gradient_of_a_constant_channel_is_finite() -> None:
    features = drawn(1, 3, 4, 5)
    features[:, 1] = 0.1
    features.requires_grad_()
    for matrix in (covariance_matrix, correlation_matrix):
        (gradient,) = torch.autograd.grad(matrix(features).square().sum(), features)
        assert gradient.isfinite().all()
        assert gradient[:, 1].eq(0).all()
        assert gradient[:, 0].abs().sum() > 0


@EACH
def test_the_gradient_is_that_of_finite_differences(matrix: Matrix) -> None:
    assert torch.autograd.gradcheck(matrix, drawn(2, 2, 2, 3).requires_grad_())


@EACH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(matrix: Matrix, dtype: torch.dtype) -> None:
    features = (drawn(1, 2, 32, 32) * 3000).to(dtype)  # whose squares float16 cannot hold
    found = matrix(features)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), matrix(features.double()), rtol=1e-5, atol=1e-5)


@EACH
def test_autocast_does_not_round_it(matrix: Matrix) -> None:
    features = drawn(1, 4, 16, 16).float()
    with torch.autocast("cpu", torch.bfloat16):
        found = matrix(features)
    assert torch.equal(found, matrix(features))


@EACH
def test_it_runs_where_there_is_no_autocast(matrix: Matrix) -> None:
    assert matrix(torch.rand(2, 3, 4, 5, device="meta")).shape == (2, 3, 3)


@EACH
def test_what_is_no_batch_of_maps_is_refused(matrix: Matrix) -> None:
    with pytest.raises(ValueError, match=r"shape \(N, C, H, W\), got \(3, 4, 5\)"):
        matrix(torch.rand(3, 4, 5))
