"""Connected regions of a map; by SciPy, which is imported when they are asked for."""

from types import ModuleType

import torch
from torch import Tensor


def connected_components(foreground: Tensor, connectivity: int = 4) -> Tensor:
    """Number the connected regions of a map.

    Args:
        foreground: Shape (H, W), bool, on any device.
        connectivity: How many neighbours a pixel has: 4, or 8 with those at its corners.

    Returns:
        The same shape and device, int64: 0 outside, 1 and so on in the regions.

    Raises:
        ImportError: If SciPy is not installed.
        ValueError: If the map is no bool of two dimensions, or ``connectivity`` is neither.
    """
    if foreground.ndim != 2 or foreground.dtype != torch.bool:
        raise ValueError(
            "foreground must be bool and have shape (H, W), got "
            f"{tuple(foreground.shape)} of {foreground.dtype}"
        )
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity must be 4 or 8, got {connectivity}")
    neighbours = [[1] * 3] * 3 if connectivity == 8 else [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    regions, _ = scipy_ndimage().label(foreground.cpu().numpy(), neighbours)
    return torch.from_numpy(regions).long().to(foreground.device)


def scipy_ndimage() -> ModuleType:
    """Import SciPy's functions of maps.

    Raises:
        ImportError: If SciPy is not installed; says how to.
    """
    try:
        from scipy import ndimage  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            "regions of maps need SciPy: pip install 'lit-restore[segmentation]' "
            "('.[segmentation]' in its repository)"
        ) from error
    return ndimage
