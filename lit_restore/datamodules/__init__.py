"""Lightning DataModules; each shares its name with a dataset."""

from lit_restore.datamodules.restoration import RestorationDataModule

__all__ = ["RestorationDataModule"]
