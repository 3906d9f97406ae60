"""Tests of the parts of lit_restore.commands.compare: configs, logs, arithmetic, curves."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lit_restore.commands._batch import UsageError
from lit_restore.commands._compare_config import differing, in_folder, with_options
from lit_restore.commands._compare_curves import band, by_epochs
from lit_restore.commands._compare_logs import Point, read_logs
from lit_restore.commands._compare_table import Row, as_csv, as_markdown, summarise


def test_an_option_leads_through_the_arguments_of_classes() -> None:
    config = {"data": {"class_path": "D", "init_args": {"mix": {"class_path": "M"}}}}
    made = with_options(config, {"data.mix.alpha": 2, "data.seed": 3, "trainer.max_epochs": 4})
    assert made == {
        "data": {
            "class_path": "D",
            "init_args": {"mix": {"class_path": "M", "init_args": {"alpha": 2}}, "seed": 3},
        },
        "trainer": {"max_epochs": 4},
    }
    assert config == {"data": {"class_path": "D", "init_args": {"mix": {"class_path": "M"}}}}


def test_an_option_replaces_a_class_or_only_says_which_it_is() -> None:
    config = {"data": {"class_path": "D", "init_args": {"mix": {"class_path": "M"}}}}
    assert with_options(config, {"data.mix": None})["data"]["init_args"] == {"mix": None}
    assert with_options(config, {"data.class_path": "E"})["data"]["class_path"] == "E"
    long = with_options(config, {"data.init_args.mix.init_args.alpha": 2})
    assert long == with_options(config, {"data.mix.alpha": 2})


def test_an_option_below_a_plain_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a\.b\.c: expected keys below a\.b, which is null"):
        with_options({"a": {"b": None}}, {"a.b.c": 1})


def test_a_run_writes_nothing_outside_its_folder() -> None:
    checkpoint: Any = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
                  "init_args": {"dirpath": "runs/x", "filename": "best"}}  # fmt: skip
    other: dict[str, Any] = {"class_path": "lit_restore.callbacks.ImageLogger"}
    trainer: Any = {
        "logger": True,
        "callbacks": [checkpoint, other, {"class_path": "ModelCheckpoint"}],
    }
    made = in_folder({"trainer": trainer}, Path("out/run"))["trainer"]
    assert made["default_root_dir"] == made["logger"]["init_args"]["save_dir"] == "out/run"
    assert [one.get("init_args", {}).get("dirpath") for one in made["callbacks"]] == [
        "out/run", None, "out/run"
    ]  # fmt: skip
    assert made["callbacks"][0]["init_args"]["filename"] == "best"
    assert checkpoint["init_args"]["dirpath"] == "runs/x"
    assert in_folder({}, Path("out"))["trainer"]["default_root_dir"] == "out"


def test_differences_are_named_by_their_keys() -> None:
    one = {"a": {"b": 1, "c": [1, 2]}, "d": None}
    assert differing(one, json.loads(json.dumps(one))) == []
    assert differing(one, {"a": {"b": 1, "c": [2, 1]}, "d": 0}) == ["a.c", "d"]
    assert differing({"a": {"b": 1}}, {"a": None, "e": 1}) == ["a", "e"]


def write_log(folder: Path, version: int, text: str) -> None:
    path = folder / f"version_{version}" / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_what_a_run_logged_twice_holds_as_it_was_logged_last(tmp_path: Path) -> None:
    write_log(tmp_path, 2, "epoch,step,val/x\n0,4,1.0\n1,9,2.0\n2,14,9.0\n")
    write_log(tmp_path, 10, "epoch,step,val/x,train/y\n2,14,3.0,\n2,14,,7\n3,19,4.0,\n")
    write_log(tmp_path, 11, "epoch,step,test/x\n0,20,0.5\n")
    (tmp_path / "version_2" / "split.json").write_text('{"hash": "abc", "splits": {}}')

    logs = read_logs(tmp_path)

    assert logs.figures == {"test/x": 0.5}
    assert [point.value for point in logs.curves["val/x"]] == [1, 2, 3, 4]
    assert logs.curves["train/y"] == [Point(2, 14, 7.0)]
    assert logs.division == "abc"


def test_a_run_that_logged_nothing_has_no_figures(tmp_path: Path) -> None:
    assert read_logs(tmp_path / "logs") == ({}, {}, "")


def test_the_arithmetic_is_numpys() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(0.6, 0.1, (2, 5))
    values = {"first": dict(enumerate(first)), "second": dict(enumerate(second))}

    rows = summarise("x", values)

    for row, expected in zip(rows, (first, second), strict=True):
        assert (row.n, row.lowest, row.highest) == (5, expected.min(), expected.max())
        assert row.mean == pytest.approx(expected.mean())
        assert row.deviation == pytest.approx(expected.std(ddof=1))
    assert rows[1].difference == pytest.approx((second - first).mean())
    assert rows[1].error == pytest.approx((second - first).std(ddof=1) / math.sqrt(5))
    assert rows[0].pairs == 0


def test_what_seeds_share_does_not_blur_a_difference() -> None:
    first = {0: 1.0, 1: 5.0, 2: 9.0}
    rows = summarise("x", {"first": first, "second": {seed: first[seed] + 0.5 for seed in first}})
    assert rows[1].deviation == pytest.approx(4)
    assert (rows[1].difference, rows[1].error) == (0.5, 0)


def test_only_seeds_of_both_arms_are_paired() -> None:
    rows = summarise("x", {"first": {0: 1.0, 1: 2.0}, "second": {1: 5.0, 2: 100.0}, "third": {}})
    assert [(row.arm, row.pairs) for row in rows] == [("first", 0), ("second", 1)]
    assert rows[1].difference == 3
    assert math.isnan(rows[1].error)


def test_without_a_run_of_the_first_arm_there_are_no_differences() -> None:
    (row,) = summarise("x", {"first": {}, "second": {0: 1.0, 1: 2.0}})
    assert (row.pairs, row.mean) == (0, 1.5)
    assert math.isnan(row.difference)


def row(arm: str, figure: str, mean: float) -> Row:
    return Row(arm, figure, 2, mean, mean / 10, mean - 1, mean + 1, 2, -mean / 100, mean / 1000)


def test_a_figure_has_the_same_decimals_in_every_row() -> None:
    text = as_markdown([row("a", "psnr", 9.12345), row("b", "psnr", 27.12345)], ["data.seed"])
    assert "| a | 2 | 9.12 ± 0.91 (8.12 to 10.12) | -0.09 ± 0.01 |\n" in text
    assert "| b | 2 | 27.12 ± 2.71 (26.12 to 28.12) | -0.27 ± 0.03 |\n" in text
    assert "A seed sets data.seed; all else" in text
    assert text.startswith("| arm | runs | psnr | less that of a |\n")


def test_what_has_no_run_of_the_first_arm_is_not_called_a_difference_to_another() -> None:
    rows = summarise("x", {"first": {}, "second": {0: 1.0}, "third": {0: 2.0}})
    assert "less that of" not in as_markdown(rows, ["data.seed"])


def test_one_arm_alone_has_no_column_of_differences() -> None:
    text = as_markdown(
        summarise("psnr", {"a|b": {0: 0.4, 1: 0.6}}), ["data.seed"], ["Not finished: c."]
    )
    assert text.startswith("| arm | runs | psnr |\n| --- | ---: | ---: |\n| a\\|b | 2 | 0.5000 ")
    assert text.endswith("\nNot finished: c.\n")


def test_csv_leaves_out_what_is_unknown() -> None:
    lines = as_csv(summarise("x", {"a": {0: 0.25}})).splitlines()
    assert lines[0].startswith("arm,figure,n,mean,deviation,lowest,highest,pairs,")
    assert lines[1] == "a,x,1,0.25,,0.25,0.25,0,,"


def test_a_band_is_where_all_runs_have_values() -> None:
    runs = {
        0: [Point(0, 4, 1.0), Point(1, 9, 2.0), Point(2, 14, 7.0)],
        1: [Point(0, 4, 3.0), Point(1, 9, 8.0)],
    }
    assert by_epochs({"a": runs, "b": {}})
    assert band(runs, epochs=True) == ([1, 2], [2.0, 5.0], [1.0, 2.0], [3.0, 8.0])
    assert band(runs, epochs=False).places == [5, 10]


def test_several_values_in_an_epoch_are_told_apart_by_steps() -> None:
    assert not by_epochs({"a": {0: [Point(0, 4, 1.0), Point(0, 9, 2.0)]}})
