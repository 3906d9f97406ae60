"""SRGAN as the notes write it in Keras, in graph mode: the reference of the speed figures.

XLA is left out, as it is for the mosaic U-Nets.
"""

from typing import Any

from benchmarks.keras_side import graph_step, load
from benchmarks.process import Work
from benchmarks.srgan_torch import BATCH, LOW, NOTES_DEPTH, SCALE, TILE


def generator_function(threads: int) -> Work:
    """Set up a training step of the generator written by hand under ``tf.function``, on tensors.

    Args:
        threads: To use.
    """
    tf, keras = load(threads)
    model = _generator(tf, keras)
    source, target = _pictures(tf)
    compiled = graph_step(tf, keras, model, keras.losses.MeanSquaredError())
    return Work(lambda: compiled(source, target), _size(tf, model, source))


def generator_on_batch(threads: int) -> Work:
    """Set up ``train_on_batch`` of the compiled generator, on tensors; argument as above."""
    tf, keras = load(threads)
    model = _generator(tf, keras)
    model.compile("adam", "mse")
    source, target = _pictures(tf)
    return Work(lambda: model.train_on_batch(source, target), _size(tf, model, source))


def inference_function(threads: int) -> Work:
    """Set up a call of the generator under ``tf.function``, on a tensor; argument as above."""
    tf, keras = load(threads)
    model = _generator(tf, keras)
    compiled = tf.function(lambda source: model(source, training=False))
    source = tf.random.uniform((1, TILE, TILE, 3))
    return Work(lambda: compiled(source), _size(tf, model, source))


def predict_on_batch(threads: int) -> Work:
    """Set up the generator's ``predict_on_batch``, on a NumPy array; argument as above."""
    tf, keras = load(threads)
    model = _generator(tf, keras)
    source = tf.random.uniform((1, TILE, TILE, 3)).numpy()
    return Work(lambda: model.predict_on_batch(source), _size(tf, model, source))


def gan_function(threads: int) -> Work:
    """Set up SRGAN's whole step with VGG19, two tapes in one ``tf.function``; argument as above."""
    tf, keras = load(threads)
    networks = _generator(tf, keras), _discriminator(keras), _vgg(keras)
    optimizers = [keras.optimizers.Adam(), keras.optimizers.Adam()]
    for optimizer, network in zip(optimizers, networks, strict=False):
        optimizer.build(network.trainable_variables)
    source, target = _pictures(tf)
    compiled = tf.function(_gan_step(tf, keras, networks, optimizers))
    return Work(lambda: compiled(source, target), _gan_size(networks, source))


def _gan_step(tf: Any, keras: Any, networks: Any, optimizers: Any) -> Any:
    generator, discriminator, vgg = networks
    entropy, squares = keras.losses.BinaryCrossentropy(), keras.losses.MeanSquaredError()

    def features(image: Any) -> Any:
        return vgg(keras.applications.vgg19.preprocess_input(image)) / 12.75

    def step(source: Any, target: Any) -> Any:
        with tf.GradientTape() as generating, tf.GradientTape() as judging:
            fake = generator(source, training=True)
            on_real = discriminator(target, training=True)
            on_fake = discriminator(fake, training=True)
            g_loss = squares(features(target), features(fake))
            g_loss += 1e-3 * entropy(tf.ones_like(on_fake), on_fake)
            d_loss = entropy(tf.ones_like(on_real), on_real)
            d_loss += entropy(tf.zeros_like(on_fake), on_fake)
        tapes = (generating, g_loss), (judging, d_loss)
        pairs = list(zip(tapes, networks, optimizers, strict=False))
        gradients = [tape.gradient(loss, of.trainable_variables) for (tape, loss), of, _ in pairs]
        for (_, network, optimizer), gradient in zip(pairs, gradients, strict=True):
            optimizer.apply_gradients(zip(gradient, network.trainable_variables, strict=True))
        return g_loss, d_loss

    return step


def _generator(tf: Any, keras: Any) -> Any:
    layers = keras.layers

    def conv(x: Any, width: int, size: int = 3, **options: Any) -> Any:
        return layers.Conv2D(width, size, padding="same", **options)(x)

    def act(x: Any) -> Any:
        return layers.PReLU(shared_axes=[1, 2])(x)

    def norm(x: Any) -> Any:
        return layers.BatchNormalization()(x)

    image = keras.Input((None, None, 3))
    first = x = act(conv(image, 64, 9))
    for _ in range(NOTES_DEPTH):
        x = layers.Add()([x, norm(conv(act(norm(conv(x, 64))), 64))])
    x = layers.Add()([first, norm(conv(x, 64))])
    for _ in range(2):
        x = act(layers.Lambda(lambda maps: tf.nn.depth_to_space(maps, 2))(conv(x, 256)))
    return keras.Model(image, conv(x, 3, 9, activation="tanh"))


def _discriminator(keras: Any) -> Any:
    layers = keras.layers
    image = keras.Input((None, None, 3))
    x = layers.LeakyReLU()(layers.Conv2D(64, 3, padding="same")(image))
    widths = (64, 128, 128, 256, 256, 512, 512)
    for index, width in enumerate(widths):
        x = layers.Conv2D(width, 3, 2 - index % 2, padding="same")(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.LeakyReLU()(layers.Dense(1024)(x))
    return keras.Model(image, layers.Dense(1, activation="sigmoid")(x))


def _vgg(keras: Any) -> Any:
    vgg = keras.applications.VGG19(include_top=False, weights=None, input_shape=(None, None, 3))
    vgg.trainable = False
    return keras.Model(vgg.input, vgg.layers[20].output)


def _pictures(tf: Any) -> Any:
    side = LOW * SCALE
    return tf.random.uniform((BATCH, LOW, LOW, 3)), tf.random.uniform((BATCH, side, side, 3))


def _size(tf: Any, model: Any, source: Any) -> dict[str, int]:
    return {"generator": _count(model), "output": int(tf.size(model(source)))}


def _gan_size(networks: Any, source: Any) -> dict[str, int]:
    generator, discriminator, vgg = networks
    fake = generator(source)
    outputs = {"fake": fake, "scores": discriminator(fake), "maps": vgg(fake)}
    names = ("generator", "discriminator", "vgg")
    counts = {name: _count(network) for name, network in zip(names, networks, strict=True)}
    return counts | {name: int(output.numpy().size) for name, output in outputs.items()}


def _count(network: Any) -> int:
    """Count parameters; moving statistics are none."""
    statistics = ("moving_mean", "moving_variance")
    counted = (one for one in network.variables if not one.path.endswith(statistics))
    return sum(int(one.numpy().size) for one in counted)
