"""Tests of lit_restore.tasks._begin."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from lit_restore.checkpoints import MissingNetworkError, load_network, save_network
from lit_restore.models import ESPCN, FSRCNN, SRCNN, SRResNet
from lit_restore.tasks._begin import begin_with
from lit_restore.weights import weights_path


def _saved(network: nn.Module, folder: Path) -> Path:
    save_network(network, folder / "trained.safetensors")
    return folder / "trained.safetensors"


@pytest.mark.parametrize(
    ("trained", "network"),
    [
        (
            FSRCNN(4, width=8, mapping_width=4, depth=1),
            FSRCNN(2, width=8, mapping_width=4, depth=1),
        ),
        (SRCNN(1, enlarged_by=2), SRCNN(1, enlarged_by=3)),
        (SRResNet(width=4, depth=1), SRResNet(width=4, depth=1)),
    ],
)
def test_all_weights_are_taken_where_all_fit(
    trained: nn.Module, network: nn.Module, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        begin_with(network, _saved(trained, tmp_path), "initial_weights")

    for one, other in zip(
        network.state_dict().values(), trained.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


def test_what_another_scale_shapes_otherwise_stays_as_drawn_and_is_named(tmp_path: Path) -> None:
    trained, network = ESPCN(4), ESPCN(3)
    drawn = {name: value.clone() for name, value in network.state_dict().items()}

    with pytest.warns(UserWarning, match=r"left as drawn: (\S+), (\S+)$") as caught:
        begin_with(network, _saved(trained, tmp_path), "initial_weights")

    left = str(caught[0].message).rsplit(": ", 1)[1].split(", ")
    other = trained.state_dict()
    assert {other[name].shape[0] for name in left} == {16}
    for name, value in network.state_dict().items():
        assert torch.equal(value, drawn[name] if name in left else other[name])


@pytest.mark.parametrize(
    ("trained", "message"),
    [
        (ESPCN(4), "expected weights of a FSRCNN, got those of a ESPCN in"),
        (FSRCNN(4, width=8), r"weights of a FSRCNN with width=56, got one with width=8 in"),
        (
            FSRCNN(4, mapping_width=4, depth=2),
            r"with mapping_width=12, depth=4, got one with mapping_width=4, depth=2 in",
        ),
    ],
)
def test_another_network_is_refused(trained: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^initial_weights: .*{message}"):
        begin_with(FSRCNN(4), _saved(trained, tmp_path), "initial_weights")


def test_shipped_weights_have_names() -> None:
    network = FSRCNN(2)
    begin_with(network, "fsrcnn_x4", "initial_weights")
    shipped = load_network(weights_path("fsrcnn_x4")).state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(value, shipped[name])


@pytest.mark.parametrize("name", ["none.safetensors", "fsrcnn_x5"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    message = f"{name}: there is no such file; shipped are mosaic_unet, .*fsrcnn_x4"
    with pytest.raises(MissingNetworkError, match=message):
        begin_with(FSRCNN(4), tmp_path / name, "initial_weights")
