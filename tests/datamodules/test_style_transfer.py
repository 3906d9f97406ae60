"""Tests of lit_restore.datamodules.style_transfer."""

from pathlib import Path
from typing import Any

import pytest
import torch

from lit_restore.data.images import ImageFileError
from lit_restore.datamodules import StyleTransferDataModule


def module(folder: Path, **options: Any) -> StyleTransferDataModule:
    content, style = str(folder / "00.png"), str(folder / "01.png")
    return StyleTransferDataModule(content, **{"styles": [style], "size": 24, **options})


def test_an_epoch_is_as_many_turns_as_it_says(image_folder: Path) -> None:
    turns = list(module(image_folder, steps_per_epoch=5).train_dataloader())
    assert turns == [{"path": [str(image_folder / "00.png")]}] * 5


def test_what_is_shown_is_the_content_beside_the_style_at_its_size(image_folder: Path) -> None:
    data = module(image_folder)
    data.setup("fit")
    (batch,) = data.val_dataloader()
    assert torch.equal(batch["input"], data.pictures.content)
    assert batch["target"].shape == batch["input"].shape == (1, 3, 24, 24)
    assert batch["path"] == [str(image_folder / "00.png")]
    (again,) = data.predict_dataloader()
    assert again["path"] == batch["path"]


def test_a_checkpoint_of_other_pictures_is_refused(image_folder: Path) -> None:
    state = module(image_folder).state_dict()
    module(image_folder).load_state_dict(state)
    for other in (module(image_folder, size=20), module(image_folder, initial="noise")):
        other.setup("fit")
        with pytest.raises(ValueError, match="pictures that the checkpoint was made with"):
            other.load_state_dict(state)
    late = module(image_folder, styles=[str(image_folder / "03.png")])
    late.load_state_dict(state)
    with pytest.raises(ValueError, match=r"got others: .*03\.png"):
        late.setup("fit")


def test_files_that_are_not_there_are_told(image_folder: Path) -> None:
    with pytest.raises(ImageFileError, match="nowhere"):
        module(image_folder, styles=["nowhere.png"]).setup("fit")
    with pytest.raises(ValueError, match="steps_per_epoch must be at least 1, got 0"):
        module(image_folder, steps_per_epoch=0)
