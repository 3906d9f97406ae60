"""The loss between the feature maps of VGG: SRGAN's content loss."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from lit_restore.losses._frozen import Frozen
from lit_restore.losses._vgg import make_vgg
from lit_restore.losses._wide import wide
from lit_restore.losses.pixel import l2_loss

SRGAN_SCALE = 1 / 12.75
_LAST = {16: "block5_conv3", 19: "block5_conv4"}


class FeatureLoss(nn.Module):
    """Mean squared error between the feature maps of a frozen network.

    The network moves with the loss and is in nobody's checkpoint; the loss has no parameters. No
    gradient is taken of the target. Maps in half precision are compared in float32, since squares
    of VGG's would be infinite.

    Args:
        features: Maps a picture to its features, shape (N, C, h, w). Put into eval mode and out of
            training, for good.
        scale: What the features are multiplied by; the loss has its square.
    """

    def __init__(self, features: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.features = Frozen(features)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare the features of two batches of pictures.

        Args:
            prediction: Shape (N, 3, H, W), in the range that the network reads.
            target: The same shape and range.

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        if prediction.shape != target.shape:
            raise ValueError(
                "prediction and target must have the same shape, got "
                f"{tuple(prediction.shape)} and {tuple(target.shape)}"
            )
        with torch.no_grad():
            expected = wide(self.features(target))
        return l2_loss(wide(self.features(prediction)), expected).mean() * self.scale**2


class PerceptualLoss(FeatureLoss):
    """Mean squared error between feature maps of VGG, of pictures in unit range.

    The defaults are SRGAN's: VGG19's last convolution with its ReLU (the paper's VGG54), scaled by
    1 / 12.75; ``layer="block2_conv2"`` is its VGG22. VGG's weights are looked for when the loss is
    made, and are not in the checkpoints of what is trained by it.

    Args:
        depth: 16 or 19.
        layer: Which map is compared: ``block1_conv1`` ... ``block5_pool``, convolutions with their
            ReLU. None: the last convolution's.
        weights: A file, as ``load_vgg`` reads it; None: where ``load_vgg`` looks for them;
            ``"random"``: random ones, always the same, to try things out.
        scale: What the maps are multiplied by; the loss has its square.
        inputs: None turns pictures in unit range as the weights want it; ``"caffe-unscaled"``
            expects 0 .. 255, whatever comes: the study notes give it unit and signed range.

    Raises:
        ValueError: If ``depth``, ``layer`` or ``inputs`` is unknown.
        VGGWeightsError: If there are no weights, or they are not such a VGG's.

    Source:
        Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
        Network", CVPR 2017, https://arxiv.org/abs/1609.04802, section 2.2.1 and equation 5.
    """

    def __init__(
        self,
        depth: Literal[16, 19] = 19,
        layer: str | None = None,
        weights: str | Path | None = None,
        scale: float = SRGAN_SCALE,
        inputs: Literal["caffe-unscaled"] | None = None,
    ) -> None:
        if inputs not in (None, "caffe-unscaled"):
            raise ValueError(f"inputs must be None or 'caffe-unscaled', got {inputs!r}")
        features = make_vgg(depth, layer or _LAST.get(depth, ""), weights)
        features.inputs = inputs or features.inputs
        super().__init__(features, scale)
