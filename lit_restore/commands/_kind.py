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
    "segment": "tells the classes of a picture's pixels, and makes no picture",
}
# What no verb does with pictures.
CLASSIFY = "classify"


def verb_of(network: "nn.Module") -> str:
    """Say which verb a network is for: one of ``WORK``, or ``CLASSIFY``."""
    from lit_restore.inference import is_segmenter, is_translator, takes_mask, tells_classes

    if hasattr(network, "latent_size"):
        return "generate"
    if tells_classes(network):
        return "segment" if is_segmenter(network) else CLASSIFY
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
        UsageError: If it is for another, or for none; names what to use instead.
    """
    right = verb_of(network)
    if right == CLASSIFY:
        raise UsageError(
            f"{name} tells the class of a whole picture, which lit-restore {verb} has no use for: "
            "use lit-restore predict with the config of its training"
        )
    if right != verb:
        raise UsageError(f"{name} {WORK[right]}: use lit-restore {right}")
