"""What the networks of adversarial translation share: first weights, biases, checks."""

from torch import Tensor, nn
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


def check_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Refuse a value that is none of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}")


def check_at_least(least: float, **values: float) -> None:
    """Refuse arguments below a number."""
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def check_picture(image: Tensor, channels: int, multiple: int = 1, least: int = 1) -> None:
    """Refuse what is no batch of pictures of so many channels and such a size.

    Raises:
        ValueError: If the shape is not (N, channels, H, W), or H or W is no such multiple or less
            than ``least`` pixels.
    """
    if image.ndim != 4 or image.shape[1] != channels:
        raise ValueError(f"expected shape (N, {channels}, H, W), got {tuple(image.shape)}")
    height, width = image.shape[-2:]
    if height % multiple or width % multiple:
        raise ValueError(f"height and width must be multiples of {multiple}, got {height}x{width}")
    if min(height, width) < least:
        raise ValueError(f"height and width must be at least {least}, got {height}x{width}")
