"""The generators that a GAN's task tests: averaged perhaps, with statistics of a known kind."""

from collections.abc import Iterable, Mapping
from typing import Any

from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import default_collate

from lit_restore import checkpoints
from lit_restore.nn import NormMode, SwitchBatchNorm2d, recalibrate, set_norm_mode, to_signed
from lit_restore.tasks._average import AveragedNetwork

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class TestedGenerators(nn.Module):
    """What validation, test, prediction and ``load_network`` use of a task's generators.

    Args:
        path: Under which name the task keeps this, for checkpoints.
        networks: The generators by role; the task keeps them, too.
        ema_decay: Of averaged ones; None tests the generators as they are.
        norm_mode: Which statistics BatchNorm uses in testing; None leaves what the networks say.

    Raises:
        ValueError: If a ``norm_mode`` is given to a network that has no BatchNorm to switch.
    """

    __test__ = False  # for pytest

    def __init__(
        self,
        path: str,
        networks: Mapping[str, nn.Module],
        ema_decay: float | None,
        norm_mode: NormMode | None,
    ) -> None:
        super().__init__()
        for role, network in networks.items():
            if norm_mode is not None:
                _set_mode(network, role, norm_mode)
        self.path = path
        self.norm_mode = norm_mode
        self._trained = dict(networks)
        self.averages = nn.ModuleDict()
        if ema_decay is not None:
            averaged = {role: AveragedNetwork(one, ema_decay) for role, one in networks.items()}
            self.averages.update(averaged)
        self._calibrated_at: int | None = None
        self._samples: list[dict[str, Any]] | None = None

    def forward(self, role: str, image: Tensor) -> Tensor:
        """Run the generator of a role, in whatever mode it is."""
        return self.network(role)(image)

    def network(self, role: str) -> nn.Module:
        """Give the generator of a role that is tested."""
        if role not in self.averages:
            return self._trained[role]
        network: nn.Module = self.averages[role].network  # type: ignore[assignment]
        return network

    def update(self, steps: int) -> None:
        """Let the averages follow; ``steps`` were done."""
        for role, average in self.averages.items():
            average.update(self._trained[role], steps)  # type: ignore[operator]

    def calibrate(self, trainer: Trainer, sides: Mapping[str, str], batches: int) -> None:
        """Estimate anew the statistics of those that ask for it, unless it was done at this step.

        The samples are the first of the training split, as its first epoch has them.

        Args:
            trainer: Whose DataModule has the samples.
            sides: Which of a batch's pictures each role reads.
            batches: How many batches.

        Raises:
            ValueError: If there is no DataModule with a ``dataset``.
        """
        asking = [role for role in sides if _mode(self.network(role)) == "recalibrated"]
        if not asking or self._calibrated_at == trainer.global_step:
            return
        data = getattr(trainer, "datamodule", None)
        if not hasattr(data, "dataset"):
            raise ValueError(
                "norm_mode 'recalibrated' expected a DataModule with a dataset to read training "
                f"pictures from, got {type(data).__name__}"
            )
        if self._samples is None:  # they are always the same
            self._samples = _first_batches(data, batches)
        for role in asking:
            network = self.network(role)
            device = next(network.parameters()).device
            inputs = (to_signed(batch[sides[role]].to(device)) for batch in self._samples)
            recalibrate(network, inputs)
        self._calibrated_at = trainer.global_step

    def keep_statistics(self, checkpoint: dict[str, Any]) -> None:
        """Write the tested statistics into a checkpoint, whose state was taken before them."""
        state = checkpoint.get("state_dict", {})
        for role in self._trained:
            for name, value in self.network(role).state_dict().items():
                full = f"{self._prefix(role)}.{name}"
                if name.rpartition(".")[2] in _STATISTICS and full in state:
                    state[full] = value.clone()

    def describe(self) -> dict[str, Any]:
        """Describe the tested generators that ``load_network`` can rebuild, by role."""
        described = {}
        for role in self._trained:
            try:
                described[role] = checkpoints.describe_network(self.network(role))
            except ValueError:  # not of lit_restore.models: its checkpoint still resumes
                continue
            described[role]["weights"] = self._prefix(role)
        return described

    def remember(self, described: Mapping[str, Any]) -> None:
        """Use the statistics that a checkpoint's description says, unless others were asked for."""
        for role, network in self._trained.items():
            mode = described.get(role, {}).get("arguments", {}).get("norm_mode")
            if self.norm_mode is None and mode is not None and hasattr(network, "norm_mode"):
                set_norm_mode(network, mode)
                set_norm_mode(self.network(role), mode)

    def _prefix(self, role: str) -> str:
        return f"{self.path}.averages.{role}.network" if role in self.averages else role


def _first_batches(data: Any, batches: int) -> list[dict[str, Any]]:
    dataset, size = data.dataset("train"), data.batch_size
    count = min(batches * size, len(dataset))
    starts: Iterable[int] = range(0, max(count - size, 0) + 1, size)
    return [
        default_collate([dataset[(0, index)] for index in range(start, min(start + size, count))])
        for start in starts
    ]


def _mode(network: nn.Module) -> Any:
    return getattr(network, "norm_mode", None)


def _set_mode(network: nn.Module, role: str, mode: NormMode) -> None:
    if not any(isinstance(module, SwitchBatchNorm2d) for module in network.modules()):
        raise ValueError(
            f"norm_mode chooses among the statistics of BatchNorm: expected None for {role}, which "
            f"has none to switch, got {mode!r}"
        )
    set_norm_mode(network, mode)
