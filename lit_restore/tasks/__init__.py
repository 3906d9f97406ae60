"""Training recipes: LightningModules that join a network, a loss and an optimizer."""

from lit_restore.tasks.restoration import RestorationTask

__all__ = ["RestorationTask"]
