"""Whose BatchNorm and whose initial weights a network has."""

from typing import Literal

from torch import nn

from lit_restore.nn import KerasBatchNorm2d, glorot_uniform_

Style = Literal["torch", "keras"]


def check_style(style: str) -> None:
    """Refuse an unknown style."""
    if style not in ("torch", "keras"):
        raise ValueError(f"style must be 'torch' or 'keras', got {style!r}")


def batch_norm(width: int, style: Style) -> nn.BatchNorm2d:
    """Make a BatchNorm of so many channels."""
    return nn.BatchNorm2d(width) if style == "torch" else KerasBatchNorm2d(width)


def start_as_keras(network: nn.Module) -> None:
    """Draw the initial weights that Keras would."""
    glorot_uniform_(network)
    for module in network.modules():
        if isinstance(module, nn.PReLU):
            nn.init.zeros_(module.weight)
