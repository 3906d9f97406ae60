"""Published weights of super-resolution networks in ours, and the figures that they reach.

The files are not in the repository: these tests read the folder that LIT_RESTORE_DATA names.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lit_restore.interop import TorchFileError, load_third_party
from lit_restore.interop.torch_name_maps import FSRCNN_YJN870, TorchNames
from lit_restore.metrics import luma
from lit_restore.models import FSRCNN, SRCNN, VDSR

WEIGHTS = Path("weights", "torch")
FSRCNN_FILE = WEIGHTS / "fsrcnn_yjn870"
VDSR_FILE = WEIGHTS / "vdsr_twtygqyy" / "model_epoch_50.state_dict.pth"


@pytest.fixture(scope="module")
def data() -> Path:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root or not Path(root, WEIGHTS).is_dir():
        pytest.skip("LIT_RESTORE_DATA names no folder with weights/torch")
    return Path(root)


def picture(path: Path) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB")


def on_luma(image: Image.Image) -> Tensor:
    """Shape (1, 1, H, W), luma in unit range, not rounded."""
    return luma(torch.tensor(np.asarray(image)).permute(2, 0, 1)[None].float() / 255)


def set5(data: Path, scale: int) -> list[tuple[Image.Image, Image.Image]]:
    """The small and the whole pictures."""
    folder = data / "sr" / "Set5"
    small = sorted(folder.glob(f"LRx{scale}/*.png"))
    assert len(small) == 5
    return [(picture(path), picture(folder / "HR" / f"{path.stem}.bmp")) for path in small]


def decibels(prediction: Tensor, target: Tensor, crop: int) -> float:
    """PSNR as protocol ``y`` has it, written out."""
    height, width = prediction.shape[-2:]
    inner = (..., slice(crop, height - crop), slice(crop, width - crop))
    pair = (prediction.double().clamp(0, 1) * 255, target.double()[..., :height, :width] * 255)
    error = (pair[0][inner] - pair[1][inner]).square().mean().item()
    return float(10 * np.log10(255**2 / error))


@torch.no_grad()
@pytest.mark.parametrize(("scale", "figure"), [(2, 37.1407), (4, 30.5148)])
def test_yjn870_s_fsrcnn_reaches_its_figure_on_set5(scale: int, figure: float, data: Path) -> None:
    network = load_third_party("fsrcnn", data / FSRCNN_FILE / f"fsrcnn_x{scale}.pth")
    assert isinstance(network, FSRCNN)
    assert network.scale == scale
    found = [
        decibels(network(on_luma(small)), on_luma(whole), scale)
        for small, whole in set5(data, scale)
    ]
    assert np.mean(found) == pytest.approx(figure, abs=0.001)


@torch.no_grad()
@pytest.mark.parametrize(("scale", "figure"), [(2, 37.5607), (3, 33.7223), (4, 31.2463)])
def test_twtygqyy_s_vdsr_reaches_its_figures_on_set5(scale: int, figure: float, data: Path) -> None:
    network = load_third_party("vdsr", data / VDSR_FILE, scale).to(
        memory_format=torch.channels_last
    )
    assert isinstance(network, VDSR)
    assert network.enlarged_by == scale
    found = []
    for small, whole in set5(data, scale):
        size = (small.width * scale, small.height * scale)
        enlarged = small.resize(size, Image.Resampling.BICUBIC)  # as uint8, in RGB
        found.append(decibels(network(on_luma(enlarged)), on_luma(whole), scale))
    assert np.mean(found) == pytest.approx(figure, abs=0.001)


def test_the_published_srcnns_load_by_their_kind(data: Path) -> None:
    folder = data / "weights" / "keras"
    coloured = load_third_party("srcnn", folder / "titu1994" / "SR_Weights_2X.h5", 2)
    assert isinstance(coloured, SRCNN)
    assert (coloured.in_channels, coloured.padding, coloured.enlarged_by) == (3, "same", 2)
    grey = load_third_party("srcnn", folder / "srcnn_markprecursor" / "m_model_adam_new30.h5")
    assert isinstance(grey, SRCNN)
    assert (grey.in_channels, grey.padding, grey.enlarged_by) == (1, "valid", None)


def their_state(names: TorchNames) -> dict[str, Tensor]:
    """A network of ours under their names."""
    back = {place: name for name, place in names.items()}
    state = FSRCNN(3).state_dict()
    return {f"{back[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": state[key] for key in state}


def test_the_factor_of_fsrcnn_is_given_or_in_the_file_s_name(tmp_path: Path) -> None:
    for name in ("fsrcnn_x3.pth", "mine.pth"):
        torch.save(their_state(FSRCNN_YJN870), tmp_path / name)
    named = load_third_party("fsrcnn", tmp_path / "fsrcnn_x3.pth")
    given = load_third_party("fsrcnn", tmp_path / "mine.pth", scale=4)
    assert isinstance(named, FSRCNN)
    assert isinstance(given, FSRCNN)
    assert (named.scale, given.scale, named.training) == (3, 4, False)
    with pytest.raises(TorchFileError, match="expected a factor of enlargement, as scale or as x2"):
        load_third_party("fsrcnn", tmp_path / "mine.pth")


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fsrcnn_x3.pth"
    torch.save(their_state(FSRCNN_YJN870), path)
    message = re.escape("does not fill VDSR: no place for first_part.0.weight")
    with pytest.raises(TorchFileError, match=message):
        load_third_party("vdsr", path)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    message = "kind must be one of fsrcnn, vdsr, srcnn, pix2pix, cyclegan; got 'edsr'"
    with pytest.raises(ValueError, match=message):
        load_third_party("edsr", tmp_path / "edsr.pth")
