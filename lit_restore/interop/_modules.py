"""The modules of a network that hold weights, and what Keras calls layers of their kind."""

from torch import Tensor, nn

from lit_restore.nn import PartialConv2d

_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.ConvTranspose2d, "Conv2DTranspose"),
    (nn.Conv2d, "Conv2D"),
    (PartialConv2d, "Conv2D"),
    (nn.Linear, "Dense"),
    (nn.BatchNorm2d, "BatchNormalization"),
    (nn.InstanceNorm2d, "InstanceNormalization"),
    (nn.GroupNorm, "GroupNormalization"),
    (nn.LayerNorm, "LayerNormalization"),
    (nn.PReLU, "PReLU"),
)


def weighted_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Find the modules with weights of their own, by their paths, in the order of definition."""
    return {path: module for path, module in network.named_modules() if own_state(module)}


def own_state(module: nn.Module) -> dict[str, Tensor]:
    """Take a module's own parameters and saved buffers; without BatchNorm's count of batches."""
    children = tuple(f"{name}." for name, _ in module.named_children())
    return {
        name: value
        for name, value in module.state_dict().items()
        if not name.startswith(children) and name != "num_batches_tracked"
    }


def layer_kind(module: nn.Module) -> str:
    """Name the class of Keras's layer with the same weights.

    Raises:
        ValueError: If there is none.
    """
    kind = next((kind for base, kind in _KINDS if isinstance(module, base)), None)
    if kind is None:
        known = ", ".join(base.__name__ for base, _ in _KINDS)
        raise ValueError(f"Keras has no layer for {type(module).__name__}; it has for {known}")
    lanes = isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels
    return "DepthwiseConv2D" if lanes else kind


def keras_shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Say the shapes of Keras's arrays where the tensors' shapes don't tell them."""
    if not isinstance(module, nn.Conv2d) or layer_kind(module) != "DepthwiseConv2D":
        return {}
    multiplier = module.out_channels // module.in_channels
    return {"depthwise_kernel": (*module.kernel_size, module.in_channels, multiplier)}
