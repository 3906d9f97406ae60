"""Published weights of networks for restoration and translation, by the name of the network."""

import re
from collections.abc import Callable
from pathlib import Path

from torch import nn

from lit_restore.interop.torch_files import TorchFileError, load_torch
from lit_restore.interop.torch_name_maps import FSRCNN_YJN870, VDSR_TWTYGQYY
from lit_restore.interop.translation_files import load_translation
from lit_restore.models import FSRCNN, SRCNN, VDSR


def load_third_party(kind: str, path: Path | str, scale: int | None = None) -> nn.Module:
    """Build the network that a published file belongs to, and fill it.

    Args:
        kind: ``"fsrcnn"``: yjn870's files; ``"vdsr"``: twtygqyy's; ``"srcnn"``: titu1994's and
            MarkPrecursor's, of Keras; ``"pix2pix"`` or ``"cyclegan"``: what junyanz's
            pytorch-CycleGAN-and-pix2pix saves (see ``load_translation``).
        path: The file.
        scale: Factor of enlargement. FSRCNN's file does not say it: without this, its name must,
            as ``fsrcnn_x2.pth`` does.

    Returns:
        The network, in eval mode, on the CPU.

    Raises:
        ValueError: If there is no such kind, or no factor for FSRCNN; as ``TorchFileError`` or
            ``KerasFileError``, if the file cannot be read or does not fill the network.
    """
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}; got {kind!r}")
    return _KINDS[kind](Path(path), scale).eval()


def _fsrcnn(path: Path, scale: int | None) -> nn.Module:
    network = FSRCNN(scale or _scale_in(path))
    load_torch(path, network, FSRCNN_YJN870)
    return network


def _vdsr(path: Path, scale: int | None) -> nn.Module:
    network = VDSR(bias=False, enlarged_by=scale)
    load_torch(path, network, VDSR_TWTYGQYY)
    return network


def _srcnn(path: Path, scale: int | None) -> nn.Module:
    from lit_restore.interop.filling import load_into
    from lit_restore.interop.keras_files import read_keras

    on_luma = any(layer.name.startswith("convolution2d_") for layer in read_keras(path).layers)
    if on_luma:
        network = SRCNN(1, (128, 64), padding="valid", enlarged_by=scale)
    else:
        network = SRCNN(3, enlarged_by=scale)
    load_into(network, path)
    return network


def _translation(path: Path, scale: int | None) -> nn.Module:
    if scale not in (None, 1):
        raise ValueError(f"networks that translate pictures do not enlarge them, got scale={scale}")
    return load_translation(path)


def _scale_in(path: Path) -> int:
    found = re.search(r"x([2348])(?!\d)", path.stem)
    if found is None:
        raise TorchFileError(
            f"{path}: expected a factor of enlargement, as scale or as x2 in the file's name"
        )
    return int(found[1])


_KINDS: dict[str, Callable[[Path, int | None], nn.Module]] = {
    "fsrcnn": _fsrcnn,
    "vdsr": _vdsr,
    "srcnn": _srcnn,
    "pix2pix": _translation,
    "cyclegan": _translation,
}
