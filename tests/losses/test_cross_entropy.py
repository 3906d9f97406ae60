"""Tests of lit_restore.losses.cross_entropy, and of what it shares with the other two."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lit_restore.losses import SegmentationCrossEntropy, segmentation_cross_entropy

Batch = tuple[Tensor, Tensor]


def batch(channels: int, dtype: torch.dtype = torch.float64) -> Batch:
    generator = torch.Generator().manual_seed(channels)
    logits = 2 * torch.randn(2, channels, 4, 5, generator=generator, dtype=torch.float64)
    return logits.to(dtype), torch.randint(max(2, channels), (2, 4, 5), generator=generator)


def by_hand(pair: Batch, weights: Tensor, class_weights: list[float], ignored: int = 255) -> float:
    """Loop over the pixels."""
    logits, classes = pair
    total = share = 0.0
    for n, y, x in torch.cartesian_prod(*(torch.arange(side) for side in classes.shape)).tolist():
        true = int(classes[n, y, x])
        if true == ignored:
            continue
        column = [0.0, *logits[n, :, y, x].tolist()] if logits.shape[1] == 1 else logits[n, :, y, x]
        odds = [math.exp(value) for value in column]
        entropy = -math.log(odds[true] / sum(odds))
        total += class_weights[true] * float(weights[n, y, x]) * entropy
        share += class_weights[true]
    return total / share


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_it_is_what_a_loop_over_the_pixels_finds(channels: int) -> None:
    logits, classes = batch(channels)
    classes[0, 1, :3] = 255
    weights = torch.rand(classes.shape, generator=torch.Generator().manual_seed(0)) + 0.5
    class_weights = [0.3, 2.0, 1.1][: max(2, channels)]
    loss = SegmentationCrossEntropy(class_weights)(logits, classes, weights)
    expected = by_hand((logits, classes), weights, class_weights)
    assert loss.item() == pytest.approx(expected, rel=1e-9)


def test_it_is_pytorchs_with_its_weights_and_its_ignored_class() -> None:
    logits, classes = batch(3)
    classes[1, 2] = 7
    class_weights = [0.3, 2.0, 1.1]
    expected = F.cross_entropy(
        logits, classes, weight=logits.new_tensor(class_weights), ignore_index=7
    )
    found = segmentation_cross_entropy(logits, classes, class_weights=class_weights, ignore_index=7)
    torch.testing.assert_close(found, expected)


def test_one_channel_is_the_sigmoids_entropy_and_that_of_two_logits_one_of_which_is_0() -> None:
    logits, classes = batch(1)
    loss = segmentation_cross_entropy(logits, classes)
    expected = F.binary_cross_entropy(logits[:, 0].sigmoid(), classes.double())
    torch.testing.assert_close(loss, expected)
    both = torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(loss, segmentation_cross_entropy(both, classes))


def test_it_is_the_notes_loss_of_one_row_per_pixel_but_only_with_the_channels_last() -> None:
    logits, classes = batch(3)
    rows = logits.permute(0, 2, 3, 1).reshape(-1, 3)
    loss = segmentation_cross_entropy(logits, classes)
    torch.testing.assert_close(loss, F.cross_entropy(rows, classes.flatten()))
    mixed = F.cross_entropy(logits.reshape(-1, 3), classes.flatten())
    assert abs(mixed.item() - loss.item()) > 0.05


def test_only_the_ratio_of_class_weights_matters_but_all_of_the_pixel_weights() -> None:
    logits, classes = batch(3)
    loss = SegmentationCrossEntropy([1, 2, 3])(logits, classes)
    torch.testing.assert_close(SegmentationCrossEntropy([10, 20, 30])(logits, classes), loss)
    doubled = SegmentationCrossEntropy([1, 2, 3])(logits, classes, 2 * torch.ones(classes.shape))
    torch.testing.assert_close(doubled, 2 * loss)


def test_what_a_pixel_weighs_does_not_depend_on_the_weight_of_others() -> None:
    logits, classes = batch(1)
    weights = torch.ones(classes.shape)
    gradients = []
    for other in (1.0, 50.0):
        weights[0, 0, 0] = other
        leaf = logits.clone().requires_grad_()
        segmentation_cross_entropy(leaf, classes, weights).backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(gradients[0][1], gradients[1][1])
    torch.testing.assert_close(50 * gradients[0][0, 0, 0, 0], gradients[1][0, 0, 0, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_predicted_where_the_truth_is_ignored_does_not_matter(channels: int) -> None:
    logits, classes = batch(channels)
    classes[0] = 255
    loss = segmentation_cross_entropy(logits, classes)
    torch.testing.assert_close(loss, segmentation_cross_entropy(logits[1:], classes[1:]))
    broken = logits.clone()
    broken[0] = math.nan
    broken.requires_grad_()
    weights = torch.ones(classes.shape)
    weights[0] = math.nan
    again = segmentation_cross_entropy(broken, classes, weights)
    again.backward()
    torch.testing.assert_close(again, loss)
    assert (broken.grad[0] == 0).all()
    assert (broken.grad[1] != 0).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("class_weights", [None, "present"])
def test_where_nothing_counts_the_loss_and_its_gradient_are_0(
    channels: int, class_weights: str | None
) -> None:
    logits, classes = batch(channels)
    logits.requires_grad_()
    weights = None if class_weights is None else [0.0, *[1.0] * (max(2, channels) - 1)]
    nothing = torch.full_like(classes, 255) if weights is None else torch.zeros_like(classes)
    loss = segmentation_cross_entropy(logits, nothing, class_weights=weights)
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_gradient_is_that_of_finite_differences(channels: int) -> None:
    logits, classes = batch(channels)
    classes[0, 0] = 255
    weights = torch.rand(classes.shape, generator=torch.Generator().manual_seed(1))
    loss = SegmentationCrossEntropy([0.5, 2.0, 1.0][: max(2, channels)])
    assert torch.autograd.gradcheck(
        lambda x: loss(x, classes, weights), logits.clone().requires_grad_()
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_certain_errors_cost_their_logit_and_keep_a_gradient(channels: int) -> None:
    logits = torch.zeros(1, channels, 1, 1)
    logits[:, -1] = 300
    logits.requires_grad_()
    loss = segmentation_cross_entropy(logits, torch.zeros(1, 1, 1, dtype=torch.long))
    loss.backward()
    assert loss.item() == pytest.approx(300)
    assert logits.grad[0, -1].item() == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_half_precision_and_autocast_are_summed_in_single(channels: int) -> None:
    logits, classes = batch(channels, torch.bfloat16)
    expected = segmentation_cross_entropy(logits.float(), classes)
    with torch.autocast("cpu", torch.bfloat16):
        found = segmentation_cross_entropy(logits, classes)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_classes_may_be_any_integers(dtype: torch.dtype) -> None:
    logits, classes = batch(3)
    classes[0, 0] = 255
    found = segmentation_cross_entropy(logits, classes.to(dtype))
    torch.testing.assert_close(found, segmentation_cross_entropy(logits, classes))


@pytest.mark.parametrize(
    ("logits", "classes", "weights", "message"),
    [
        ((2, 3, 4), (2, 4, 4), None, r"\(N, C, H, W\), got \(2, 3, 4\)"),
        (
            (2, 3, 4, 4),
            (2, 4, 5),
            None,
            r"classes must have the shape \(2, 4, 4\), got \(2, 4, 5\)",
        ),
        ((2, 1, 4, 4), (2, 1, 4, 4), None, r"\(2, 4, 4\), got \(2, 1, 4, 4\)"),
        ((2, 1, 4, 4), (2, 4, 4), (4, 4), r"weights must have the shape \(2, 4, 4\), got \(4, 4\)"),
    ],
)
def test_shapes_that_would_be_broadcast_are_refused(
    logits: tuple[int, ...], classes: tuple[int, ...], weights: tuple[int, ...] | None, message: str
) -> None:
    given = None if weights is None else torch.ones(weights)
    with pytest.raises(ValueError, match=message):
        segmentation_cross_entropy(
            torch.zeros(logits), torch.zeros(classes, dtype=torch.long), given
        )


@pytest.mark.parametrize(("channels", "value"), [(1, 2), (3, 3), (3, -1)])
def test_a_class_that_does_not_exist_is_named(channels: int, value: int) -> None:
    logits, classes = batch(channels)
    classes[1, 2, 3] = value
    with pytest.raises(ValueError, match=rf"in 0 \.\. \d, or 255 where ignored; got {value}$"):
        segmentation_cross_entropy(logits, classes)
    with pytest.raises(ValueError, match=rf"in 0 \.\. \d; got {value}$"):
        segmentation_cross_entropy(logits, classes, ignore_index=None)


def test_classes_that_are_no_integers_or_are_to_be_ignored_are_refused() -> None:
    logits, classes = batch(3)
    with pytest.raises(ValueError, match=r"must be integers, got torch\.float64"):
        segmentation_cross_entropy(logits, classes.double())
    with pytest.raises(ValueError, match="none of the 3 classes, got 0"):
        segmentation_cross_entropy(logits, classes, ignore_index=0)


def test_each_class_has_a_weight_and_some_count() -> None:
    with pytest.raises(ValueError, match=r"2 class weights for logits of 1 channel\(s\), got 3"):
        SegmentationCrossEntropy([1, 1, 1])(*batch(1))
    with pytest.raises(ValueError, match=r"3 class weights for logits of 3 channel\(s\), got 2"):
        segmentation_cross_entropy(*batch(3), class_weights=[1, 1])
    for wrong in ([1.0], [0.0, 0.0], [1.0, -1.0], [1.0, math.nan]):
        with pytest.raises(ValueError, match="two or more class weights"):
            SegmentationCrossEntropy(wrong)
