"""The layers of Keras 1 in the words of Keras 2."""

from collections.abc import Callable, Mapping
from typing import Any

_CLASSES = {
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
}
_MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
}
_NAMES = {
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "bias": "use_bias",
    "output_dim": "units",
    "p": "rate",
    "sigma": "stddev",
    "concat_axis": "axis",
    "atrous_rate": "dilation_rate",
}
_FORMATS = {"th": "channels_first", "tf": "channels_last"}


def modern(class_name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give a layer's class and arguments the names that Keras 2 gives them.

    Layers of Keras 2 and 3 come back as they are.

    Args:
        class_name: As in the file, without a package.
        config: The layer's arguments.

    Returns:
        The class and the arguments.
    """
    renamed = {_NAMES.get(key, key): value for key, value in config.items()}
    if "nb_row" in config and "nb_col" in config:
        renamed["kernel_size"] = [config["nb_row"], config["nb_col"]]
    if "dim_ordering" in config:
        renamed["data_format"] = _FORMATS.get(config["dim_ordering"], config["dim_ordering"])
    if class_name == "Merge":
        return _MERGES.get(str(config.get("mode")), "Merge"), renamed
    return _CLASSES.get(class_name, class_name), _checked(class_name, renamed)


def _checked(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    adapt = _ADAPTED.get(class_name)
    return adapt(config) if adapt else config


def _zero_padding(config: dict[str, Any]) -> dict[str, Any]:
    padding = config.get("padding")
    if isinstance(padding, list) and len(padding) == 4:
        top, bottom, left, right = padding
        config["padding"] = [[top, bottom], [left, right]]
    return config


_ADAPTED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ZeroPadding2D": _zero_padding,
}
