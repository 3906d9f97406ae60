"""Tests of benchmarks.style_torch: both ways compute the same loss and gradient."""

from collections.abc import Iterator

import pytest
import torch

from benchmarks import style_torch


@pytest.fixture
def _in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)  # in float32 differences of Gram matrices are rough
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_in_float64")
def test_the_notes_way_computes_what_the_library_does() -> None:
    content, style, image = torch.rand(3, 1, 3, 32, 40).unbind()
    found = []
    for make in (style_torch._ours, style_torch._plain):
        torch.manual_seed(0)
        evaluate = make(content, style)
        picture = image.clone().requires_grad_()
        loss = evaluate(picture)
        found.append((loss.detach(), torch.autograd.grad(loss, picture)[0]))
    (ours, our_gradient), (notes, their_gradient) = found
    torch.testing.assert_close(ours, notes, rtol=1e-9, atol=0)
    scale = float(their_gradient.abs().max())
    assert scale > 0
    torch.testing.assert_close(our_gradient, their_gradient, rtol=0, atol=1e-9 * scale)
