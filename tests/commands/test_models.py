"""Tests of lit_restore.commands.models."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

import lit_restore.weights
from lit_restore.commands.models import main


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the index says of one file of weights, as far as it is shown."""

    recipe: str = "configs/mosaic_unet.yaml"
    data: str = "pictures of nothing"
    steps: int = 1200
    seed: int = 7
    quality: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {
            "kodak_64": {"mosaic": 19.07, "restored": 20.5},
            "edges_f_measure": {"restored": 0.511},
            "newts_miou": {"all_background": 0.2661, "segmented": 0.75},
            "newts_pixel_accuracy": {"segmented": 0.9},
            "newts_dice": {"segmented": 0.8},
        }
    )
    license: str = "MIT"
    description: str = "removes mosaics of 4 pixels"


def _ship(monkeypatch: pytest.MonkeyPatch, **entries: Entry) -> None:
    monkeypatch.setattr(lit_restore.weights, "shipped", lambda: entries, raising=False)


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--wrong"])
    assert capsys.readouterr().err == "lit-restore models: unrecognized arguments: --wrong\n"


def test_every_model_is_listed_with_quality_and_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ship(monkeypatch, mosaic=Entry(), noise=Entry(description="removes noise"))

    assert main([]) == 0

    text = capsys.readouterr().out
    for part in (
        "mosaic: removes mosaics of 4 pixels\n",
        "noise: removes noise\n",
        "kodak_64 mosaic 19.07, restored 20.50 dB; edges_f_measure restored 0.511; "
        "newts_miou all_background 0.266, segmented 0.750; "
        "newts_pixel_accuracy segmented 0.900; newts_dice segmented 0.800\n",
        "configs/mosaic_unet.yaml, 1200 steps, seed 7",
        "pictures of nothing",
        "MIT",
    ):
        assert part in text


def test_json_has_all_that_the_index_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ship(monkeypatch, mosaic=Entry())

    assert main(["--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {"mosaic": dataclasses.asdict(Entry())}


def test_nothing_shipped_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ship(monkeypatch)

    assert main([]) == 0

    assert capsys.readouterr().out == "no trained networks are shipped\n"


def test_what_is_shipped_is_listed_without_torch() -> None:
    code = (
        "import sys\n"
        "from lit_restore.commands.models import main\n"
        "from lit_restore.weights import shipped\n"
        "assert main(['--json']) == 0 and 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert list(json.loads(done.stdout)) == list(lit_restore.weights.shipped())
