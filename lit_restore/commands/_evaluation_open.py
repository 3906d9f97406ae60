"""Opening the models that a command line names."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError
from lit_restore.commands._evaluation_models import Enlarge, Interpolation, Model, Network
from lit_restore.commands._kind import check_verb
from lit_restore.commands._papers import FAMILIES
from lit_restore.commands._weights import MissingWeightsError, load, shipped_file

if TYPE_CHECKING:
    from torch import nn

    from lit_restore.inference import Restorer

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
THIRD_PARTY = ("fsrcnn", "srcnn", "vdsr")
_SUFFIXES = (".safetensors", ".ckpt")
# The published figures of these files come of pictures that Pillow enlarged.
_OF_PILLOW = ("srcnn", "vdsr")


def open_models(
    words: Sequence[str], scales: Sequence[int], enlarge: Enlarge, device: str
) -> list[Model]:
    """Open what the command line names, each once; files of one name are called by their paths.

    Args:
        words: ``nearest``, ``bilinear``, ``bicubic``, names of shipped weights, files of ours, or
            ``kind=file`` for a third party's.
        scales: Those that are measured.
        enlarge: What enlarges the input of networks that want that.
        device: That they run on.

    Raises:
        UsageError: If there is no such model, or it is for none of the scales.
        MissingWeightsError: If its weights are missing or not what they should be.
    """
    models = {word: _opened(word, scales, enlarge, device) for word in dict.fromkeys(words)}
    names = [model.name for model in models.values()]
    return [
        model if names.count(model.name) == 1 else replace(model, name=word)
        for word, model in models.items()
    ]


def _opened(word: str, scales: Sequence[int], enlarge: Enlarge, device: str) -> Model:
    if word in INTERPOLATIONS:
        return Interpolation(word)
    kind, _, file = word.partition("=")
    if file and not Path(word).is_file():
        network = _third_party(kind, Path(file), scales)
        if enlarge == "auto" and kind in _OF_PILLOW:
            enlarge = "pillow"
        named = f"{kind}={Path(file).name}"
        return _network(named, network, _sha256(Path(file)), scales, (enlarge, device))
    is_file = Path(word).suffix in _SUFFIXES or Path(word).is_file()
    path = Path(word) if is_file else shipped_file(word, INTERPOLATIONS)
    named = path.name if is_file else word
    return _network(named, load(path), _sha256(path), scales, (enlarge, device))


def _third_party(kind: str, path: Path, scales: Sequence[int]) -> "nn.Module":
    from lit_restore.interop.third_party import load_third_party

    if kind not in THIRD_PARTY:
        raise UsageError(f"a third party's file is {' or '.join(THIRD_PARTY)}, got {kind!r}")
    if not path.is_file():
        raise MissingWeightsError(f"{path}: there is no such file")
    try:
        try:
            return load_third_party(kind, path)
        except ValueError:
            if len(scales) > 1:
                raise
            return load_third_party(kind, path, scales[0])  # the file may not say its scale
    except ValueError as error:
        raise MissingWeightsError(str(error)) from error
    except ModuleNotFoundError as error:
        raise MissingWeightsError(
            f"{path}: needs {error.name}; install the extra: pip install 'lit-restore[interop]' "
            "('.[interop]' in its repository)"
        ) from error


def _network(
    name: str,
    network: "nn.Module",
    sha256: str,
    scales: Sequence[int],
    how: tuple[Enlarge, str],
) -> Network:
    check_verb(network, "restore", name)
    enlarge, device = how
    channels = getattr(network, "in_channels", 3)
    if channels not in (1, 3):
        raise UsageError(f"{name} must read luma or RGB, 1 or 3 channels, got {channels}")
    return Network(
        name=name,
        family=_family(name, network),
        sha256=sha256,
        enlarge=enlarge if hasattr(network, "enlarged_by") else None,
        channels=1 if channels == 1 else 3,
        restorers=_restorers(name, network, scales, device),
    )


def _restorers(
    name: str, network: "nn.Module", scales: Sequence[int], device: str
) -> "dict[int, Restorer]":
    from lit_restore.inference import Restorer

    found, reason = {}, ""
    for scale in scales:
        try:
            found[scale] = Restorer(network, device, scale)
        except ValueError as error:
            reason = str(error)
    if not found:
        raise UsageError(f"{name}: {reason}")
    return found


def _family(name: str, network: "nn.Module") -> str:
    """Tell whose figures a network's stand beside.

    The class says it, but for SRGAN's generator, which is a SRResNet, and converted models: there
    it is the name.
    """
    own = type(network).__name__.lower()
    first = name.lower().replace("-", "_").replace("=", "_").replace(".", "_").split("_")[0]
    if first in FAMILIES and (own not in FAMILIES or (own, first) == ("srresnet", "srgan")):
        return first
    return own


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
