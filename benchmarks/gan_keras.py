"""pix2pix, CycleGAN and DCGAN in Keras, in graph mode: the reference of the speed figures.

The generators are the notes', normalised by ``GroupNormalization`` of one channel a group, which is
Keras 3's form of instance normalisation. Each step is one ``tf.function``: the discriminators learn
first, the generators by what came of it, and a fake is made once. XLA is left out, as it is for the
mosaic U-Nets.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.gan_torch import (
    BETA,
    BLOCK_SIZE,
    BLOCKS,
    CYCLE_WEIGHT,
    IDENTITY_WEIGHT,
    L1_WEIGHT,
    LATENT,
    NOISE_BATCH,
    NOISE_SIZE,
    NOTES,
    RATE,
    SIZE,
    Kind,
)
from benchmarks.keras_side import graph_step, load
from benchmarks.process import Work

D_WEIGHT = 0.5


def generator_function(threads: int) -> Work:
    """Set up a training step of the notes' U-Net written by hand under ``tf.function``, on tensors.

    Args:
        threads: To use.
    """
    tf, keras = load(threads)
    model = _unet(keras)
    source, target = _pictures(tf, 2, SIZE)
    compiled = graph_step(tf, keras, model, keras.losses.MeanAbsoluteError())
    return Work(lambda: compiled(source, target), sizes({"generator": model}, model(source)))


def generator_on_batch(threads: int) -> Work:
    """Set up ``train_on_batch`` of the compiled U-Net, on tensors; argument as above."""
    tf, keras = load(threads)
    model = _unet(keras)
    model.compile("adam", "mae")
    source, target = _pictures(tf, 2, SIZE)
    size = sizes({"generator": model}, model(source))
    return Work(lambda: model.train_on_batch(source, target), size)


def inference_function(threads: int, kind: Kind) -> Work:
    """Set up a call of a generator under ``tf.function``, on a tensor.

    Args:
        threads: To use.
        kind: Of the generator.
    """
    tf, keras = load(threads)
    model = _generator(keras, kind)
    (source,) = _pictures(tf, 1, SIZE)
    compiled = tf.function(lambda image: model(image, training=False))
    return Work(lambda: compiled(source), sizes({"generator": model}, model(source)))


def predict_on_batch(threads: int, kind: Kind) -> Work:
    """Set up a generator's ``predict_on_batch``, on a NumPy array; arguments as above."""
    tf, keras = load(threads)
    model = _generator(keras, kind)
    source = _pictures(tf, 1, SIZE)[0].numpy()
    return Work(lambda: model.predict_on_batch(source), sizes({"generator": model}, model(source)))


def pix2pix_function(threads: int) -> Work:
    """Set up the whole step of pix2pix with the notes' U-Net; argument as above."""
    tf, keras = load(threads)
    networks = _unet(keras), _patches(keras, 6)
    source, target = _pictures(tf, 2, SIZE)
    size = sizes(dict(zip("gd", networks, strict=True)), networks[0](source))
    compiled = tf.function(pix2pix_step(tf, keras, *networks))
    return Work(lambda: compiled(source, target), size)


def cyclegan_function(threads: int, kind: Kind) -> Work:
    """Set up the whole step of CycleGAN with its identity terms.

    Args:
        threads: To use.
        kind: Of the generators.
    """
    tf, keras = load(threads)
    generators = _generator(keras, kind), _generator(keras, kind)
    networks = *generators, _patches(keras, 3), _patches(keras, 3)
    a, b = _pictures(tf, 2, SIZE if kind == "unet" else BLOCK_SIZE)
    size = sizes(dict(zip("1234", networks, strict=True)), networks[0](a))
    compiled = tf.function(cyclegan_step(tf, keras, networks))
    return Work(lambda: compiled(a, b), size)


def dcgan_function(threads: int) -> Work:
    """Set up the whole step of DCGAN; argument as above."""
    tf, keras = load(threads)
    networks = _from_noise(keras), _of_noise(keras)
    real = tf.random.uniform((NOISE_BATCH, NOISE_SIZE, NOISE_SIZE, 3))
    output = networks[0](tf.random.normal((NOISE_BATCH, LATENT)))
    size = sizes(dict(zip("gd", networks, strict=True)), output)
    compiled = tf.function(dcgan_step(tf, keras, *networks))
    return Work(lambda: compiled(real), size)


def pix2pix_step(tf: Any, keras: Any, generator: Any, discriminator: Any) -> Callable[..., Any]:
    """Write pix2pix's step: called with source and target in unit range, returns both losses."""
    entropy, absolute = _entropy(keras), keras.losses.MeanAbsoluteError()
    g_descend, d_descend = _descent(keras, generator), _descent(keras, discriminator)

    def judge(source: Any, image: Any) -> Any:
        return discriminator(tf.concat([source, image], -1), training=True)

    def step(source: Any, target: Any) -> Any:
        source, target = 2 * source - 1, 2 * target - 1
        with tf.GradientTape() as tape:
            fake = generator(source, training=True)
            with tape.stop_recording(), tf.GradientTape() as judging:
                d_loss = entropy(judge(source, target), True) + entropy(judge(source, fake), False)
                d_loss *= D_WEIGHT
            with tape.stop_recording():
                d_descend(judging, d_loss)
            g_loss = entropy(judge(source, fake), True) + L1_WEIGHT * absolute(target, fake)
        g_descend(tape, g_loss)
        return d_loss, g_loss

    return step


def cyclegan_step(tf: Any, keras: Any, networks: Sequence[Any]) -> Callable[..., Any]:
    """Write CycleGAN's step: called with a and b in unit range, returns both losses."""
    g_ab, g_ba, d_a, d_b = networks
    squares, absolute = _squares(tf), keras.losses.MeanAbsoluteError()
    g_descend, d_descend = _descent(keras, g_ab, g_ba), _descent(keras, d_a, d_b)

    def costs(judge: Any, real: Any, fake: Any) -> Any:
        on_real, on_fake = judge(real, training=True), judge(fake, training=True)
        return D_WEIGHT * (squares(on_real, True) + squares(on_fake, False))

    def step(a: Any, b: Any) -> Any:
        a, b = 2 * a - 1, 2 * b - 1
        with tf.GradientTape() as tape:
            fake_b, fake_a = g_ab(a, training=True), g_ba(b, training=True)
            with tape.stop_recording(), tf.GradientTape() as judging:
                d_loss = costs(d_a, a, fake_a) + costs(d_b, b, fake_b)
            with tape.stop_recording():
                d_descend(judging, d_loss)
            g_loss = squares(d_a(fake_a, training=True), True)
            g_loss += squares(d_b(fake_b, training=True), True)
            for back, fake, own in ((g_ba, fake_b, a), (g_ab, fake_a, b)):
                g_loss += CYCLE_WEIGHT * absolute(own, back(fake, training=True))
                g_loss += IDENTITY_WEIGHT * absolute(own, back(own, training=True))
        g_descend(tape, g_loss)
        return d_loss, g_loss

    return step


def dcgan_step(tf: Any, keras: Any, generator: Any, discriminator: Any) -> Callable[..., Any]:
    """Write DCGAN's step: called with pictures in unit range, returns both losses."""
    entropy = _entropy(keras)
    g_descend, d_descend = _descent(keras, generator), _descent(keras, discriminator)

    def step(real: Any) -> Any:
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal((real.shape[0], LATENT)), training=True)
            with tape.stop_recording(), tf.GradientTape() as judging:
                d_loss = entropy(discriminator(2 * real - 1, training=True), True)
                d_loss += entropy(discriminator(fake, training=True), False)
            with tape.stop_recording():
                d_descend(judging, d_loss)
            g_loss = entropy(discriminator(fake, training=True), True)
        g_descend(tape, g_loss)
        return d_loss, g_loss

    return step


def sizes(networks: Any, output: Any) -> dict[str, int]:
    """Count the networks' kernels, and the numbers that come out; as ``gan_torch.sizes``."""
    counts = {
        name: sum(int(one.numpy().size) for one in network.trainable_variables if one.ndim > 1)
        for name, network in networks.items()
    }
    return counts | {"output": int(output.numpy().size)}


def _descent(keras: Any, *networks: Any) -> Callable[..., None]:
    """Make the descent of some networks' weights by Adam, called with a tape and a loss."""
    optimizer = keras.optimizers.Adam(RATE, beta_1=BETA)
    variables = [one for network in networks for one in network.trainable_variables]
    optimizer.build(variables)

    def descend(tape: Any, loss: Any) -> None:
        optimizer.apply(tape.gradient(loss, variables), variables)

    return descend


def _entropy(keras: Any) -> Callable[[Any, bool], Any]:
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    return lambda logits, truth: entropy(keras.ops.full_like(logits, float(truth)), logits)


def _squares(tf: Any) -> Callable[[Any, bool], Any]:
    return lambda logits, truth: tf.reduce_mean(tf.square(logits - float(truth)))


def _generator(keras: Any, kind: Kind) -> Any:
    return _unet(keras) if kind == "unet" else _resnet(keras)


def _instance(keras: Any, x: Any) -> Any:
    return keras.layers.GroupNormalization(groups=-1, center=False, scale=False)(x)


def _unet(keras: Any) -> Any:
    layers, widths = keras.layers, NOTES["widths"]

    def enlarge(x: Any, width: int, **options: Any) -> Any:
        x = layers.UpSampling2D(2)(x)
        return layers.Conv2D(width, 4, padding="same", **options)(x)

    image = x = keras.Input((None, None, 3))
    skips = []
    for width in widths:
        x = layers.Conv2D(width, 4, strides=2, padding="same")(x)
        x = layers.Activation("relu")(_instance(keras, x))
        skips.append(x)
    for skip, width in zip(skips[-2::-1], widths[-2::-1], strict=True):
        x = layers.Activation("relu")(_instance(keras, enlarge(x, width)))
        x = layers.Concatenate()([x, skip])
    return keras.Model(image, enlarge(x, 3, activation="tanh"))


def _resnet(keras: Any, width: int = 64) -> Any:
    layers = keras.layers

    def then(conv: Any, x: Any, active: bool = True) -> Any:
        x = _instance(keras, conv(x))
        return layers.Activation("relu")(x) if active else x

    def conv(channels: int, size: int, stride: int = 1, **options: Any) -> Any:
        return layers.Conv2D(channels, size, stride, padding="same", **options)

    image = keras.Input((None, None, 3))
    x = then(conv(width, 7), image)
    for channels in (2 * width, 4 * width):
        x = then(conv(channels, 3, 2), x)
    for _ in range(BLOCKS):
        inside = then(conv(4 * width, 3), then(conv(4 * width, 3), x), active=False)
        x = layers.Add()([x, inside])
    for channels in (2 * width, width):
        x = then(layers.Conv2DTranspose(channels, 3, 2, padding="same"), x)
    return keras.Model(image, conv(3, 7, activation="tanh")(x))


def _patches(keras: Any, channels: int, width: int = 64) -> Any:
    layers = keras.layers
    image = keras.Input((None, None, channels))
    x = layers.Conv2D(width, 4, 2, padding="same")(image)
    x = layers.LeakyReLU(0.2)(x)
    for channels, stride in ((2 * width, 2), (4 * width, 2), (8 * width, 1)):
        x = layers.Conv2D(channels, 4, stride, padding="same")(x)
        x = layers.LeakyReLU(0.2)(_instance(keras, x))
    return keras.Model(image, layers.Conv2D(1, 4, padding="same")(x))


def _from_noise(keras: Any, width: int = 64) -> Any:
    layers = keras.layers
    widths = [width * 2**level for level in (3, 2, 1, 0)]
    latent = keras.Input((LATENT,))
    x = layers.Dense(4 * 4 * widths[0], use_bias=False)(latent)
    x = layers.Reshape((4, 4, widths[0]))(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for channels in widths[1:]:
        x = layers.Conv2DTranspose(channels, 4, 2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    last = layers.Conv2DTranspose(3, 4, 2, padding="same", activation="tanh")
    return keras.Model(latent, last(x))


def _of_noise(keras: Any, width: int = 64) -> Any:
    layers = keras.layers
    image = keras.Input((NOISE_SIZE, NOISE_SIZE, 3))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(width, 4, 2, padding="same")(image))
    for _, channels in pairwise(width * 2**level for level in range(4)):
        x = layers.Conv2D(channels, 4, 2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x))
    return keras.Model(image, layers.Flatten()(layers.Conv2D(1, 4)(x)))


def _pictures(tf: Any, count: int, size: int) -> list[Any]:
    return [tf.random.uniform((1, size, size, 3)) for _ in range(count)]
