"""The Trainer's verbs (fit, validate, test, predict): Lightning's command line over configs."""

import logging
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

import lit_restore.callbacks
import lit_restore.data
import lit_restore.datamodules
import lit_restore.losses
import lit_restore.models
import lit_restore.tasks  # imported so that a config may say RestorationTask for short
from lit_restore.callbacks.exact_resume import leave
from lit_restore.checkpoints import MissingNetworkError
from lit_restore.config_errors import explain
from lit_restore.interop.torch_files import TorchFileError
from lit_restore.interop.vgg_weights import VGGWeightsError
from lit_restore.tasks import InceptionWeightsError, NonFiniteError

FAILED, USAGE_ERROR, MISSING = 1, 2, 3
_STATUS: dict[type[BaseException], int] = {
    NonFiniteError: FAILED,
    VGGWeightsError: MISSING,
    MissingNetworkError: MISSING,
    InceptionWeightsError: MISSING,
    TorchFileError: MISSING,
}
_PACKAGE = str(Path(__file__).parent)
_NOISE = (
    r".*args parameter is intended to run from within Python.*",
    r".*does not have many workers.*",
    r".*Consider setting `persistent_workers.*",
    r".*your dataloader is not resumable.*",  # ours is, by the DataModule's state
    r".*The number of training batches.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*could not find the monitored key.*",  # no validation took place yet; if one did, it raises
    r".*with manual optimization and every_n_train_steps.*",  # after the step is what we want
    r".*in eval mode at the start of training.*",  # averaged networks are
    r".*saving a checkpoint outside the 'fit' stage.*",
    r".*loading a checkpoint outside the 'fit' stage.*",
    r".*isinstance\(treespec, LeafSpec\).*",
)


class ConfigError(Exception):
    """What is wrong with the command line or its config, in one line."""


def main(args: Sequence[str]) -> int:
    """Run a Trainer's verb on the task and the DataModule that the config names.

    Args:
        args: The verb and its options.

    Returns:
        0; 1 if a loss or a gradient became NaN or infinite, 2 if something that the user gave is
        wrong, or 3 if weights that a loss needs or a training begins with are not to be had: each
        is told in one line.
    """
    quieten()
    try:
        _CommandLine(
            LightningModule,
            LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            seed_everything_default=0,
            trainer_defaults={
                "use_distributed_sampler": False,  # the DataModules share pictures themselves
                "logger": {
                    "class_path": "lightning.pytorch.loggers.CSVLogger",
                    "init_args": {"save_dir": "runs", "name": "logs"},
                },
                "callbacks": [lit_restore.callbacks.ExactResume()],
            },
            save_config_kwargs={"overwrite": True},
            auto_configure_optimizers=False,
            parser_class=_Parser,
            args=list(args),
        )
    except (ConfigError, ValueError, OSError, RuntimeError, MisconfigurationException) as error:
        complaint = _complaint(error)
        if complaint is None:
            raise
        sys.stderr.write(f"lit-restore {args[0]}: {complaint}\n")
        return _STATUS.get(type(complaint), USAGE_ERROR)
    except SystemExit as stop:
        if not isinstance(stop.code, int):
            raise
        return leave(stop.code)
    return leave(0)


class _CommandLine(LightningCLI):
    """Lightning's, whose schedules are as long as the training."""

    def before_instantiate_classes(self) -> None:
        """Let a schedule that counts steps end with ``trainer.max_steps``."""
        config = self.config[self.subcommand]
        scheduler = config.get("model.init_args.scheduler.init_args")
        steps = config.get("trainer.max_steps")
        if scheduler is None or "total_steps" not in scheduler or not steps or steps < 1:
            return
        scheduler.total_steps = max(steps, 2)
        if "pct_start" in scheduler:  # a warm-up of a step or less is a division by zero
            scheduler.pct_start = max(scheduler.pct_start, 1.5 / scheduler.total_steps)


class _Parser(LightningArgumentParser):
    """Raises one line where the parser would print its usage and leave."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        if not self.exit_on_error:  # one of the parser's own attempts
            super().error(message, ex)
        options = [action.dest for action in self._actions]
        for action in self._actions:
            if hasattr(action, "_name_parser_map"):
                for parser in action._name_parser_map.values():
                    options += [inner.dest for inner in parser._actions]
        raise ConfigError(explain(message, options)) from None


def _complaint(error: BaseException | None) -> BaseException | None:
    """What our own code refused, if the parser wrapped it the cause; None shows the trace."""
    while error is not None:
        if isinstance(error, (ConfigError, FileNotFoundError, MisconfigurationException)):
            return error
        if "loading state_dict" in str(error):
            return ConfigError("the checkpoint is of another network than the config's")
        if "loaded state dict" in str(error):
            return ConfigError("the checkpoint has other rate_scales than the config")
        told = _of_worker(str(error))
        if told:
            return ConfigError(told)
        frames = traceback.extract_tb(error.__traceback__)
        if frames and frames[-1].filename.startswith(_PACKAGE):
            return error
        error = error.__cause__
    return None


def _of_worker(text: str) -> str:
    """Find what our own code refused in a loader's process, whose error comes back as a text."""
    if not (text.startswith("Caught ") and "DataLoader worker process" in text.split("\n")[0]):
        return ""
    lines = text.strip().split("\n")
    places = [line.split('"')[1] for line in lines if line.lstrip().startswith('File "')]
    if not places or not places[-1].startswith(_PACKAGE):
        return ""
    return lines[-1].partition(": ")[2]


def quieten() -> None:
    """Leave out Lightning's advertisements, and warnings about what is so on purpose."""

    def is_news(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        return not any(word in text for word in ("Tip", "litlogger", "was configured so"))

    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.fabric.utilities.rank_zero"):
        logging.getLogger(name).addFilter(is_news)
    for message in _NOISE:
        warnings.filterwarnings("ignore", message)
