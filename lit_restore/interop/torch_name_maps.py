"""Which module of a published PyTorch file is which module of ours: one table for each origin.

A table has an entry for every module with weights, and only for those. Where their number is not
fixed, a function makes the table.
"""

from collections.abc import Mapping

TorchNames = Mapping[str, str]

# fsrcnn_x2.pth, _x3 and _x4 of https://github.com/yjn870/FSRCNN-pytorch: luma as
# ``lit_restore.metrics.luma`` makes it, widths 56 and 12, 4 mapping layers.
FSRCNN_YJN870: TorchNames = {
    **{f"first_part.{index}": f"extract.{index}" for index in (0, 1)},
    **{f"mid_part.{index}": f"shrink.{index}" for index in (0, 1)},
    **{
        f"mid_part.{2 * layer + 2 + index}": f"maps.{layer}.{index}"
        for layer in range(4)
        for index in (0, 1)
    },
    **{f"mid_part.{10 + index}": f"expand.{index}" for index in (0, 1)},
    "last_part": "enlarge",
}

# model_epoch_50 of https://github.com/twtygqyy/pytorch-vdsr: luma, width 64, 20 convolutions
# without bias, for a picture that bicubic enlarged before.
VDSR_TWTYGQYY: TorchNames = {
    "input": "convs.0",
    **{f"residual_layer.{index}.conv": f"convs.{index + 1}" for index in range(18)},
    "output": "convs.19",
}


def unet_generator_names(levels: int) -> TorchNames:
    """Name the modules of pix2pix's ``UnetGenerator`` with so many levels, of at least 2.

    Each level is a list that holds the next one; our decoder counts from the innermost.
    Normalisations are named whether they have weights or not.
    https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix
    """
    names, inside = {"model.model.0": "encoder.0.conv", "model.model.3": "head"}, "model.model.1"
    for level in range(1, levels):
        up = 3 if level == levels - 1 else 5
        decoder = f"decoder.{levels - 1 - level}"
        names |= {
            f"{inside}.model.1": f"encoder.{level}.conv",
            f"{inside}.model.{up}": f"{decoder}.conv",
            f"{inside}.model.{up + 1}": f"{decoder}.norm",
        }
        if level < levels - 1:
            names[f"{inside}.model.2"] = f"encoder.{level}.norm"
        inside = f"{inside}.model.3"
    return names


def resnet_generator_names(blocks: int, dropout: bool = False) -> TorchNames:
    """Name the modules of CycleGAN's ``ResnetGenerator`` with so many blocks.

    A block with dropout has one module more before its second convolution.
    https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix
    """
    up, second = 10 + blocks, 6 if dropout else 5
    places = {"stem": 1, "down.0": 4, "down.1": 7, "up.0": up, "up.1": up + 3}
    names = {f"model.{up + 7}": "head"}
    for place, index in places.items():
        names |= {f"model.{index}": f"{place}.conv", f"model.{index + 1}": f"{place}.norm"}
    for block in range(blocks):
        inside = f"model.{10 + block}.conv_block"
        for place, index in (("first", 1), ("second", second)):
            names[f"{inside}.{index}"] = f"body.{block}.{place}.conv"
            names[f"{inside}.{index + 1}"] = f"body.{block}.{place}.norm"
    return names


def patch_discriminator_names(layers: int) -> TorchNames:
    """Name the modules of pix2pix's ``NLayerDiscriminator`` with so many strides, at least 1.

    https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix
    """
    names = {"model.0": "convs.0", f"model.{3 * layers + 2}": "head"}
    for index in range(layers):
        names[f"model.{3 * index + 2}"] = f"convs.{index + 1}"
        names[f"model.{3 * index + 3}"] = f"norms.{index}"
    return names
