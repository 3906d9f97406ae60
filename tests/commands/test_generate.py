"""Tests of lit_restore.commands.generate."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lit_restore.checkpoints import KEY, describe_network, save_network
from lit_restore.commands.generate import main
from lit_restore.data import sample_generator
from lit_restore.data.images import read_image, write_image
from lit_restore.inference.latent_sampler import TOGETHER
from lit_restore.models import DCGANGenerator, MosaicUNet, UNetGenerator


def tiny(**options: Any) -> DCGANGenerator:
    """A generator whose pictures differ much."""
    torch.manual_seed(0)
    network = DCGANGenerator(**({"latent_size": 5, "size": 8, "width": 4} | options))
    for parameter in network.parameters():
        parameter.data.mul_(20)
    return network.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "dcgan.safetensors"
    save_network(tiny(), path)
    return path


def run(out: Path, weights: Path, *words: object) -> int:
    options = ("--weights", weights, "--out", out, "--device", "cpu")
    return main([str(word) for word in (*words, *options)])


def latent(seed: int, index: int, size: int = 5) -> torch.Tensor:
    return torch.randn(size, generator=sample_generator(seed, 0, index))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_so_many_pictures_are_made_under_seed_and_index(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", weights, "--count", 3, "--seed", 7) == 0

    assert capsys.readouterr().out == "generated 3, skipped 0, failed 0\n"
    assert list(contents(tmp_path / "out")) == ["7_00000.png", "7_00001.png", "7_00002.png"]
    with torch.no_grad():
        made = tiny()(torch.stack([latent(7, index) for index in range(3)])) / 2 + 0.5
    for index in range(3):
        found = read_image(tmp_path / "out" / f"7_0000{index}.png") / 255
        torch.testing.assert_close(found, made[index], atol=0.51 / 255, rtol=0)
    assert made.std(0).mean() > 0.05  # they do differ


@pytest.mark.parametrize("norm_mode", ["running", "batch"])
def test_a_picture_is_the_same_whatever_is_made_beside_it(norm_mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_network(tiny(norm_mode=norm_mode), path)

    run(tmp_path / "many", path, "--count", 70, "--batch-size", 7)
    run(tmp_path / "few", path, "--count", 3, "--batch-size", 2)
    run(tmp_path / "one", path, "--count", 1)
    run(tmp_path / "other", path, "--count", 1, "--seed", 1)

    many = contents(tmp_path / "many")
    assert len(set(many.values())) == 70 > TOGETHER
    assert contents(tmp_path / "few").items() <= many.items()
    assert contents(tmp_path / "one").items() <= many.items()
    assert contents(tmp_path / "other")["1_00000.png"] not in many.values()


def test_pictures_of_a_network_of_the_batchs_statistics_differ_all_the_same(tmp_path: Path) -> None:
    """One at a time, their statistics would be their own."""
    network = tiny(norm_mode="batch")
    save_network(network, tmp_path / "a.safetensors")

    run(tmp_path / "out", tmp_path / "a.safetensors", "--count", 1)

    with torch.no_grad():
        company = torch.stack([latent(0, index) for index in range(TOGETHER)])
        made = network(company)[0] / 2 + 0.5
        alone = network(company[:1])[0] / 2 + 0.5
    found = read_image(tmp_path / "out" / "0_00000.png") / 255
    torch.testing.assert_close(found, made, atol=0.51 / 255, rtol=0)
    assert (made - alone).abs().max() > 0.02


def test_what_exists_is_skipped_unless_overwriting(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(out, weights, "--count", 3)
    whole = contents(out)
    (out / "0_00001.png").write_bytes(b"mine")
    (out / "0_00002.png").unlink()
    capsys.readouterr()

    assert run(out, weights, "--count", 3) == 0
    assert capsys.readouterr().out == "generated 1, skipped 2, failed 0\n"
    assert contents(out) == whole | {"0_00001.png": b"mine"}
    assert run(out, weights, "--count", 3, "--overwrite") == 0
    assert contents(out) == whole


def test_a_strip_leads_from_one_index_to_the_next(weights: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "out", weights, "--count", 2, "--interpolate", 4) == 0
    run(tmp_path / "out", weights, "--count", 3)

    names = ["0_00000-00001_4.png", "0_00001-00002_4.png"]
    first, second = (read_image(tmp_path / "out" / name) for name in names)
    ends = [read_image(tmp_path / "out" / f"0_0000{index}.png").float() for index in range(3)]
    assert first.shape == (3, 8, 32)
    for strip, begin, end in ((first, *ends[:2]), (second, *ends[1:])):
        torch.testing.assert_close(strip[..., :8].float(), begin, atol=1, rtol=0)
        torch.testing.assert_close(strip[..., -8:].float(), end, atol=1, rtol=0)


def test_a_sheet_shows_the_pictures_row_by_row(weights: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"

    assert run(tmp_path / "out", weights, "--count", 10, "--grid", sheet) == 0

    shown = read_image(sheet)
    assert shown.shape == (3, 8 + 2 * (8 + 28), 8 + 8 * 16)
    for index, (top, left) in {0: (8, 8), 7: (8, 120), 8: (44, 8), 9: (44, 24)}.items():
        expected = read_image(tmp_path / "out" / f"0_{index:05}.png")
        assert torch.equal(shown[:, top : top + 8, left : left + 8], expected)


def test_json_is_all_that_is_printed(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", weights, "--count", 2, "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert [document[key] for key in ("generated", "skipped", "failed")] == [2, 0, 0]
    assert document["results"][1]["output"] == str(tmp_path / "out" / "0_00001.png")
    assert document["results"][1]["size"] == [8, 8]


def test_of_a_tasks_checkpoint_the_generator_is_taken(weights: Path, tmp_path: Path) -> None:
    described = {"generator": describe_network(tiny())}
    state = {f"generator.{name}": value for name, value in tiny().state_dict().items()}
    torch.save({KEY: {"networks": described}, "state_dict": state}, tmp_path / "dcgan.ckpt")

    run(tmp_path / "a", weights, "--count", 2)
    run(tmp_path / "b", tmp_path / "dcgan.ckpt", "--count", 2)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_network_that_gives_no_numbers_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = tiny()
    nn.init.constant_(network.head.weight, float("nan"))
    save_network(network, tmp_path / "nan.safetensors")

    assert run(tmp_path / "out", tmp_path / "nan.safetensors", "--count", 1) == 1

    assert "NaN" in capsys.readouterr().err
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize(("words", "message"), [
    (["--count", "0"], "--count must be at least 1, got 0"),
    (["--count", "1", "--batch-size", "0"], "--batch-size must be at least 1, got 0"),
    (["--count", "1", "--interpolate", "1"], "--interpolate must be at least 2, got 1"),
    (["--count", "1", "--grid", "a.gif"], "format must be one of"),
    (["--count", "1", "--grid", "out/0_00000.png"], "is an input or an output"),
    ([], "the following arguments are required: --count"),
])  # fmt: skip
def test_wrong_usage_ends_with_2(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], words: list[str], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="2"):
        run(Path("out"), weights, *words)

    assert message in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))


def test_a_network_that_wants_pictures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_network(MosaicUNet(widths=(4, 8)), tmp_path / "a.safetensors")

    with pytest.raises(SystemExit, match="2"):
        run(tmp_path / "out", tmp_path / "a.safetensors", "--count", 1)

    assert "use lit-restore restore" in capsys.readouterr().err


def test_missing_weights_end_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "out", tmp_path / "none.ckpt", "--count", 1) == 3

    assert "lit-restore generate: " in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["translate", "generate"])
def test_help_is_there_without_torch(verb: str) -> None:
    code = (
        f"import sys, lit_restore.commands.{verb} as verb\n"
        "try:\n    verb.main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        "assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_neither_lightning_nor_torchmetrics_is_imported(weights: Path, tmp_path: Path) -> None:
    write_image(torch.rand(3, 16, 16), tmp_path / "a.png")
    save_network(UNetGenerator(widths=(4, 4)), tmp_path / "unet.safetensors")
    calls = {
        "generate": ["--count", "1", "--weights", str(weights)],
        "translate": ["a.png", "--target", ".", "--weights", "unet.safetensors"],
    }
    code = (
        "import sys\n"
        "from lit_restore.commands import generate, translate\n"
        f"for verb, words in {calls}.items():\n"
        "    more = ['--out', verb, '--grid', f'{verb}/sheet.png']\n"
        "    assert globals()[verb].main([*words, *more]) == 0\n"
        "assert not {'lightning', 'torchmetrics', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=tmp_path)
