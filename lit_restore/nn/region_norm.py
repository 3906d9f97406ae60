"""Normalisation of hole and valid pixels apart, by Yu et al. 2020."""

import torch
from torch import Tensor, nn

_THRESHOLD = 0.8
_ATTENTION_SIZE = 7


class RegionNorm2d(nn.Module):
    """Normalise hole and valid pixels of each picture and channel by their own mean and variance.

    Whatever is in the hole, NaN too, changes nothing at the valid pixels. A region without pixels,
    or with one only, is fine. There are no running statistics: training and evaluation are alike.

    The basic form (RN-B) has a factor and an offset per channel for each region. The learnable one
    (RN-L) finds the regions itself, where a map of importance, drawn from the mean and the largest
    channel of each pixel by a 7x7 convolution and a sigmoid, reaches 0.8; factor and offset are
    maps, drawn from that of importance by two more. The threshold has no gradient.

    Args:
        num_features: Channels.
        eps: What is added to the variance before its root.
        learnable: Whether the regions are found in the features (RN-L) and the mask is not used.

    Attributes:
        weight: Factors of the basic form, shape (2, num_features): of the hole, of the valid.
        bias: Offsets, likewise.

    Source:
        Yu et al., "Region Normalization for Image Inpainting", AAAI 2020,
        https://arxiv.org/abs/1911.10375, sections 3.2 and 3.3.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, learnable: bool = False) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.learnable = learnable
        if learnable:
            options = {"kernel_size": _ATTENTION_SIZE, "padding": _ATTENTION_SIZE // 2}
            self.attention = nn.Conv2d(2, 1, bias=False, **options)  # type: ignore[arg-type]
            self.affine = nn.Conv2d(1, 2, **options)  # type: ignore[arg-type]
        else:
            self.weight = nn.Parameter(torch.ones(2, num_features))
            self.bias = nn.Parameter(torch.zeros(2, num_features))

    def forward(self, image: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise.

        Args:
            image: Shape (N, num_features, H, W).
            mask: Shape (N, 1, H, W), of any type; 0 in the hole, else valid. It has no gradient.
                The learnable form needs none.

        Returns:
            The shape of ``image``.

        Raises:
            ValueError: If the mask has another shape, or the basic form gets none.
        """
        if self.learnable:
            importance = self._importance(image)
            factor, offset = self.affine(importance).chunk(2, dim=1)
            normal = self._normal(image, importance.detach() >= _THRESHOLD)
            return (normal * (1 + factor) + offset).to(image.dtype)
        expected = (len(image), 1, *image.shape[-2:])
        if mask is None or mask.shape != expected:
            found = None if mask is None else tuple(mask.shape)
            raise ValueError(f"mask must have shape {expected}, got {found}")
        valid = mask != 0
        affine = (self.weight, self.bias)
        factor, offset = (_by_region(valid, *value[:, :, None, None]) for value in affine)
        return torch.addcmul(offset, self._normal(image, valid), factor).to(image.dtype)

    def extra_repr(self) -> str:
        """The arguments that make the layer."""
        return f"{self.num_features}, eps={self.eps}, learnable={self.learnable}"

    def _importance(self, image: Tensor) -> Tensor:
        pooled = [image.mean(dim=1, keepdim=True), image.amax(dim=1, keepdim=True)]
        return self.attention(torch.cat(pooled, dim=1)).sigmoid()

    def _normal(self, image: Tensor, valid: Tensor) -> Tensor:
        """Take away each region's mean, and divide by its deviation; float32 or better."""
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        centred = image - _by_region(valid, *_means(image, valid))
        variances = _means(centred.square(), valid)
        return centred * _by_region(valid, *((one + self.eps).rsqrt() for one in variances))


def _means(image: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Give the means over the hole and over the valid pixels, shape (N, C, 1, 1) each."""
    regions = ~valid, valid
    sums = (torch.where(region, image, 0).sum(dim=(2, 3), keepdim=True) for region in regions)
    counts = (region.sum(dim=(2, 3), keepdim=True).clamp(min=1) for region in regions)
    hole, valid_mean = (total / count for total, count in zip(sums, counts, strict=True))
    return hole, valid_mean


def _by_region(valid: Tensor, hole: Tensor, other: Tensor) -> Tensor:
    """Spread a value of the hole, and one of the valid pixels, each over its region."""
    return torch.where(valid, other, hole)
