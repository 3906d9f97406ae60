"""Which layer of a published Keras file is which module of ours: one table for each origin.

A table has an entry for every layer with weights, and only for those. ``None`` in place of a
module says that the network ends before that layer.
"""

from collections.abc import Mapping, Sequence

from torch import nn

from lit_restore.models import SRCNN, ResNet, ResNetSR, VGGFeatures

Names = Mapping[str, str | None]

# SR_Weights_2X.h5 of https://github.com/titu1994/Image-Super-Resolution: RGB, widths 64 and 32,
# 9-1-5, SAME padding. Written by Keras 1 on Theano, so its kernels are rotated by 180 degrees.
SRCNN_TITU1994: Names = {"level1": "extract", "level2": "mapping", "output": "reconstruct"}

# m_model_adam_new30.h5 of https://github.com/MarkPrecursor/SRCNN-keras: luma, widths 128 and 64,
# 9-1-5, VALID padding. Written by Keras 1 on TensorFlow.
SRCNN_MARKPRECURSOR: Names = {
    "convolution2d_1": "extract",
    "convolution2d_2": "mapping",
    "convolution2d_3": "reconstruct",
}

# ResNetSR_2X.h5 of https://github.com/titu1994/Image-Super-Resolution: RGB, width 64, 6 blocks.
# Written by Keras 2.0.9 on TensorFlow.
RESNET_SR_TITU1994: Names = {
    "sr_res_conv1": "stem",
    **{
        f"sr_res_{layer}_{block}_{index}": f"blocks.{block - 1}.{module}{index}"
        for block in range(1, 7)
        for index in (1, 2)
        for layer, module in (("conv", "conv"), ("batchnorm", "norm"))
    },
    "sr_res_filter1_1": "refine",
    "sr_res_conv_final": "head",
}


def _vgg(*blocks: tuple[int, ...]) -> Names:
    """Name each block's convolutions by their indices in ``features``, torchvision's."""
    return {
        f"block{block}_conv{index}": f"features.{position}"
        for block, positions in enumerate(blocks, start=1)
        for index, position in enumerate(positions, start=1)
    }


# vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 of keras.applications, and the one of VGG19.
VGG16_KERAS: Names = _vgg((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
VGG19_KERAS: Names = _vgg((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28, 30, 32, 34))
_CLASSIFIER: Names = dict.fromkeys(("fc1", "fc2", "predictions"))

RESNET_LAST = "predictions"


def resnet_keras_names(depths: Sequence[int]) -> Names:
    """Name the layers of ``keras.applications.ResNet50``, or of one with other stages.

    resnet50_weights_tf_dim_ordering_tf_kernels.h5 of keras.applications 1.0.5 and later (2018);
    files from before call their layers res2a_branch2a and the like.
    """
    names = {"conv1_conv": "conv1", "conv1_bn": "bn1"}
    for stage, blocks in enumerate(depths, start=1):
        for block in range(blocks):
            theirs, ours = f"conv{stage + 1}_block{block + 1}", f"layer{stage}.{block}"
            if block == 0:
                names[f"{theirs}_0_conv"] = f"{ours}.downsample.0"
                names[f"{theirs}_0_bn"] = f"{ours}.downsample.1"
            for index in (1, 2, 3):
                names[f"{theirs}_{index}_conv"] = f"{ours}.conv{index}"
                names[f"{theirs}_{index}_bn"] = f"{ours}.bn{index}"
    return {**names, RESNET_LAST: "fc"}


def name_maps(network: nn.Module) -> dict[str, Names]:
    """List the tables of published files for a network, by their origins; none for most networks.

    Of a ``VGGFeatures`` that ends early the later layers have no module, nor has the classifier.
    """
    match network:
        case SRCNN():
            return {"titu1994": SRCNN_TITU1994, "markprecursor": SRCNN_MARKPRECURSOR}
        case ResNet(block="bottleneck"):
            return {"keras": resnet_keras_names(network.depths)}
        case ResNetSR():
            return {"titu1994": RESNET_SR_TITU1994}
        case VGGFeatures():
            names = VGG16_KERAS if network.depth == 16 else VGG19_KERAS
            built = dict(network.named_modules())
            found = {name: path if path in built else None for name, path in names.items()}
            return {"keras": found, "keras_whole": {**found, **_CLASSIFIER}}
    return {}
