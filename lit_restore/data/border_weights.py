"""U-Net's weights of pixels: high between cells that nearly touch, so that they stay apart."""

import math

import torch
from torch import Tensor

from lit_restore.nn.components import connected_components, scipy_ndimage

# A border term below this is left out; it bounds how far a cell is looked at.
NEGLIGIBLE = 1e-6


def border_weights(
    cells: Tensor,
    w0: float = 10.0,
    sigma: float = 5.0,
    class_balance: bool | tuple[float, float] = True,
    connectivity: int = 4,
) -> Tensor:
    """Weigh each pixel by ``w_c + w0 * exp(-(d1 + d2)**2 / (2 * sigma**2))``.

    d1 and d2 are the distances to the nearest and the second nearest cell: Euclidean, between the
    centres of pixels, so a pixel beside a cell is 1 away. The term is added to the background
    alone, which is what is to be learnt there, and nowhere where there is but one cell.

    Args:
        cells: Shape (H, W). Bool: the foreground, whose connected regions are the cells. Integers
            of 0 or more: a number for each cell, 0 in the background; such cells may touch.
        w0: The term's greatest value; 0 or more.
        sigma: How far it reaches, in pixels.
        class_balance: What w_c is. True: foreground and background have the same sum, and the mean
            is 1; in a crop that has little of one, its weight is accordingly high. False: 1. Two
            numbers: the background's and the foreground's, the same in every crop.
        connectivity: How many neighbours a pixel has, 4 or 8; for bool.

    Returns:
        Shape (H, W), float32, on the cells' device.

    Raises:
        ImportError: If SciPy is not installed.
        ValueError: If the map is of another kind, or a number out of its range.

    Source:
        Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation",
        MICCAI 2015, https://arxiv.org/abs/1505.04597, equation 2.
    """
    _check_settings(w0, sigma, class_balance)
    if cells.dtype == torch.bool:
        cells = connected_components(cells, connectivity)
    _check_cells(cells)
    foreground = cells > 0
    background, inside = _class_weights(foreground, class_balance)
    weights = torch.full(cells.shape, background, dtype=torch.float64, device=cells.device)
    weights[foreground] = inside
    if w0 > NEGLIGIBLE:
        reach = sigma * math.sqrt(2 * math.log(w0 / NEGLIGIBLE))
        nearest, second = _nearest_two(cells.cpu(), reach)
        term = w0 * torch.exp(-((nearest + second) ** 2) / (2 * sigma**2))
        weights += term.to(cells.device).where(~foreground, 0)
    return weights.float()


class BorderWeights:
    """``border_weights`` of classes, for a dataset: cells are the foreground's connected regions.

    Args:
        w0: The border term's greatest value; 0 or more.
        sigma: How far it reaches, in pixels.
        class_balance: True: foreground and background of each map have the same sum. False: 1. Two
            numbers: the background's and the foreground's weight.
        connectivity: How many neighbours a pixel has, 4 or 8.
        ignore_index: Pixels of this class are no cells, have no part in the balance, and weigh 0.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        w0: float = 10.0,
        sigma: float = 5.0,
        class_balance: bool | tuple[float, float] = True,
        connectivity: int = 4,
        ignore_index: int | None = 255,
    ) -> None:
        _check_settings(w0, sigma, class_balance)
        if connectivity not in (4, 8):
            raise ValueError(f"connectivity must be 4 or 8, got {connectivity}")
        self.w0 = w0
        self.sigma = sigma
        self.class_balance = class_balance
        self.connectivity = connectivity
        self.ignore_index = ignore_index

    def __call__(self, classes: Tensor) -> Tensor:
        """Weigh a map's pixels.

        Args:
            classes: Shape (H, W), integers; 0 is the background, all other classes the foreground.

        Returns:
            Shape (H, W), float32.

        Raises:
            ImportError: If SciPy is not installed.
            ValueError: If the shape is another.
        """
        valid = torch.ones_like(classes, dtype=torch.bool)
        if self.ignore_index is not None:
            valid = classes != self.ignore_index
        foreground = (classes != 0) & valid
        balance = self.class_balance
        if balance is True:
            balance = _equal_sums(int((valid & ~foreground).sum()), int(foreground.sum()))
        weights = border_weights(foreground, self.w0, self.sigma, balance, self.connectivity)
        return weights.where(valid, 0)


def _nearest_two(cells: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Give the distances to the nearest and the second nearest cell; infinite beyond ``reach``.

    Each cell's distances are computed in a window around it alone, which is exact: they depend on
    nothing that is outside.
    """
    ndimage = scipy_ndimage()
    nearest = torch.full(cells.shape, math.inf, dtype=torch.float64)
    second = nearest.clone()
    margin = math.ceil(reach)
    for number, box in enumerate(ndimage.find_objects(cells.long().numpy()), 1):
        if box is None:
            continue
        window = tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in box)
        outside = (cells[window] != number).numpy()
        away = torch.from_numpy(ndimage.distance_transform_edt(outside))
        away = away.where(away <= reach, math.inf)
        second[window] = torch.minimum(second[window], torch.maximum(nearest[window], away))
        nearest[window] = torch.minimum(nearest[window], away)
    return nearest, second


def _class_weights(foreground: Tensor, balance: bool | tuple[float, float]) -> tuple[float, float]:
    """Give the weights of background and foreground."""
    if balance is True:
        inside = int(foreground.sum())
        return _equal_sums(foreground.numel() - inside, inside)
    return (1.0, 1.0) if balance is False else balance


def _equal_sums(*pixels: int) -> tuple[float, float]:
    """Weigh so that each class that is there has the same sum, and the mean is 1."""
    present = sum(count > 0 for count in pixels)
    background, foreground = (sum(pixels) / (present * count) if count else 1.0 for count in pixels)
    return background, foreground


def _check_settings(w0: float, sigma: float, balance: bool | tuple[float, float]) -> None:
    if not w0 >= 0:
        raise ValueError(f"w0 must be 0 or more, got {w0}")
    if not sigma > 0:
        raise ValueError(f"sigma must be above 0 pixels, got {sigma}")
    if not isinstance(balance, bool) and not (
        len(balance) == 2 and all(weight >= 0 for weight in balance)
    ):
        raise ValueError(
            f"class_balance must be a bool, or two weights of 0 or more, got {balance}"
        )


def _check_cells(cells: Tensor) -> None:
    if cells.ndim != 2 or cells.is_floating_point() or (cells < 0).any():
        raise ValueError(
            "cells must be bool or integers of 0 or more, and have shape (H, W), got "
            f"{tuple(cells.shape)} of {cells.dtype}"
        )
