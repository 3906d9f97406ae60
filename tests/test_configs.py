"""Every shipped config runs, made small: fit, then test and predict with what was trained."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image, ImageOps

from lit_restore import checkpoints
from lit_restore.commands._compare_experiment import read_experiment
from lit_restore.data import read_image
from lit_restore.training import main

CONFIGS = Path(__file__).parents[1] / "configs"
FAST = [
    "--trainer.accelerator=cpu",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
    "--data.size=32",
    "--data.batch_size=2",
    "--data.num_workers=0",
    "--data.cache=cache",
]
FIT = [
    "--trainer.max_steps=2",
    "--trainer.limit_train_batches=2",
    "--trainer.limit_val_batches=1",
    "--trainer.num_sanity_val_steps=0",
    "--trainer.check_val_every_n_epoch=1",
]
_NETWORK = "--model.init_args.network.init_args"
NARROW = [f"{_NETWORK}.widths=[4,8,8]", f"{_NETWORK}.depth=1"]
LARGER = ["--data.repeat=1", "--data.test_fraction=0.3"]
GAN = [
    "--model.init_args.generator.init_args.width=4",
    "--model.init_args.generator.init_args.depth=1",
    "--model.init_args.discriminator.init_args.width=2",
    "--model.init_args.discriminator.init_args.size=32",
    "--model.init_args.perceptual.init_args.weights=random",
    "--model.init_args.perceptual.init_args.layer=block3_conv1",
    *LARGER,
]
PCONV = [f"{_NETWORK}.widths=[4,8]", "--data.repeat=1", "--data.test_fraction=0.3"]
VGG = [
    "--model.init_args.loss.init_args.weights=random",
    "--model.init_args.loss.init_args.layers=[block1_pool]",
]
SMALL: dict[str, list[str]] = {
    "mosaic_unet": NARROW,
    "denoise_unet": NARROW,
    "colorize_unet": NARROW,
    "notes/mosaic_unet": [],
    "srcnn": [f"{_NETWORK}.widths=[4,4]", *LARGER],
    "fsrcnn": [f"{_NETWORK}.width=4", f"{_NETWORK}.mapping_width=2", *LARGER],
    "vdsr": [f"{_NETWORK}.width=4", f"{_NETWORK}.depth=2", "--data.size=24", *LARGER],
    "srresnet": [f"{_NETWORK}.width=4", f"{_NETWORK}.depth=1", *LARGER],
    "srgan": GAN,
    "notes/srgan": GAN,
    "inpainting_pconv": PCONV,
    "inpainting_pconv_paper": [*PCONV, *VGG, "--model.init_args.finetune_from=1"],
    "notes/inpainting_pconv": [f"{_NETWORK}.width_scale=0.1", *LARGER, *VGG],
    "espcn": [f"{_NETWORK}.widths=[4,4]", "--data.size=33", *LARGER],
}

COMPARISONS = ("comparisons/augmentation",)
BY_THEMSELVES = ("style_transfer", "notes/style_transfer")  # one picture, and no network to keep
_INIT = "--model.init_args"
_SHALLOW = "init_args.widths=[4,4]"
JITTER = "--data.jitter=36"
PIX2PIX = [f"{_INIT}.generator.{_SHALLOW}", f"{_INIT}.discriminator.init_args.width=4"]
CYCLEGAN = [f"{_INIT}.d_a.init_args.width=4", f"{_INIT}.d_b.init_args.width=4"]
RESIDUAL = [
    f"{_INIT}.{role}.init_args.{one}"
    for role in ("g_ab", "g_ba")
    for one in ("width=4", "blocks=1")
]
UNETS = [f"{_INIT}.{role}.{_SHALLOW}" for role in ("g_ab", "g_ba")]
DCGAN = [
    f"{_INIT}.{role}.init_args.{one}"
    for role in ("generator", "discriminator")
    for one in ("width=4", "size=32")
]
GANS: dict[str, tuple[list[str], list[str]]] = {  # options, and the roles of its generators
    "pix2pix": ([*PIX2PIX, JITTER], ["generator"]),
    "pix2pix_edges": ([*PIX2PIX, "--data.a=a", "--data.b=b"], ["generator"]),
    "notes/pix2pix": (PIX2PIX, ["generator"]),
    "cyclegan": ([*CYCLEGAN, *RESIDUAL, JITTER], ["g_ab", "g_ba"]),
    "notes/cyclegan": ([*CYCLEGAN, *UNETS], ["g_ab", "g_ba"]),
    "dcgan": ([*DCGAN, *LARGER], ["generator"]),
}

WIDE = [f"{_NETWORK}.widths=[4,4,4]"]
THIN = [f"{_NETWORK}.width=4"]
NO_REPEAT = "--data.repeat=1"
SEGMENTERS: dict[str, list[str]] = {
    "segmentation_newts": [*WIDE, NO_REPEAT],
    "segmentation_membrane": [*WIDE, NO_REPEAT, "--data.images=images", "--data.labels=masks"],
    "segmentation_binary": [*WIDE, NO_REPEAT],
    "notes/segmentation_binary": [*THIN, f"{_NETWORK}.depth=2"],
    "notes/segmentation_six_convs": [*THIN, f"{_NETWORK}.depth=2"],
    "notes/segmentation_upsampling": THIN,
    "notes/segmentation_transposed": THIN,
    "notes/segmentation_concat": THIN,
    "notes/segmentation_unet": WIDE,
}
_CLASSIFIER = [
    *THIN,
    f"{_NETWORK}.depths=[1,1,1,1]",
    f"{_NETWORK}.num_classes=2",
    "--data.test_fraction=0.4",
]
CLASSIFIERS: dict[str, list[str]] = {
    "classification_cutmix": _CLASSIFIER,
    "notes/classification_dogs": [*_CLASSIFIER, "--trainer.max_epochs=-1"],
}

EACH = pytest.mark.parametrize("config", SMALL)


def _read(config: str) -> dict[str, Any]:
    return yaml.safe_load((CONFIGS / f"{config}.yaml").read_text())


def _checkpoint(content: dict[str, Any]) -> Path:
    """Where a config's first checkpoint lies: of the best epoch, or of the last if it says none."""
    options = next(
        callback["init_args"]
        for callback in content["trainer"]["callbacks"]
        if callback["class_path"].endswith("ModelCheckpoint")
    )
    return Path(options["dirpath"]) / f"{options['filename']}.ckpt"


def _large(root: Path, names: list[str], least: int) -> list[str]:
    """The stems of the pictures that are not left out."""
    return sorted(Path(name).stem for name in names if min(Image.open(root / name).size) >= least)


def test_every_config_is_here() -> None:
    shipped = {path.relative_to(CONFIGS).with_suffix("") for path in CONFIGS.rglob("*.y*ml")}
    named = {*SMALL, *GANS, *SEGMENTERS, *CLASSIFIERS, *BY_THEMSELVES, *COMPARISONS}
    assert {path.as_posix() for path in shipped} == named


@EACH
def test_it_fits_tests_and_predicts(
    config: str, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = _read(config)
    common = [f"--config={CONFIGS / config}.yaml", f"--data.root={image_folder}", *FAST]
    common += SMALL[config]

    assert main(["fit", *common, *FIT]) == 0

    path = _checkpoint(content)
    network = checkpoints.load_network(path)
    task = content["model"]["init_args"]
    expected = (task.get("network") or task["generator"])["class_path"]
    assert expected == f"lit_restore.models.{type(network).__name__}"
    channels, side = network.in_channels, 32 * network.scale
    given = [torch.rand(1, channels, 32, 32)]
    if "Inpainting" in content["model"]["class_path"]:
        given.append(torch.ones(1, 1, 32, 32))
    assert network(*given).shape == (1, channels, side, side)
    assert torch.load(path, weights_only=True)["global_step"] == 2

    assert main(["test", *common, f"--ckpt_path={path}"]) == 0
    assert main(["predict", *common, f"--ckpt_path={path}", "--return_predictions=false"]) == 0

    (division,) = Path("runs").rglob("split.json")
    names = json.loads(division.read_text())["splits"]["predict"]
    written = sorted(path.stem for path in Path("runs").rglob("predictions/*.png"))
    least = 4 if "SuperResolution" in content["data"]["class_path"] else 32
    assert written == _large(image_folder, names, least)
    assert list(Path("runs").rglob("images/step_*.png"))


@pytest.fixture(scope="module")
def sides(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pairs in the folders a and b, b's colours turned round."""
    folder = tmp_path_factory.mktemp("sides")
    for name in ("a", "b"):
        (folder / name).mkdir()
    for path in sorted(image_folder.iterdir()):
        if path.stem != "small":
            image = Image.open(path)
            image.save(folder / "a" / f"{path.stem}.png")
            ImageOps.invert(image).save(folder / "b" / f"{path.stem}.png")
    return folder


@pytest.mark.parametrize("config", GANS)
def test_a_gan_fits_resumes_tests_and_predicts(
    config: str, sides: Path, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options, roles = GANS[config]
    root = image_folder if config == "dcgan" else sides
    common = [f"--config={CONFIGS / config}.yaml", f"--data.root={root}", *FAST, *options]

    assert main(["fit", *common, *FIT]) == 0

    content = _read(config)
    path = _checkpoint(content)
    longer = [*common, *FIT, "--trainer.max_steps=3", f"--ckpt_path={path}"]
    assert main(["fit", *longer]) == 0
    assert torch.load(path, weights_only=True)["global_step"] == 3
    for role in roles:
        network = checkpoints.load_network(path, role)
        expected = content["model"]["init_args"][role]["class_path"]
        assert expected == f"lit_restore.models.{type(network).__name__}"
        given = torch.rand(1, 100) if config == "dcgan" else torch.rand(1, 3, 32, 32)
        assert network(given).shape == (1, 3, 32, 32)

    assert main(["test", *common, f"--ckpt_path={path}"]) == 0
    assert main(["predict", *common, f"--ckpt_path={path}", "--return_predictions=false"]) == 0
    assert list(Path("runs").rglob("predictions/*.png"))
    assert list(Path("runs").rglob("images/step_*.png"))


@pytest.fixture(scope="module")
def labelled(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures with labels: dark, red where it is light at the left, green at the right."""
    folder = tmp_path_factory.mktemp("labelled")
    for name in ("images", "labels", "masks"):
        (folder / name).mkdir()
    for path in sorted(image_folder.iterdir()):
        if path.stem == "small":
            continue
        image = Image.open(path).convert("RGB")
        light = np.asarray(image.convert("L")) > 100
        colours = np.zeros((*light.shape, 3), np.uint8)
        middle = light.shape[1] // 2
        colours[:, :middle, 0] = 128 * light[:, :middle]
        colours[:, middle:, 1] = 128 * light[:, middle:]
        image.save(folder / "images" / f"{path.stem}.png")
        Image.fromarray(colours).save(folder / "labels" / f"{path.stem}.png")
        Image.fromarray(255 * light.astype(np.uint8)).save(folder / "masks" / f"{path.stem}.png")
    return folder


@pytest.mark.parametrize("config", SEGMENTERS)
def test_a_segmentation_fits_resumes_tests_and_predicts(
    config: str, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    common = [f"--config={CONFIGS / config}.yaml", f"--data.root={labelled}", *FAST]
    common += SEGMENTERS[config]

    path = _fit_and_resume(config, common)
    network = checkpoints.load_network(path)
    content = _read(config)["data"]["init_args"]
    if "names" in content:
        assert list(network.class_names) == content["names"]  # type: ignore[arg-type]
    kinds = len(network.class_names)  # type: ignore[arg-type]
    given = torch.rand(1, network.in_channels, 32, 32)  # type: ignore[arg-type]
    assert network(given).shape == (1, network.num_classes, 32, 32)
    assert network.num_classes in (kinds, kinds - 1)

    assert main(["test", *common, f"--ckpt_path={path}"]) == 0
    assert main(["predict", *common, f"--ckpt_path={path}", "--return_predictions=false"]) == 0
    division = next(Path("runs").rglob("split.json"))  # the resumed run's is the same
    names = json.loads(division.read_text())["splits"]["predict"]
    written = list(Path("runs").rglob("predictions/*.png"))
    assert {path.stem for path in written} == {Path(name).stem for name in names}
    assert all(Image.open(path).mode == "P" for path in written)
    assert list(Path("runs").rglob("images/step_*.png"))


@pytest.fixture(scope="module")
def sorted_out(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of six pictures."""
    folder = tmp_path_factory.mktemp("sorted_out")
    for number, path in enumerate(sorted(image_folder.iterdir())):
        inside = folder / ("even", "odd")[number % 2]
        inside.mkdir(exist_ok=True)
        shutil.copy(path, inside)
    return folder


@pytest.mark.parametrize("config", CLASSIFIERS)
def test_a_classification_fits_resumes_tests_and_predicts(
    config: str, sorted_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    common = [f"--config={CONFIGS / config}.yaml", f"--data.root={sorted_out}", *FAST]
    common += CLASSIFIERS[config]

    path = _fit_and_resume(config, common)
    network = checkpoints.load_network(path)
    assert network.class_names == ("even", "odd")
    assert network(torch.rand(1, 3, 32, 32)).shape == (1, 2)

    assert main(["test", *common, f"--ckpt_path={path}"]) == 0
    assert main(["predict", *common, f"--ckpt_path={path}", "--return_predictions=false"]) == 0
    (written,) = Path("runs").rglob("predictions.csv")
    assert "even" in written.read_text().splitlines()[0]


def _fit_and_resume(config: str, common: list[str]) -> Path:
    assert main(["fit", *common, *FIT]) == 0
    path = _checkpoint(_read(config))
    longer = [*common, *FIT, "--trainer.max_steps=3", f"--ckpt_path={path}"]
    assert main(["fit", *longer]) == 0
    assert torch.load(path, weights_only=True)["global_step"] == 3
    return path


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_names_configs_and_arms_that_can_be_run(name: str) -> None:
    experiment = read_experiment(CONFIGS / f"{name}.yaml")
    assert len(experiment.configs) >= 4
    for config in experiment.configs.values():
        assert config["model"]["class_path"] == "lit_restore.tasks.ClassificationTask"


EVERY = pytest.mark.parametrize("config", [*SMALL, *GANS, *SEGMENTERS, *CLASSIFIERS])


@EVERY
def test_its_schedule_is_as_long_as_its_training(config: str) -> None:
    content = _read(config)
    schedule = content["model"]["init_args"].get("scheduler")
    if schedule is not None and "total_steps" in schedule["init_args"]:
        assert schedule["init_args"]["total_steps"] == content["trainer"]["max_steps"]


@EVERY
def test_it_says_how_to_run_it(config: str) -> None:
    comment = (CONFIGS / f"{config}.yaml").read_text()
    assert f"lit-restore fit --config configs/{config}.yaml --data.root FOLDER" in comment


@pytest.mark.parametrize("config", BY_THEMSELVES)
def test_a_style_transfer_fits_resumes_and_writes_its_picture(
    config: str, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    features = "--model.init_args.loss.init_args.features"
    common = [
        f"--config={CONFIGS / config}.yaml",
        f"--data.content={image_folder}/03.png",
        f"--data.styles=[{image_folder}/04.png]",
        "--data.size=32",
        f"{features}.class_path=lit_restore.models.VGGFeatures",
        f"{features}.init_args.layer=block5_conv2",
        f"{features}.init_args.widths=[4,4,4,4,4]",
        "--trainer.accelerator=cpu",
        "--trainer.enable_progress_bar=false",
        "--trainer.enable_model_summary=false",
        "--trainer.val_check_interval=2",
    ]
    assert main(["fit", *common, "--trainer.max_steps=2"]) == 0
    path = _checkpoint(_read(config)).with_name("last.ckpt")
    first = torch.load(path, weights_only=True)

    assert main(["fit", *common, "--trainer.max_steps=4", f"--ckpt_path={path}"]) == 0
    second = torch.load(path, weights_only=True)
    assert (first["global_step"], second["global_step"]) == (2, 4)
    assert not torch.equal(first["state_dict"]["image"], second["state_dict"]["image"])

    assert main(["predict", *common, f"--ckpt_path={path}", "--return_predictions=false"]) == 0
    (written,) = Path("runs").rglob("predictions/03.png")
    image = second["state_dict"]["image"][0].clamp(0, 1)
    assert (read_image(written) - image * 255).abs().max() <= 0.501
    assert list(Path("runs").rglob("images/step_*.png"))
    comment = (CONFIGS / f"{config}.yaml").read_text()
    expected = "--data.content PICTURE --data.styles [STYLE]"
    assert f"lit-restore fit --config configs/{config}.yaml {expected}" in comment
