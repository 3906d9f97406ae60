"""Tests of lit_restore.data.folds."""

from pathlib import Path

import pytest

from lit_restore.data import deal_folds

ROOT = Path("/pictures")
FILES = [ROOT / "a" / f"{i}.png" for i in range(8)] + [ROOT / "b" / f"{i}.png" for i in range(5)]


def test_every_file_is_in_one_fold() -> None:
    folds = deal_folds(FILES, ROOT, 4, 0)

    assert sorted(path for fold in folds for path in fold) == sorted(FILES)
    assert all(fold == sorted(fold) for fold in folds)


@pytest.mark.parametrize("folds", [2, 3, 4, 13])
@pytest.mark.parametrize("seed", range(5))
def test_folds_have_their_share_of_each_folder_and_of_all(folds: int, seed: int) -> None:
    found = deal_folds(FILES, ROOT, folds, seed)

    for name in ("a", "b", "."):
        counts = [
            sum(name in (path.parent.name, ".") for path in fold) if name != "." else len(fold)
            for fold in found
        ]
        assert max(counts) - min(counts) <= 1


def test_names_and_seed_alone_say_who_is_where() -> None:
    found = deal_folds(FILES, ROOT, 4, 3)

    elsewhere = [Path("/else") / path.relative_to(ROOT) for path in reversed(FILES)]
    moved = deal_folds(elsewhere, Path("/else"), 4, 3)
    names = [[path.relative_to(ROOT) for path in fold] for fold in found]
    assert [[path.relative_to("/else") for path in fold] for fold in moved] == names
    assert deal_folds(FILES, ROOT, 4, 4) != found
    flat = [Path(f"/x/{i}.png") for i in range(8)]
    assert deal_folds(flat, Path("/x"), 2, 0)[0] not in (flat[::2], flat[:4])


def test_impossible_folds_are_refused() -> None:
    for folds in (0, 1, 14):
        with pytest.raises(ValueError, match=f"folds must be 2 to the 13 pictures .*got {folds}"):
            deal_folds(FILES, ROOT, folds, 0)
