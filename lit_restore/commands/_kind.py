"""Which verb a network is for."""

from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError

if TYPE_CHECKING:
    from torch import nn

WORK = {
    "restore": "restores pictures, and makes none of another kind",
    "inpaint": "fills holes, and needs a mask that says where they are",
    "translate": "makes pictures of one kind into another",
    "generate": "makes pictures out of noise alone",
}


def verb_of(network: "nn.Module") -> str:
    """Say which verb a network is for: one of ``WORK``."""
    from lit_restore.inference import is_translator, takes_mask

    if hasattr(network, "latent_size"):
        return "generate"
    if takes_mask(network):
        return "inpaint"
    return "translate" if is_translator(network) else "restore"


def check_verb(network: "nn.Module", verb: str, name: object) -> None:
    """Refuse a network that is for another verb.

    Args:
        network: Any.
        verb: That was asked for.
        name: Of the network, as the user gave it.

    Raises:
        UsageError: If it is for another; names that one.
    """
    right = verb_of(network)
    if right != verb:
        raise UsageError(f"{name} {WORK[right]}: use lit-restore {right}")
