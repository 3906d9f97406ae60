"""Tests of lit_restore.weights: what is shipped is what the index says, and does what it says."""

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
import torch
from PIL import Image

from benchmarks import edges, edges_methods, folds, inpainting
from benchmarks.inpainting_methods import as_bytes
from lit_restore import weights
from lit_restore.checkpoints import load_network, read_description
from lit_restore.commands import evaluate
from lit_restore.commands._comparison import Comparison, compare
from lit_restore.commands.demo import HELD_OUT
from lit_restore.data import IrregularMasks, read_image
from lit_restore.data.resize import matlab_resize
from lit_restore.datamodules import SegmentationDataModule
from lit_restore.inference import Inpainter, Restorer, Segmenter, takes_mask
from lit_restore.inference.segmenter import is_segmenter
from lit_restore.metrics import PROTOCOLS, BoundaryFMeasure, hole_psnr, psnr
from lit_restore.nn.masks import RATIO_BINS
from lit_restore.weights import shipped, weights_path


def gains(pictures: Comparison) -> list[float]:
    """Mean gain of the restored pictures over the mosaics and over their smoothing, in dB."""
    mosaic, bicubic, restored = (psnr(x, pictures.original).mean() for x in pictures[:3])
    return [float(restored - mosaic), float(restored - bicubic)]


ENLARGING = [name for name in shipped() if re.search(r"_x\d$", name)]


@pytest.mark.parametrize("name", list(shipped()))
def test_shipped_weights_rebuild_their_network(name: str) -> None:
    network = load_network(weights_path(name))
    channels, scale = getattr(network, "in_channels", 3), getattr(network, "scale", 1)
    size = 8 * network.multiple_of
    given = [torch.rand(1, channels, size, size)]
    if takes_mask(network):
        given.append(torch.ones(1, 1, size, size))
    with torch.no_grad():
        result = network(*given)
    made = network.num_classes if is_segmenter(network) else channels
    assert result.shape == (1, made, scale * size, scale * size)
    assert read_description(weights_path(name))["recipe"] == shipped()[name].recipe


def test_shipped_weights_stay_small() -> None:
    sizes = {name: weights_path(name).stat().st_size for name in shipped()}
    assert sizes["mosaic_unet"] <= 4_000_000
    assert sizes["inpaint_pconv"] <= 8_000_000
    assert sizes["photo2edges"] <= 4_500_000
    assert max(sizes["newts"], sizes["membrane"]) <= 3_000_000
    assert sum(sizes[name] for name in ENLARGING) <= 20_000_000


@pytest.mark.parametrize("name", ENLARGING)
def test_networks_that_enlarge_are_better_than_bicubic_on_photographs_that_they_never_saw(
    name: str,
) -> None:
    scale, luma = int(name[-1]), {"protocol": PROTOCOLS["y"], "scale": int(name[-1])}
    restorer = Restorer(load_network(weights_path(name)), scale=scale)
    gained = []
    for picture in ("chelsea.png", "coffee.png", "rocket.jpg"):
        target = read_image(Path(skimage.__file__).parent / "data" / picture)[:, :240, :336]
        small = matlab_resize(target, 1 / scale)
        bicubic = psnr(matlab_resize(small, scale)[None], target[None], **luma)
        restored = psnr(restorer(small)[None], target[None] / 255, **luma)
        gained.append(float(restored - bicubic))
    assert min(gained) > 0.1
    assert sum(gained) / 3 > 0.5


@pytest.mark.parametrize("name", ENLARGING)
@pytest.mark.parametrize("pictures", ["Set5", "Set14"])
def test_networks_that_enlarge_reach_what_the_index_says(
    name: str, pictures: str, tmp_path: Path
) -> None:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root:
        pytest.skip("LIT_RESTORE_DATA names no folder with sr/Set5 and sr/Set14")
    folder = Path(root, "sr", pictures)
    words = ["bicubic", name, "--data", str(folder / "HR"), "--lr", str(folder / "LRx{scale}")]
    words += ["--scale", name[-1], "--json", str(tmp_path / "a.json")]
    assert evaluate.main(words) == 0
    rows = json.loads((tmp_path / "a.json").read_text())
    recorded = shipped()[name].quality[f"{pictures.lower()}_y"]
    np.testing.assert_allclose(
        [row["psnr"] for row in rows], [recorded["bicubic"], recorded["restored"]], atol=0.006
    )


def test_inpaint_pconv_fills_better_than_the_mean_on_photographs_that_it_never_saw() -> None:
    inpainter = Inpainter(load_network(weights_path("inpaint_pconv")))
    gained = []
    for index, picture in enumerate(("chelsea.png", "coffee.png", "rocket.jpg")):
        target = read_image(Path(skimage.__file__).parent / "data" / picture)[:, 40:240, 100:340]
        generator = torch.Generator().manual_seed(index)
        mask = IrregularMasks(ratios=((0.2, 0.5),))(200, 240, generator)
        target = target.float() / 255
        mean = target.where(mask, 0).sum((1, 2), keepdim=True) / mask.sum()
        filled, even = (
            hole_psnr(one[None], target[None], mask[None])
            for one in (inpainter(target, mask), mean.expand_as(target))
        )
        gained.append(float(filled - even))
    assert min(gained) > 1
    assert sum(gained) / 3 > 2


def test_inpaint_pconv_reaches_what_the_index_says(tmp_path: Path) -> None:
    if not os.environ.get("LIT_RESTORE_DATA"):
        pytest.skip("LIT_RESTORE_DATA names no folder with natural/kodak and irregular_masks")
    inpainter = Inpainter(load_network(weights_path("inpaint_pconv")), "cpu")
    found: list[list[float]] = [[] for _ in inpainting.BINS]
    for one in inpainting.deal(*inpainting.folders(), inpainting.SIZE):
        filled = as_bytes(255 * inpainter(one.picture, one.mask))
        pair = filled[None].double(), one.picture[None].double()
        found[one.ratio_bin].append(float(hole_psnr(*pair, one.mask[None], peak=255)))
    recorded = shipped()["inpaint_pconv"].quality
    for (low, high), values in zip(RATIO_BINS, found, strict=True):
        expected = recorded[f"kodak_128_holes_{100 * low:02.0f}-{100 * high:02.0f}"]
        assert sum(values) / len(values) == pytest.approx(expected["restored"], abs=0.01)
        assert low < 0.3 or expected["restored"] >= expected["telea"] + 0.5


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = json.loads((weights.FOLDER / "index.json").read_text())["mosaic_unet"]
    (tmp_path / "index.json").write_text(json.dumps({"mosaic_unet": entry}))
    content = bytearray(weights_path("mosaic_unet").read_bytes())
    content[-1] ^= 1
    (tmp_path / entry["file"]).write_bytes(content)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="is not the file that was shipped"):
        weights_path("mosaic_unet")


def test_mosaic_unet_gains_a_decibel_on_photographs_that_it_never_saw() -> None:
    folder = Path(skimage.__file__).parent / "data"
    pictures = compare(
        load_network(weights_path("mosaic_unet")), [folder / n for n in HELD_OUT], "zoom", 5
    )
    assert min(gains(pictures)) >= 1.0


def test_mosaic_unet_gains_what_the_index_says_on_kodak(tmp_path: Path) -> None:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root:
        pytest.skip("LIT_RESTORE_DATA names no folder with natural/kodak")
    files = sorted(Path(root, "natural", "kodak").glob("*.png"))
    assert len(files) == 12
    pictures = compare(load_network(weights_path("mosaic_unet")), files, "resize", 1)
    figures = [float(psnr(x, pictures.original).mean()) for x in pictures[:3]]
    recorded = shipped()["mosaic_unet"].quality["kodak_64"]
    np.testing.assert_allclose(
        figures, [recorded["mosaic"], recorded["bicubic"], recorded["restored"]], atol=0.01
    )
    assert min(gains(pictures)) >= 1.3


def test_a_whole_picture_of_512_pixels_keeps_its_size(tmp_path: Path) -> None:
    from lit_restore.commands import degrade, restore

    folder = Path(skimage.__file__).parent / "data"
    with Image.open(folder / "astronaut.png") as picture:
        assert picture.size == (512, 512)
    inputs = str(folder / "astronaut.png")
    mosaics, restored = tmp_path / "mosaics", tmp_path / "restored"
    assert degrade.main([inputs, "--out", str(mosaics), "--mosaic", "4"]) == 0
    mosaic = str(mosaics / "astronaut.png")
    assert restore.main([mosaic, "--out", str(restored), "--model", "mosaic_unet"]) == 0

    def read(path: str | Path) -> torch.Tensor:
        with Image.open(path) as picture:
            return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255

    original = read(inputs)
    assert read(restored / "astronaut.png").shape == (1, 3, 512, 512)
    gain = psnr(read(restored / "astronaut.png"), original) - psnr(read(mosaic), original)
    assert float(gain) >= 1.0


def test_a_name_that_is_not_shipped_is_told_with_those_that_are() -> None:
    with pytest.raises(KeyError, match=r"nothing is shipped as 'fsrcnn_x5', only mosaic_unet, .*"):
        weights_path("fsrcnn_x5")


def test_edges_are_drawn_where_a_disc_ends_and_nowhere_else() -> None:
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    distance = ((rows - 48) ** 2 + (columns - 60) ** 2).sqrt()
    inside = distance < 30
    colours = torch.tensor([[200.0, 90.0, 40.0], [40.0, 110.0, 160.0]])[:, :, None, None]
    noise = 4 * torch.randn(3, 96, 128, generator=torch.Generator().manual_seed(0))
    picture = (torch.where(inside, *colours) + noise).clamp(0, 255).to(torch.uint8)
    network = load_network(weights_path("photo2edges"))

    drawn = Restorer(network)(picture).mean(0)

    ring = (distance - 30).abs() <= 1.5
    far = ((distance - 30).abs() > 6) & (rows >= 8) & (rows < 88) & (columns >= 8) & (columns < 120)
    assert drawn[ring].mean() > 0.4
    assert drawn[far].mean() < 0.05


def test_photo2edges_reaches_what_the_index_says() -> None:
    if not os.environ.get("LIT_RESTORE_DATA"):
        pytest.skip("LIT_RESTORE_DATA names no folder with edges2photo_bsds")
    pairs = edges.read_pairs(edges.folder())
    (way,) = edges_methods.methods(0.0, weights_path("photo2edges"))["photo2edges"]
    choosing, held_out = BoundaryFMeasure(), BoundaryFMeasure()
    for number, pair in enumerate(pairs):
        if number >= 50 or number % 5 == 0:  # ten of the fifty choose the threshold as all do
            measure = held_out if number >= 50 else choosing
            measure.update(way.strength(pair.photo)[None], pair.drawn[None])
    threshold = choosing.best().threshold
    found = next(one.f for one in held_out.scores() if one.threshold == threshold)
    recorded = shipped()["photo2edges"].quality["bsds_edges_f_measure"]
    assert found == pytest.approx(recorded["restored"], abs=0.01)
    assert found > max(recorded["canny"], recorded["sobel"])


def test_membranes_are_found_between_drawn_cells() -> None:
    rows, columns = torch.meshgrid(torch.arange(160), torch.arange(192), indexing="ij")
    distance = torch.minimum((rows % 40 - 20).abs(), (columns % 48 - 24).abs())
    noise = 12 * torch.randn(160, 192, generator=torch.Generator().manual_seed(0))
    drawn = torch.where(distance <= 2, 60.0, 160.0) + noise
    picture = drawn.clamp(0, 255).to(torch.uint8)[None]

    cell = Segmenter(load_network(weights_path("membrane")))(picture)[0]

    assert cell[distance <= 1].mean() < 0.1
    assert cell[distance > 6].mean() > 0.95


@pytest.mark.parametrize(
    ("name", "folder", "options", "figure", "least"),
    [
        ("membrane", "membrane/train", {"images": "image", "labels": "label", "kind": "binary",
          "names": ["membrane", "cell"], "grey": True}, "pixel_accuracy", 0.91),
        ("newts", "newts/train", {"labels": "seg_images", "names": ["background", "akahara",
          "madara"], "colours": [[0, 0, 0], [128, 0, 0], [0, 128, 0]], "working_side": 256},
         "miou", 0.75),
    ],
    ids=["membrane", "newts"],
)  # fmt: skip
def test_segmenters_know_what_they_were_trained_on(
    name: str, folder: str, options: dict[str, Any], figure: str, least: float
) -> None:
    root = os.environ.get("LIT_RESTORE_DATA")
    if not root:
        pytest.skip(f"LIT_RESTORE_DATA names no folder with {folder}")
    data = SegmentationDataModule(str(Path(root, folder)), folds=2, **options)
    network = load_network(weights_path(name))
    data.setup("test")
    assert network.class_names == data.class_names
    assert getattr(network, "working_side", None) == data.working_side
    assert folds.judge(network, data, "none").figures()[figure] > least
