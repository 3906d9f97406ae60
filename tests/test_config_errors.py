"""Tests of lit_restore.config_errors: what the command line answers to a wrong config."""

from pathlib import Path

import pytest

from lit_restore.config_errors import explain
from lit_restore.training import main

CONFIG = Path(__file__).parents[1] / "configs" / "mosaic_unet.yaml"
NETWORK = "--model.init_args.network.init_args"

TYPOS = [
    (
        "    network:",
        "    netwrok:",
        "model: RestorationTask has no argument 'netwrok'. Did you mean 'network'? It has: ",
    ),
    (
        "widths:",
        "wdiths:",
        "model.network: MosaicUNet has no argument 'wdiths'. Did you mean 'widths'?",
    ),
    (
        "weight_decay:",
        "weigth_decay:",
        "model.optimizer: AdamW has no argument 'weigth_decay'. Did you mean 'weight_decay'?",
    ),
    (
        "block: 4",
        "blok: 4",
        "data.degradation: Mosaic has no argument 'blok'. Did you mean 'block'?",
    ),
    (
        "filename: best",
        "filenmae: best",
        "trainer.callbacks: ModelCheckpoint has no argument 'filenmae'. Did you mean 'file",
    ),
    (
        "max_steps: 12000",
        "max_stepz: 12000",
        "there is no key 'trainer.max_stepz'. Did you mean 'trainer.max_steps'?",
    ),
    ("\nmodel:", "\nmodle:", "there is no key 'modle'. Did you mean 'model'?"),
    (
        "models.MosaicUNet",
        "models.MosaicUnet",
        "model.network: lit_restore.models has no 'MosaicUnet'. Did you mean 'MosaicUNet'?",
    ),
    (
        "lit_restore.tasks.Rest",
        "lit_restore.task.Rest",
        "model: lit_restore has no 'task'. Did you mean 'tasks'?",
    ),
    (
        "lit_restore.losses.L2Loss",
        "L2Los",
        "model.loss: there is no class 'L2Los'. Did you mean 'L2Loss'?",
    ),
    ("size: 64", "size: big", "data.size: expected int, got 'big'."),
    (
        "view: zoom",
        "view: zom",
        "data.view: expected one of resize, crop, zoom, whole, got 'zom'. Did you mean 'zoom'?",
    ),
    (
        "skip: add",
        "skip: ad",
        "model.network.skip: expected one of concat, add, got 'ad'. Did you mean 'add'?",
    ),
    ("lr: 1.0e-3", "lr: fast", "model.optimizer.lr: expected float or null, got 'fast'."),
    ("\ndata:", "\ndata", "Problems parsing config: while scanning a simple key"),
]


def _answer(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run ``fit`` with options, and return the one line that it answers."""
    capsys.readouterr()
    assert main(["fit", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("lit-restore fit: ")
    return captured.err.removeprefix("lit-restore fit: ").rstrip("\n")


@pytest.mark.parametrize(
    ("right", "wrong", "answer"), TYPOS, ids=[wrong.strip() for _, wrong, _ in TYPOS]
)
def test_a_typo_in_a_config_is_answered_in_one_line_with_the_nearest_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, answer: str
) -> None:
    content = CONFIG.read_text()
    assert right in content
    path = tmp_path / "wrong.yaml"
    path.write_text(content.replace(right, wrong, 1))

    assert answer in _answer(capsys, f"--config={path}")


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("--trainer.max_stepps=3", "no key 'trainer.max_stepps'. Did you mean 'trainer.max_steps'"),
        ("--trianer.max_steps=3", "there is no key 'trianer'. Did you mean 'trainer'?"),
        ("--model=RestorationTsk", "there is no class 'RestorationTsk'. Did you mean 'Restoration"),
        (f"{NETWORK}.depht=3", "MosaicUNet has no argument 'depht'. Did you mean 'depth'?"),
        ("--data.batch_size=many", "data.batch_size: expected int, got 'many'."),
        ("--config=nowhere.yaml", "nowhere.yaml"),
    ],
)
def test_a_typo_on_the_command_line_is_answered_alike(
    capsys: pytest.CaptureFixture[str], option: str, answer: str
) -> None:
    assert answer in _answer(capsys, f"--config={CONFIG}", option)


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        (f"{NETWORK}.stem_stride=3", "stem_stride must be a power of 2, got 3"),
        ("--data.root=nowhere", "nowhere: no such folder"),
        ("--data.degradation.init_args.block=0", "block must be at least 1 pixel, got 0"),
    ],
)
def test_a_value_that_the_library_refuses_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    answer: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    quiet = ["--trainer.accelerator=cpu", "--trainer.logger=false"]

    main(["fit", f"--config={CONFIG}", option, *quiet])

    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("lit-restore fit: ")
    assert answer in last


def test_a_message_of_another_kind_is_kept_in_one_short_line() -> None:
    assert explain("Something  new\n  happened") == "Something new happened"
    assert len(explain("word " * 200)) == 300


def test_without_a_near_name_none_is_proposed() -> None:
    assert explain("unrecognized arguments: --zzz", ["model", "data"]) == "there is no key 'zzz'."


def test_what_a_class_lacks_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    config = CONFIG.with_name("inpainting_pconv.yaml")
    words = ["fit", f"--config={config}", "--data.masks=MaskFolder", "--data.masks.root=masks"]
    assert main(words) == 2
    assert capsys.readouterr().err == "lit-restore fit: data.masks: MaskFolder needs white\n"
