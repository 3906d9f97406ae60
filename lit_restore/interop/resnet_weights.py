"""ResNet's published weights, but for a last layer that scores other classes."""

from pathlib import Path

from torch import Tensor

from lit_restore.interop.torch_files import TorchFileError, fill, read_torch
from lit_restore.models import ResNet

_HDF5 = b"\x89HDF\r\n\x1a\n"
_COUNT = "num_batches_tracked"  # which older files lack, and inference does not need


def load_backbone(network: ResNet, path: Path | str) -> tuple[str, ...]:
    """Fill a network from a file of others', all but a last layer that does not fit.

    The file must hold all else: nothing is filled by half. Weights of torchvision (``style``
    ``"torch"``) want pictures in unit range less (0.485, 0.456, 0.406) over (0.229, 0.224, 0.225);
    Keras's (``"keras"``) want BGR in 0 .. 255 less (103.939, 116.779, 123.68).

    Args:
        network: What to fill; changed in place. Its parameters keep their type and device.
        path: A ``.pth`` or ``.safetensors`` file with torchvision's names, or an HDF5 file with
            those of ``keras.applications.ResNet50``, with its last layer or without.

    Returns:
        The network's tensors that are as they were, since the file holds none of their shape:
        ``("fc.weight", "fc.bias")`` for another number of classes, else empty.

    Raises:
        TorchFileError: If the file cannot be read, or anything but the last layer does not fit;
            the network is then as it was.
        KerasFileError: The same, for a Keras file.
    """
    path = Path(path)
    if _begins(path) == _HDF5:
        return _fill_from_keras(network, path)
    found = _read_safetensors(path) if path.suffix == ".safetensors" else read_torch(path)
    own = network.state_dict()
    left = tuple(
        name
        for name in ("fc.weight", "fc.bias")
        if name not in found or found[name].shape != own[name].shape
    )
    if left:  # a bias without its matrix would be worth nothing
        left = ("fc.weight", "fc.bias")
        found = {name: value for name, value in found.items() if name not in left}
    own = {name: value for name, value in own.items() if name in left or name.endswith(_COUNT)}
    fill(path, network, own | found)
    return left


def _begins(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_HDF5))
    except OSError as error:
        raise TorchFileError(f"{path}: cannot be read ({error.strerror})") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise TorchFileError(f"{path}: cannot be read as safetensors: {error}") from error


def _fill_from_keras(network: ResNet, path: Path) -> tuple[str, ...]:
    from lit_restore.interop.filling import load_into
    from lit_restore.interop.keras_files import KerasFileError, read_keras
    from lit_restore.interop.name_maps import RESNET_LAST, name_maps

    if network.block == "basic":
        raise KerasFileError(f"{path}: Keras's ResNets have block='bottleneck', got 'basic'")
    names = name_maps(network)["keras"]
    layers = {one.name: one.weights for one in read_keras(path).layers}
    shape = tuple(network.fc.weight.T.shape)
    if RESNET_LAST in layers and layers[RESNET_LAST]["kernel"].shape == shape:
        load_into(network, path, names)
        return ()
    load_into(network, path, {**names, RESNET_LAST: None}, without=("fc",))
    return ("fc.weight", "fc.bias")
