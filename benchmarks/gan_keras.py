"""pix2pix, CycleGAN and DCGAN in Keras, in graph mode: the reference of the speed figures.

Each step is one ``tf.function``: the discriminators learn first, the generators by what came of it,
and a fake is made once. XLA is left out, as it is for the mosaic U-Nets.
"""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import gan_keras_models as models
from benchmarks.gan_torch import (
    BETA,
    BLOCK_SIZE,
    CYCLE_WEIGHT,
    IDENTITY_WEIGHT,
    L1_WEIGHT,
    LATENT,
    NOISE_BATCH,
    NOISE_SIZE,
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
    model = models.unet(keras)
    source, target = _pictures(tf, 2, SIZE)
    compiled = graph_step(tf, keras, model, keras.losses.MeanAbsoluteError())
    return Work(lambda: compiled(source, target), sizes({"generator": model}, model(source)))


def generator_on_batch(threads: int) -> Work:
    """Set up ``train_on_batch`` of the compiled U-Net, on tensors; argument as above."""
    tf, keras = load(threads)
    model = models.unet(keras)
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
    model = models.generator(keras, kind)
    (source,) = _pictures(tf, 1, SIZE)
    compiled = tf.function(lambda image: model(image, training=False))
    return Work(lambda: compiled(source), sizes({"generator": model}, model(source)))


def predict_on_batch(threads: int, kind: Kind) -> Work:
    """Set up a generator's ``predict_on_batch``, on a NumPy array; arguments as above."""
    tf, keras = load(threads)
    model = models.generator(keras, kind)
    source = _pictures(tf, 1, SIZE)[0].numpy()
    return Work(lambda: model.predict_on_batch(source), sizes({"generator": model}, model(source)))


def pix2pix_function(threads: int) -> Work:
    """Set up the whole step of pix2pix with the notes' U-Net; argument as above."""
    tf, keras = load(threads)
    networks = models.unet(keras), models.patch_discriminator(keras, 6)
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
    generators = models.generator(keras, kind), models.generator(keras, kind)
    networks = (
        *generators,
        models.patch_discriminator(keras, 3),
        models.patch_discriminator(keras, 3),
    )
    a, b = _pictures(tf, 2, SIZE if kind == "unet" else BLOCK_SIZE)
    size = sizes(dict(zip("1234", networks, strict=True)), networks[0](a))
    compiled = tf.function(cyclegan_step(tf, keras, networks))
    return Work(lambda: compiled(a, b), size)


def dcgan_function(threads: int) -> Work:
    """Set up the whole step of DCGAN; argument as above."""
    tf, keras = load(threads)
    networks = models.dcgan_generator(keras), models.dcgan_discriminator(keras)
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


def _pictures(tf: Any, count: int, size: int) -> list[Any]:
    return [tf.random.uniform((1, size, size, 3)) for _ in range(count)]
