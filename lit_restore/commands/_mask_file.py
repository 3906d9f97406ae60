"""Masks from files, one for all pictures or one for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import Job, UsageError
from lit_restore.commands._report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from lit_restore.data.images import Picture

_MOST_HOLE = 0.75


@dataclass(frozen=True)
class FileMask:
    """Reads the mask of a picture from a file.

    Attributes:
        path: Of the mask, or a folder in which it is called as the picture, whatever its suffix;
            pictures of a folder inside have theirs in such a folder inside.
        white_is_hole: What white means.
        out: Folder of the outputs.
        report: Is told of masks that may be the wrong way round.
    """

    path: Path
    white_is_hole: bool
    out: Path
    report: Report

    def __call__(self, job: Job, picture: "Picture") -> "Tensor":
        """Read the hole of a picture, shape (1, H, W), bool.

        Raises:
            ValueError: If there is no mask, or it is of another size or no mask.
        """
        from lit_restore.data.mask_folder import read_mask

        path = self._path(job)
        white = read_mask(path)
        size, expected = white.shape[-2:], picture.pixels.shape[-2:]
        if size != expected:
            raise ValueError(
                f"the mask {path} has {size[1]}x{size[0]} pixels, the picture "
                f"{expected[1]}x{expected[0]}"
            )
        hole = white if self.white_is_hole else ~white
        ratio = float(hole.float().mean())
        if _MOST_HOLE < ratio < 1:
            other = "white" if self.white_is_hole else "black"
            self.report.line(
                f"warning: {job.source}: the mask {path} makes {ratio:.0%} of it a hole; "
                f"if {other} is what to keep, say --mask-valid {other}"
            )
        return hole

    def _path(self, job: Job) -> Path:
        if not self.path.is_dir():
            return self.path
        from lit_restore.data.images import list_images

        folder = self.path / job.outputs[0].parent.relative_to(self.out)
        found = [path for path in list_images(folder) if path.stem == job.source.stem]
        if len(found) != 1:
            names = " and ".join(path.name for path in found) or "none"
            raise ValueError(f"expected one mask called {job.source.stem} in {folder}, got {names}")
        return found[0]


def mask_files(path: Path) -> Sequence[Path]:
    """List the files that may be read as masks, which no output may replace.

    Raises:
        UsageError: If there is none.
    """
    from lit_restore.data.images import list_images

    if not path.exists():
        raise UsageError(f"--mask {path}: there is no such file or folder")
    files = list_images(path, recursive=True) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"--mask {path}: there are no pictures in this folder")
    return files
