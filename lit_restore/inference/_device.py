"""The device that a name stands for."""

import torch


def find_device(name: str) -> torch.device:
    """Find a device.

    Args:
        name: ``"auto"`` takes a GPU where there is one.

    Raises:
        ValueError: If there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be auto, cpu or cuda, got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda is not available here; choose auto or cpu")
    return device
