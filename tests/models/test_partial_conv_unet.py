"""Tests of lit_restore.models.partial_conv_unet."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lit_restore.checkpoints import load_network, save_network
from lit_restore.models import PartialConvUNet

NORMS = ("batch", "region", "none")


def small(norm: Any = "batch", **options: Any) -> PartialConvUNet:
    torch.manual_seed(0)
    return PartialConvUNet((4, 6, 8), (5, 3), norm, **options)


def picture(height: int = 24, width: int = 40) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(2, 1, height, width)
    mask[:, :, 3:19, 5:30] = 0
    return torch.rand(2, 3, height, width, generator=generator), mask


def gradients(network: PartialConvUNet, image: Tensor, mask: Tensor) -> list[Tensor]:
    output = network(image, mask)
    return [output, *torch.autograd.grad(output.square().mean(), list(network.parameters()))]


def test_at_first_it_is_the_paper_s_network() -> None:
    network = PartialConvUNet()
    widths = (3, 64, 128, 256, 512, 512, 512, 512, 512)
    encoder = [tuple(stage.conv.weight.shape) for stage in network.encoder]
    sizes = (7, 5, 5, 3, 3, 3, 3, 3)
    rows = zip(widths, widths[1:], sizes, strict=False)
    assert encoder == [(b, a, k, k) for a, b, k in rows]
    decoder = [tuple(stage.conv.weight.shape) for stage in network.decoder]
    joined = [(512, 1024)] * 4 + [(256, 768), (128, 384), (64, 192), (3, 67)]
    assert decoder == [(*one, 3, 3) for one in joined]
    assert network.multiple_of == 256
    parameters = sum(value.numel() for value in network.parameters())
    kernels = sum(a * b * k * k for a, b, k in zip(widths, widths[1:], sizes, strict=False))
    kernels += sum(a * b * 9 for a, b in joined)
    norms = 2 * (sum(widths[2:]) + sum(out for out, _ in joined[:-1]))
    assert parameters == kernels + norms + 64 + 3  # the first and the last have a bias
    slopes = [
        stage.act.negative_slope
        for stage in network.decoder
        if hasattr(stage.act, "negative_slope")
    ]
    assert slopes == [0.2] * 7


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("height", "width"), [(24, 40), (8, 8)])
def test_it_keeps_the_size(norm: Any, height: int, width: int) -> None:
    image = torch.rand(2, 3, height, width)
    assert small(norm)(image, torch.ones(2, 1, height, width)).shape == image.shape


def test_one_level_is_enough() -> None:
    network = PartialConvUNet([4], [3])
    assert network.multiple_of == 2
    assert network(torch.rand(1, 3, 6, 10), torch.ones(1, 1, 6, 10)).shape == (1, 3, 6, 10)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("normalize", ["coverage", "count"])
@pytest.mark.parametrize("training", [True, False])
def test_what_is_in_the_hole_never_matters(norm: Any, normalize: Any, training: bool) -> None:
    network = small(norm, normalize=normalize).train(training)
    image, mask = picture()
    found = (
        gradients(network, image.masked_fill(mask == 0, fill), mask) for fill in (0.3, float("nan"))
    )
    for one, other in zip(*found, strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, other)


def test_a_picture_that_is_a_hole_gives_finite_numbers_and_gradients() -> None:
    image, mask = picture()
    assert all(one.isfinite().all() for one in gradients(small(), image, mask * 0))


def test_the_last_stage_reads_the_picture_through_its_own_mask() -> None:
    network, (image, mask) = small().eval(), picture()
    expected = network(image, mask)
    nudged = image.clone()
    nudged[:, :, 12, 2] += 0.5  # a valid pixel
    changed = (network(nudged, mask) - expected).abs().amax(dim=(0, 1)) > 1e-7
    assert changed[11:14, 1:4].all()


def test_every_skip_carries_its_mask() -> None:
    network, (image, mask) = small().eval(), picture()
    masks = {}
    for name, stage in network.decoder.named_children():
        stage.register_forward_pre_hook(lambda _, given, name=name: masks.update({name: given[3]}))
    network(image, mask)
    seen = [float(one.mean()) for one in masks.values()]
    assert seen == sorted(seen, reverse=True)  # the finest has the largest holes
    assert torch.equal(masks["2"], mask)


def batch_statistics(network: PartialConvUNet, part: str) -> list[Tensor]:
    state = network.state_dict().items()
    return [value.clone() for name, value in state if part in name and "running" in name]


def test_a_frozen_norm_of_the_encoder_stays_frozen_in_training() -> None:
    network, (image, mask) = small(), picture()
    network(image, mask)
    network.eval()
    expected = network.encoder[1](*network.encoder[0](image, mask))[0]
    before = {part: batch_statistics(network, part) for part in ("encoder", "decoder")}

    network.freeze_encoder_norm()
    network.train().eval().train()
    network(image, mask).mean().backward()

    for part, old in before.items():
        same = [
            torch.equal(*pair) for pair in zip(batch_statistics(network, part), old, strict=True)
        ]
        assert all(same) if part == "encoder" else not any(same)
    assert torch.equal(network.encoder[1](*network.encoder[0](image, mask))[0], expected)
    assert all(stage.norm.weight.grad is None for stage in network.encoder[1:])
    assert all(stage.conv.weight.grad is not None for stage in network.encoder)
    assert not network.encoder[1].norm.training
    assert network.decoder[0].norm.training


def test_a_thawed_norm_learns_again() -> None:
    network, (image, mask) = small(), picture()
    network.freeze_encoder_norm()
    network.freeze_encoder_norm(False)
    before = batch_statistics(network, "encoder")
    network(image, mask).mean().backward()
    after = batch_statistics(network, "encoder")
    assert not any(torch.equal(*pair) for pair in zip(after, before, strict=True))
    assert all(stage.norm.weight.grad is not None for stage in network.encoder[1:])


@pytest.mark.parametrize("norm", NORMS)
def test_any_norm_can_be_frozen(norm: Any) -> None:
    network = small(norm)
    network.freeze_encoder_norm()
    network(*picture()).mean().backward()
    learning = [name for name, value in network.named_parameters() if value.grad is None]
    assert all(".norm." in name and name.startswith("encoder") for name in learning)


def test_it_is_rebuilt_from_its_file(tmp_path: Path) -> None:
    network = PartialConvUNet([4, 6], [3], "region", "count").eval()
    save_network(network, tmp_path / "net.safetensors")
    loaded: Any = load_network(tmp_path / "net.safetensors")
    kept = (loaded.widths, loaded.kernel_sizes, loaded.norm, loaded.normalize)
    assert kept == ((4, 6), (3,), "region", "count")
    assert torch.equal(loaded(*picture()), network(*picture()))


def test_without_norm_every_convolution_has_a_bias() -> None:
    assert all(
        stage.conv.bias is not None for stage in [*small("none").encoder, *small("none").decoder]
    )
    biased = [stage.conv.bias is not None for stage in [*small().encoder, *small().decoder]]
    assert biased == [True, False, False, False, False, True]


def test_it_can_be_copied_after_use() -> None:
    network, (image, mask) = small().eval(), picture()
    expected = network(image, torch.ones_like(mask))
    assert torch.equal(copy.deepcopy(network)(image, torch.ones_like(mask)), expected)


def test_it_compiles() -> None:
    network, (image, mask) = small(normalize="count").eval(), picture()
    compiled = torch.compile(network, backend="aot_eager")
    for valid in (mask, torch.ones_like(mask)):
        torch.testing.assert_close(compiled(image, valid), network(image, valid))


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="must be multiples of 8, got 24x41"):
        small()(torch.rand(1, 3, 24, 41), torch.ones(1, 1, 24, 41))
    with pytest.raises(ValueError, match=r"mask must have shape \(1, 1, 24, 40\)"):
        small()(torch.rand(1, 3, 24, 40), torch.ones(1, 3, 24, 40))
    with pytest.raises(ValueError, match="norm must be one of batch, region, none; got 'instance'"):
        small("instance")
    with pytest.raises(ValueError, match="expected widths and kernel sizes"):
        PartialConvUNet([])


def test_batch_norm_is_not_asked_to_learn_from_one_value() -> None:
    network = PartialConvUNet(widths=(4, 6))
    image, mask = torch.rand(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    with pytest.raises(ValueError, match=r"a batch of 2 or more, or sides above 4; got one .* 4x4"):
        network(image[:1], mask[:1])
    assert network(image, mask).shape == image.shape
    assert network.eval()(image[:1], mask[:1]).shape == (1, 3, 4, 4)
    network.train().freeze_encoder_norm()
    assert network(image[:1], mask[:1]).shape == (1, 3, 4, 4)
