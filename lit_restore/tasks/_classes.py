"""What tasks share that tell classes apart: whether network, data and checkpoint know the same."""

from collections.abc import Mapping, Sequence
from typing import Any

from lit_restore import checkpoints


def check_count(names: Sequence[str], own: int, binary: bool = False) -> None:
    """Refuse data of another number of classes than a network's.

    Args:
        names: Of the data's classes.
        own: ``num_classes`` of the network.
        binary: Whether two classes may be told by one logit.

    Raises:
        ValueError: If they do not fit.
    """
    if len(names) == (max(own, 2) if binary else own):
        return
    wanted = "1 (a yes or no)" if binary and len(names) == 2 else str(len(names))
    raise ValueError(
        f"the data have {len(names)} classes, {', '.join(names)}: expected a network of "
        f"num_classes {wanted}, got {own}"
    )


def learned_names(checkpoint: Mapping[str, Any], own: Sequence[str] | None) -> Any:
    """Give the names of the classes that a checkpoint says it learned; None if it says none.

    Args:
        checkpoint: Of a task whose network is ``network``.
        own: Names of the data's classes, if they are known.

    Raises:
        ValueError: If both are known and differ.
    """
    networks = checkpoint.get(checkpoints.KEY, {}).get("networks", {})
    learned = networks.get("network", {}).get("class_names")
    if learned is not None and own is not None and list(learned) != list(own):
        raise ValueError(
            f"the checkpoint learned the classes {', '.join(learned)}, got data of {', '.join(own)}"
        )
    return learned
