"""The convolutional part of VGG, whose maps perceptual losses and style transfer compare."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn

Inputs = Literal["caffe", "caffe-unscaled", "imagenet", "raw"]
Pool = Literal["max", "average"]

_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_POOLS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {
    "max": nn.MaxPool2d,
    "average": nn.AvgPool2d,
}


class VGGFeatures(nn.Module):
    """VGG16 or VGG19 up to a named layer; that layer's map is the result. It restores nothing.

    Layers are called as in Keras: ``block3_conv2`` is the second convolution of the third block
    *with* its ReLU, ``block3_pool`` the pooling after that block. Parameters are called as in
    torchvision (``features.0.weight`` ...). What the picture is turned into first belongs to the
    weights: Keras's want ``inputs="caffe"``, torchvision's ``inputs="imagenet"``.

    Args:
        depth: 16 or 19.
        layer: The last layer, ``block1_conv1`` ... ``block5_pool``; what follows is not built.
        inputs: ``"caffe"`` or ``"imagenet"`` for pictures in unit range, turned as
            ``caffe_pixels`` or ``imagenet_pixels`` do; ``"caffe-unscaled"`` for pictures in 0 ..
            255, turned as ``caffe_pixels`` but not multiplied; ``"raw"`` if they were turned
            already.
        widths: Channels of each of the five blocks.
        pool: ``"max"`` as it was trained, or the ``"average"`` over each 2x2 pixels, by which
            Gatys et al. get smoother pictures; the weights are the same.

    Raises:
        ValueError: If ``depth``, ``inputs`` or ``pool`` is unknown, there are not five widths, or
            no layer is called ``layer``.

    Source:
        Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
        Recognition", ICLR 2015, https://arxiv.org/abs/1409.1556, table 1, columns D and E; Gatys
        et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016, section 2.
    """

    in_channels = 3
    multiple_of = 1

    def __init__(
        self,
        depth: Literal[16, 19] = 16,
        layer: str = "block5_conv3",
        inputs: Inputs = "caffe",
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        pool: Pool = "max",
    ) -> None:
        _check(depth, layer, inputs, widths, pool)
        super().__init__()
        self.depth = depth
        self.layer = layer
        self.inputs = inputs
        self.widths = tuple(widths)
        self.pool = pool
        self.features = nn.Sequential()
        self.ends: dict[str, int] = {}
        channels = self.in_channels
        for name in layer_names(depth):
            width = widths[int(name[5]) - 1]
            if name.endswith("pool"):
                self.features.append(_POOLS[pool](2))
            else:
                self.features.extend([nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()])
                channels = width
            self.ends[name] = len(self.features) - 1
            if name == layer:
                break

    def forward(self, image: Tensor) -> Tensor:
        """Compute the map of the last layer.

        Args:
            image: Shape (N, 3, H, W); RGB in the range that ``inputs`` says.

        Returns:
            Shape (N, width of the block, H // 2**pools, W // 2**pools), where ``pools`` is the
            number of poolings up to the layer. Not negative.

        Raises:
            ValueError: If a side is shorter than ``2**pools`` pixels.
        """
        return self.features(self._turned(image))

    def maps(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Compute the maps of several layers in one run.

        Args:
            image: As for ``forward``.
            layers: Their names; none may follow the network's last one.

        Returns:
            The map of each, in the order of the network.

        Raises:
            ValueError: If the network has no such layer, or a side is too short, as for
                ``forward``.
        """
        unknown = [name for name in layers if name not in self.ends]
        if unknown:
            raise ValueError(f"expected layers of {', '.join(self.ends)}; got {unknown}")
        x, start, found = self._turned(image), 0, {}
        for name, end in self.ends.items():
            if name in layers:
                x, start = self.features[start : end + 1](x), end + 1
                found[name] = x
        return found

    @property
    def least_side(self) -> int:
        """Pixels of a picture's shorter side that its poolings leave something of."""
        return 2 ** sum(name.endswith("pool") for name in self.ends)

    def _turned(self, image: Tensor) -> Tensor:
        least = self.least_side
        if min(image.shape[-2:]) < least:
            sides = f"{image.shape[-2]}x{image.shape[-1]}"
            raise ValueError(f"image must be at least {least}x{least} pixels, got {sides}")
        return _TURNS[self.inputs](image)


def layer_names(depth: int) -> Iterator[str]:
    """Yield the names of the layers of VGG of depth 16 or 19, in order: ``block1_conv1`` ..."""
    for block, count in enumerate(_CONVOLUTIONS[depth], start=1):
        yield from (f"block{block}_conv{index}" for index in range(1, count + 1))
        yield f"block{block}_pool"


def caffe_pixels(image: Tensor, white: float = 255) -> Tensor:
    """Turn RGB in unit range to what VGG's first weights were trained on, and Keras's still are.

    Args:
        image: Shape (N, 3, H, W), RGB in unit range.
        white: What the picture is multiplied by; 1 for one in 0 .. 255.

    Returns:
        The same shape: BGR in 0 .. 255 less ImageNet's mean of each channel, not scaled.

    Source:
        ``keras.applications.vgg16.preprocess_input``, which takes 0 .. 255.
    """
    mean = image.new_tensor(_CAFFE_MEAN_BGR).view(3, 1, 1)
    return image.flip(1) * white - mean


def imagenet_pixels(image: Tensor) -> Tensor:
    """Turn RGB in unit range to what torchvision's weights were trained on.

    Args:
        image: Shape (N, 3, H, W), RGB in unit range.

    Returns:
        The same shape: each channel less ImageNet's mean, over its standard deviation.

    Source:
        ``torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms``.
    """
    mean, std = (image.new_tensor(one).view(3, 1, 1) for one in (_IMAGENET_MEAN, _IMAGENET_STD))
    return (image - mean) / std


_TURNS: dict[str, Callable[[Tensor], Tensor]] = {
    "caffe": caffe_pixels,
    "caffe-unscaled": partial(caffe_pixels, white=1),
    "imagenet": imagenet_pixels,
    "raw": lambda image: image,
}


def _check(depth: int, layer: str, inputs: str, widths: Sequence[int], pool: str) -> None:
    if depth not in _CONVOLUTIONS:
        raise ValueError(f"depth must be 16 or 19, got {depth}")
    names = list(layer_names(depth))
    if layer not in names:
        raise ValueError(f"layer must be one of {', '.join(names)}; got {layer!r}")
    if inputs not in _TURNS:
        raise ValueError(f"inputs must be one of {', '.join(_TURNS)}; got {inputs!r}")
    if len(widths) != 5:
        raise ValueError(f"widths must be five, got {list(widths)}")
    if pool not in _POOLS:
        raise ValueError(f"pool must be 'max' or 'average', got {pool!r}")
