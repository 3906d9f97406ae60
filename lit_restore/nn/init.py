"""Initial weights as Keras draws them."""

from typing import TypeVar

from torch import nn

Module = TypeVar("Module", bound=nn.Module)

_LAYERS = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    nn.Linear,
)


def glorot_uniform_(module: Module) -> Module:
    """Draw the weights of all convolutions and linear layers anew, and set their biases to 0.

    Weights are even in ``+-sqrt(6 / (fan in + fan out))``, a fan being the taps of a kernel times
    its channels. PyTorch draws from ``+-1 / sqrt(fan in)`` and gives biases the same spread.

    Args:
        module: A layer, or a network of them; changed in place.

    Returns:
        The same object.

    Source:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS 2010; the default of Keras's ``Conv2D``, ``Conv2DTranspose`` and
        ``Dense``.
    """
    for layer in module.modules():
        if isinstance(layer, _LAYERS):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
