"""The oracle's word on layers that do several things in a row, and on normalisation."""

import numpy as np

from parity.arrays import Array, Arrays
from parity.fuzz import oracle
from parity.fuzz import oracle_pointwise as pointwise
from parity.fuzz.oracle import Back
from parity.fuzz.oracle_pointwise import Norm
from parity.fuzz.outcome import Outcome, axes, bias, margin, named
from parity.fuzz.trial import Trial


def depth_to_space(trial: Trial, a: Arrays) -> Outcome:
    """Pixel shuffle alone."""
    scale, order = int(trial.arguments["scale"]), str(trial.arguments["order"])
    output, back = pointwise.depth_to_space(a["image"], scale, order)
    return Outcome(output, named(a, ["image"], back))


def pixel_shuffle(trial: Trial, a: Arrays) -> Outcome:
    """Convolution, ReLU, pixel shuffle."""
    names = ("image", "conv.weight", "conv.bias")
    scale, order = int(trial.arguments["scale"]), str(trial.arguments["order"])
    image, weight, offset = (a[name] for name in names)
    x, conv_back = oracle.conv(image, weight, offset, *axes(trial, image))
    positive, relu_back = pointwise.relu(x)
    output, shuffle_back = pointwise.depth_to_space(positive, scale, order)

    def back(g: Array) -> tuple[Array, ...]:
        return conv_back(*relu_back(*shuffle_back(g)))

    return Outcome(output, named(a, names, back), margin=margin(x))


def upsample_concat(trial: Trial, a: Arrays) -> Outcome:
    """Nearest upsampling, concatenation, convolution."""
    enlarged, nearest_back = pointwise.nearest(a["low"], int(trial.arguments["scale"]))
    joined = np.concatenate([enlarged, a["skip"]], axis=1)
    output, conv_back = oracle.conv(joined, a["weight"], a["bias"], *axes(trial, joined))

    def back(g: Array) -> tuple[Array, ...]:
        d_joined, *others = conv_back(g)
        d_low, d_skip = np.split(d_joined, [enlarged.shape[1]], axis=1)
        return *nearest_back(d_low), d_skip, *others

    return Outcome(output, named(a, ("low", "skip", "weight", "bias"), back))


def batch_norm(trial: Trial, a: Arrays) -> Outcome:
    """KerasBatchNorm2d."""
    eps, momentum = (float(trial.arguments[name]) for name in ("eps", "momentum"))
    norm = Norm(eps, momentum, bool(trial.arguments["bessel"]), trial.training)
    kept = a["running_mean"], a["running_var"]
    output, left, back = pointwise.batch_norm(a["image"], a["weight"], a["bias"], kept, norm)
    after = {"running_mean": left.mean, "running_var": left.variance} if trial.training else {}
    return Outcome(output, named(a, ("image", "weight", "bias"), back), after, gain=left.gain)


def layer_norm(trial: Trial, a: Arrays) -> Outcome:
    """ChannelLayerNorm2d: each pixel over its channels."""
    eps = float(trial.arguments["eps"])
    return _scaled(a, pointwise.standardise(a["image"], (1,), eps))


def instance_norm(trial: Trial, a: Arrays) -> Outcome:
    """StdInstanceNorm2d: each channel of each picture, by its deviation plus epsilon."""
    eps = float(trial.arguments["eps"])
    return _scaled(a, pointwise.standardise(a["image"], (2, 3), eps, of_deviation=True))


def _scaled(a: Arrays, normal: tuple[Array, float, Back]) -> Outcome:
    image, gain, norm_back = normal
    gamma, beta = a.get("weight", np.ones(image.shape[1])), bias(a, "bias", image.shape[1])
    output, scale_back = pointwise.scale(image, gamma, beta)

    def back(g: Array) -> tuple[Array, ...]:
        g, *d_affine = scale_back(g)
        return *norm_back(g), *d_affine

    return Outcome(output, named(a, ("image", "weight", "bias"), back), gain=gain)


def conv_norm_act(trial: Trial, a: Arrays) -> Outcome:
    """Convolution, then PyTorch's BatchNorm2d and ReLU in either order."""
    weight = a["conv.weight"]
    offset = bias(a, "conv.bias", len(weight))
    x, conv_back = oracle.conv(a["image"], weight, offset, *axes(trial, a["image"]))
    norm = Norm(eps=1e-5, momentum=0.1, bessel=True, training=trial.training)
    affine = a["norm.weight"], a["norm.bias"]
    kept = a["norm.running_mean"], a["norm.running_var"]
    if trial.arguments["order"] == "cna":
        normal, left, norm_back = pointwise.batch_norm(x, *affine, kept, norm)
        output, relu_back = pointwise.relu(normal)
        closest = margin(normal)
    else:
        positive, relu_back = pointwise.relu(x)
        output, left, norm_back = pointwise.batch_norm(positive, *affine, kept, norm)
        closest = margin(x)

    def back(g: Array) -> tuple[Array, ...]:
        if trial.arguments["order"] == "cna":
            g, *d_affine = norm_back(*relu_back(g))
        else:
            g, *d_affine = norm_back(g)
            (g,) = relu_back(g)
        return *conv_back(g), *d_affine

    names = ("image", "conv.weight", "conv.bias", "norm.weight", "norm.bias")
    after = {"norm.running_mean": left.mean, "norm.running_var": left.variance}
    return Outcome(
        output, named(a, names, back), after if trial.training else {}, closest, left.gain
    )


def squeeze_excite(trial: Trial, a: Arrays) -> Outcome:
    """Means, two 1x1 convolutions with ReLU and sigmoid, product."""
    image = a["image"]
    single = oracle.Axis(1, 1), oracle.Axis(1, 1)
    means, mean_back = pointwise.mean(image)
    narrow, back1 = oracle.conv(means, a["fc1.weight"], a["fc1.bias"], *single)
    positive, relu_back = pointwise.relu(narrow)
    wide, back2 = oracle.conv(positive, a["fc2.weight"], a["fc2.bias"], *single)
    share, sigmoid_back = pointwise.sigmoid(wide)

    def back(g: Array) -> tuple[Array, ...]:
        (d_wide,) = sigmoid_back((g * image).sum(axis=(2, 3), keepdims=True))
        d_positive, *d_fc2 = back2(d_wide)
        d_means, *d_fc1 = back1(*relu_back(d_positive))
        return g * share + mean_back(d_means)[0], *d_fc1, *d_fc2

    names = ("image", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
    return Outcome(image * share, named(a, names, back), margin=margin(narrow))
