"""Networks; torch only.

Every network keeps each constructor argument under its own name, so that a checkpoint can describe
it in plain values, and says what a caller must know to feed it: ``multiple_of`` (height and width
must be multiples of so many pixels), ``scale`` (output size over input size) and ``in_channels``.
Those that tell classes say ``num_classes`` and ``output = "logits"``.
"""

from lit_restore.models.conv_segmenter import ConvSegmenter
from lit_restore.models.dcgan import DCGANDiscriminator, DCGANGenerator
from lit_restore.models.espcn import ESPCN
from lit_restore.models.fsrcnn import FSRCNN
from lit_restore.models.mosaic_unet import MosaicUNet
from lit_restore.models.partial_conv_net import PartialConvNet
from lit_restore.models.partial_conv_unet import PartialConvUNet
from lit_restore.models.patch_discriminator import PatchDiscriminator
from lit_restore.models.pooling_segmenter import PoolingSegmenter
from lit_restore.models.resnet import ResNet
from lit_restore.models.resnet_generator import ResNetGenerator
from lit_restore.models.resnet_sr import ResNetSR
from lit_restore.models.small_mosaic_unet import SmallMosaicUNet
from lit_restore.models.sr_discriminator import SRDiscriminator
from lit_restore.models.srcnn import SRCNN
from lit_restore.models.srresnet import SRResNet
from lit_restore.models.unet import UNet
from lit_restore.models.unet_generator import UNetGenerator
from lit_restore.models.vdsr import VDSR
from lit_restore.models.vgg import VGGFeatures

__all__ = [
    "ESPCN",
    "FSRCNN",
    "SRCNN",
    "VDSR",
    "ConvSegmenter",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "MosaicUNet",
    "PartialConvNet",
    "PartialConvUNet",
    "PatchDiscriminator",
    "PoolingSegmenter",
    "ResNet",
    "ResNetGenerator",
    "ResNetSR",
    "SRDiscriminator",
    "SRResNet",
    "SmallMosaicUNet",
    "UNet",
    "UNetGenerator",
    "VGGFeatures",
]
