"""VGG's published weights: from a file, from torch's cache, or by torchvision's download."""

import hashlib
import re
import sys
from pathlib import Path
from typing import Any, Literal

import torch

from lit_restore.interop.filling import load_into
from lit_restore.interop.keras_files import KerasFileError
from lit_restore.interop.name_maps import VGG16_KERAS, VGG19_KERAS
from lit_restore.models import VGGFeatures

_HDF5 = b"\x89HDF\r\n\x1a\n"
_TORCHVISION = {16: "vgg16-397923af.pth", 19: "vgg19-dcbb9e9d.pth"}


class VGGWeightsError(RuntimeError):
    """VGG's weights are not there, or are not what they should be; with what to do about it."""


def load_vgg(
    weights: Path | str | None = None,
    depth: Literal[16, 19] = 19,
    layer: str = "block5_conv4",
    pool: Literal["max", "average"] = "max",
) -> VGGFeatures:
    """Make VGG up to a layer with weights that were trained on ImageNet.

    Args:
        weights: torchvision's ``.pth`` or Keras's ``.h5``, told by the content. None: torchvision's
            file in torch's cache (``torch.hub.get_dir()``), or else its download to there.
        depth: 16 or 19; the file's must be the same.
        layer: The last layer, ``block1_conv1`` ... ``block5_pool``.
        pool: What follows each block: ``"max"`` as the weights were trained, or ``"average"``.

    Returns:
        The network in eval mode, for pictures in unit range, which it turns as its weights want.

    Raises:
        VGGWeightsError: If there is no such file, none in the cache and no download; if the file
            is damaged, or not such a VGG's.
        ValueError: If ``depth``, ``layer`` or ``pool`` is unknown.
    """
    network = VGGFeatures(depth, layer, pool=pool).eval()
    path = _cached(depth) if weights is None else Path(weights)
    if weights is None and not path.is_file():
        network.inputs = "imagenet"
        return _filled(network, _download(depth), path)
    if _is_hdf5(path):
        return _filled_from_keras(network, path)
    network.inputs = "imagenet"
    return _filled(network, _read(path), path)


def _cached(depth: int) -> Path:
    return Path(torch.hub.get_dir(), "checkpoints", _TORCHVISION[depth])


def _is_hdf5(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_HDF5)) == _HDF5
    except OSError as error:
        raise VGGWeightsError(
            f"{path}: cannot be read ({error.strerror}); VGG's weights are torchvision's .pth, "
            "Keras's .h5, or null for torch's cache or torchvision's download"
        ) from error


def _read(path: Path) -> Any:
    _check_hash(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken file makes torch raise
        raise VGGWeightsError(
            f"{path}: is neither torchvision's .pth nor Keras's .h5, or it is damaged"
        ) from error


def _check_hash(path: Path) -> None:
    """Compare a file that is called as torchvision's, by its hash, with its name."""
    if path.name not in _TORCHVISION.values():
        return
    named = path.stem.rpartition("-")[2]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()[: len(named)]
    if found != named:
        raise VGGWeightsError(
            f"{path}: is damaged (its SHA-256 begins with {found}, its name says {named}); "
            "remove it to have it downloaded again"
        )


def _download(depth: int) -> Any:
    try:
        from torchvision.models import (  # type: ignore[import-untyped]
            VGG16_Weights,
            VGG19_Weights,
        )

        published = (VGG16_Weights if depth == 16 else VGG19_Weights).IMAGENET1K_V1
        return published.get_state_dict(
            progress=sys.stderr.isatty(), check_hash=True, map_location="cpu", weights_only=True
        )
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise VGGWeightsError(
            f"VGG{depth}'s weights are not in {_cached(depth)}, and torchvision cannot download "
            f"them ({reason}): put that file there, or give torchvision's .pth or Keras's .h5 of "
            f"VGG{depth} as the argument weights, where the config has weights: null"
        ) from error


def _filled(network: VGGFeatures, state: Any, path: Path) -> VGGFeatures:
    """Fill a network from torchvision's state; of what follows its layer nothing is needed."""
    state = state if isinstance(state, dict) else {}
    expected = _places(network.depth)
    found = {key[:-7] for key in map(str, state) if re.fullmatch(r"features\.\d+\.weight", key)}
    if found != expected:
        wrong = ", ".join(sorted(found ^ expected)[:4])
        raise VGGWeightsError(
            f"{path}: is not torchvision's VGG{network.depth}, whose convolutions are features.0 "
            f"... features.{max(int(one[9:]) for one in expected)}; it differs in {wrong}"
        )
    own = network.state_dict()
    try:
        network.load_state_dict({key: value for key, value in state.items() if key in own})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise VGGWeightsError(f"{path}: does not fit VGG{network.depth}: {reason}") from error
    return network


def _places(depth: int) -> set[str]:
    return set(map(str, (VGG16_KERAS if depth == 16 else VGG19_KERAS).values()))


def _filled_from_keras(network: VGGFeatures, path: Path) -> VGGFeatures:
    try:
        load_into(network, path)
    except ImportError as error:
        raise VGGWeightsError(
            f"{path}: reading Keras's files needs h5py: pip install 'lit-restore[interop]' "
            "('.[interop]' in its repository)"
        ) from error
    except KerasFileError as error:
        raise VGGWeightsError(f"{error}; expected Keras's VGG{network.depth}") from error
    network.inputs = "caffe"
    return network
