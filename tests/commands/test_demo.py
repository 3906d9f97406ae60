"""Tests of lit_restore.commands.demo."""

import builtins
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from lit_restore.checkpoints import load_network
from lit_restore.commands._comparison import smoothed
from lit_restore.commands.demo import HELD_OUT, MISSING, PHOTOS, _Anneal, main


def test_it_ends_with_a_picture_a_network_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path), "--steps", "3", "--pictures", "40"]) == 0

    with Image.open(tmp_path / "before_after.png") as picture:
        assert picture.width > 4 * 192
        assert picture.height > 3 * 192
    assert load_network(tmp_path / "mosaic_unet.safetensors").multiple_of == 16
    text = capsys.readouterr().out
    rows = re.findall(r"^(chelsea|rocket|coffee), (?:whole|20 crops) +([\d.]+)", text, re.MULTILINE)
    assert len(rows) == 6
    assert float(dict(rows[:3])["rocket"]) == pytest.approx(22.10, abs=0.01)
    assert "gain over the mosaic" in text


def test_it_is_measured_on_other_pictures_than_it_is_trained_on() -> None:
    assert not set(PHOTOS) & set(HELD_OUT)


def test_without_scikit_image_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "skimage":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)

    assert main([]) == MISSING
    assert "lit-restore[demo]" in capsys.readouterr().err


def test_smoothing_keeps_a_plain_picture_and_softens_an_edge() -> None:
    plain = torch.full((3, 16, 16), 0.4)
    torch.testing.assert_close(smoothed(plain, 4), (plain * 255).round() / 255)
    edge = torch.zeros(3, 16, 16)
    edge[..., 8:] = 1
    assert len(smoothed(edge, 4)[0, 0].unique()) > 2


def test_the_rate_falls_to_nothing_by_steps_or_by_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("lit_restore.commands.demo.time.monotonic", lambda: clock[0])
    by_steps, by_clock = _Anneal(1000, 60), _Anneal(1000, 60)
    assert by_clock(100) == pytest.approx(by_steps(100)) == pytest.approx(0.9755, abs=1e-3)
    assert by_steps(1000) == pytest.approx(0)
    clock[0] += 60
    assert by_clock(101) == pytest.approx(0)
