"""Networks of the authors' PyTorch code of pix2pix and CycleGAN, from the files that it saves."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lit_restore.interop.torch_files import TorchFileError, fill, read_torch
from lit_restore.interop.torch_name_maps import (
    TorchNames,
    patch_discriminator_names,
    resnet_generator_names,
    unet_generator_names,
)
from lit_restore.models import PatchDiscriminator, ResNetGenerator, UNetGenerator
from lit_restore.nn import Norm, NormMode

Arrays = Mapping[str, Tensor]

_COLOURS = 3  # channels of a scored picture; more are its condition
# Not in every file: the authors give no bias to any convolution of the inner levels where there is
# BatchNorm, nor to those two without it; and PyTorch before 0.4.1 counted no batches.
_ZERO_IF_MISSING = (".bias", ".num_batches_tracked")


def load_translation(path: Path | str) -> nn.Module:
    """Build the network that a file of the authors' code holds, and fill it.

    Files of ``UnetGenerator``, ``ResnetGenerator`` and ``NLayerDiscriminator`` are known
    (``latest_net_G.pth``, ``latest_net_D_A.pth`` ...); which of them it is, and all sizes, follow
    from the arrays. Normalisation without weights is taken for InstanceNorm; running statistics of
    one, which early versions saved, are left out, as the authors do today. A generator with
    BatchNorm gets ``norm_mode="batch"``, which is what the authors test with; the dropout that they
    leave on is off, unless the network is built anew with ``noise=True``. A discriminator of more
    than three channels is taken for one of colour pictures with a condition.

    Args:
        path: The file.

    Returns:
        The network, in eval mode, on the CPU.

    Raises:
        TorchFileError: If the file cannot be read, or is of another network.

    Source:
        https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix, ``models/networks.py``.
    """
    arrays = _without_unused(read_torch(path))
    if "model.model.0.weight" in arrays:
        build: Callable[[Arrays], tuple[nn.Module, TorchNames]] = _unet
    elif "model.1.weight" in arrays:
        build = _resnet
    elif "model.0.weight" in arrays:
        build = _discriminator
    else:
        raise TorchFileError(
            f"{path}: expected arrays of a U-Net (model.model.0.weight), a ResNet (model.1.weight) "
            "or a discriminator (model.0.weight), got none of them"
        )
    try:
        network, names = build(arrays)
    except (IndexError, ValueError) as error:
        raise TorchFileError(f"{path}: expected the authors' network, got: {error}") from error
    _fill(path, network, arrays, names)
    return network.eval()


def _unet(arrays: Arrays) -> tuple[nn.Module, TorchNames]:
    first, path, widths = arrays["model.model.0.weight"], "model.model.1", []
    while (weight := arrays.get(f"{path}.model.1.weight")) is not None:
        widths.append(len(weight))
        path = f"{path}.model.3"
    if not widths:
        raise ValueError("a U-Net of one level")
    network = UNetGenerator(
        first.shape[1],
        arrays["model.model.3.weight"].shape[1] if "model.model.3.weight" in arrays else _COLOURS,
        (len(first), *widths),
        _norm(arrays),
        norm_mode=_norm_mode(arrays),
        dead_biases="model.model.1.model.1.bias" in arrays,
    )
    return network, unet_generator_names(1 + len(widths))


def _resnet(arrays: Arrays) -> tuple[nn.Module, TorchNames]:
    first = arrays["model.1.weight"]
    found = [re.match(r"model\.(\d+)\.conv_block\.", name) for name in arrays]
    blocks = len({match[1] for match in found if match})
    dropout = bool(blocks) and "model.10.conv_block.5.weight" not in arrays
    names = resnet_generator_names(blocks, dropout)
    head = arrays.get(f"{next(name for name in names if names[name] == 'head')}.weight", first)
    network = ResNetGenerator(
        first.shape[1],
        len(head),
        len(first),
        blocks,
        _norm(arrays),
        dropout=0.5 if dropout else 0.0,
        norm_mode=_norm_mode(arrays),
        dead_biases="model.4.bias" in arrays,
    )
    return network, names


def _discriminator(arrays: Arrays) -> tuple[nn.Module, TorchNames]:
    first = arrays["model.0.weight"]
    layers = sum(value.ndim == 4 for value in arrays.values()) - 2
    channels = min(first.shape[1], _COLOURS)
    network = PatchDiscriminator(
        channels,
        len(first),
        layers,
        _norm(arrays),
        condition_channels=first.shape[1] - channels,
        padding="one",
        dead_biases="model.2.bias" in arrays,
    )
    return network, patch_discriminator_names(layers)


def _norm(arrays: Arrays) -> Norm:
    return "batch" if any(name.endswith("running_mean") for name in arrays) else "instance"


def _norm_mode(arrays: Arrays) -> NormMode:
    return "batch" if _norm(arrays) == "batch" else "running"


def _without_unused(arrays: Arrays) -> dict[str, Tensor]:
    """Leave out statistics of normalisations that learn nothing: those of InstanceNorm."""
    unused = {
        name.removesuffix(".running_mean")
        for name in arrays
        if name.endswith(".running_mean")
        and f"{name.removesuffix('.running_mean')}.weight" not in arrays
    }
    return {name: value for name, value in arrays.items() if name.rpartition(".")[0] not in unused}


def _fill(path: Path | str, network: nn.Module, arrays: Arrays, names: TorchNames) -> None:
    found = {
        name: torch.zeros_like(value)
        for name, value in network.state_dict().items()
        if name.endswith(_ZERO_IF_MISSING) and not name.startswith("head")
    }
    strange = []
    for name, value in arrays.items():
        module, _, leaf = name.rpartition(".")
        if module in names:
            found[f"{names[module]}.{leaf}"] = value
        else:
            strange.append(f"no place for {name}")
    if isinstance(network, UNetGenerator):
        found |= {name: _skip_last(value) for name, value in found.items() if _joins(name)}
    fill(path, network, found, strange)


def _joins(name: str) -> bool:
    """Tell whether it is the kernel of a transposed convolution that reads a skip, too."""
    inner = re.fullmatch(r"decoder\.[1-9]\d*\.conv\.weight", name)
    return name == "head.weight" or inner is not None


def _skip_last(kernel: Tensor) -> Tensor:
    """Swap the halves of what a transposed kernel reads: the authors' skip comes first."""
    return kernel.roll(len(kernel) // 2, 0)
