"""What the networks of adversarial translation share: first weights, biases, options."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from lit_restore.models._style import Style, check_style, start_as_keras
from lit_restore.nn import Norm, check_norm, removes_mean

_CONVS = (nn.Conv2d, nn.ConvTranspose2d)
_DEVIATION = 0.02


def start_gan(network: nn.Module, style: Style) -> None:
    """Draw a network's first weights as the papers' code does, or as Keras would.

    The papers' kernels are normal with a deviation of 0.02, their biases 0, and BatchNorm's factors
    normal around 1 with the same deviation.
    """
    if style == "keras":
        start_as_keras(network)
        return
    for module in network.modules():
        if isinstance(module, _CONVS):
            nn.init.normal_(module.weight, 0.0, _DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, _DEVIATION)


def divide_by_spectral_norm(network: nn.Module) -> None:
    """Divide the kernel of every convolution by an estimate of its largest singular value."""
    for module in list(network.modules()):
        if isinstance(module, _CONVS):
            spectral_norm(module)


def has_bias(norm: Norm, dead_biases: bool) -> bool:
    """Tell whether a convolution before this normalisation has a bias."""
    return dead_biases or not removes_mean(norm)


def check_common(norm: str, style: str) -> None:
    """Refuse an unknown normalisation or style."""
    check_norm(norm)
    check_style(style)
