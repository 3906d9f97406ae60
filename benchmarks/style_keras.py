"""One evaluation of style transfer as the study notes write it, in Keras's graph mode."""

from typing import Any

from benchmarks.keras_side import load
from benchmarks.process import Work
from benchmarks.style_torch import (
    CONTENT,
    CONTENT_LAYER,
    EXPONENT,
    SIZE,
    STYLE,
    STYLE_LAYERS,
    VARIATION,
)


def evaluation(threads: int) -> Work:
    """Set up loss and gradient of a picture, all three pictures through VGG each time.

    Args:
        threads: To use.
    """
    tf, keras = load(threads)
    vgg = keras.applications.VGG19(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    names = (CONTENT_LAYER, *STYLE_LAYERS)
    features = keras.Model(vgg.input, {name: vgg.get_layer(name).output for name in names})
    content, style, image = (255 * tf.random.uniform((1, SIZE, SIZE, 3)) for _ in range(3))

    def evaluate(image: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = _loss(tf, features(tf.concat([content, style, image], axis=0)), image)
        return loss, tape.gradient(loss, image)

    compiled = tf.function(evaluate)
    return Work(lambda: compiled(image)[1].numpy(), {"gradient": int(tf.size(compiled(image)[1]))})


def _loss(tf: Any, maps: Any, image: Any) -> Any:
    base, made = maps[CONTENT_LAYER][0], maps[CONTENT_LAYER][2]
    loss = CONTENT * tf.reduce_sum(tf.square(made - base))
    for name in STYLE_LAYERS:
        aim, found = (_gram(tf, maps[name][index]) for index in (1, 2))
        loss += STYLE / 5 * tf.reduce_sum(tf.square(aim - found)) / (4.0 * 9 * SIZE**4)
    down = tf.square(image[:, :-1, :-1] - image[:, 1:, :-1])
    right = tf.square(image[:, :-1, :-1] - image[:, :-1, 1:])
    return loss + VARIATION * tf.reduce_sum(tf.pow(down + right, EXPONENT))


def _gram(tf: Any, maps: Any) -> Any:
    flat = tf.reshape(tf.transpose(maps, (2, 0, 1)), (maps.shape[-1], -1))
    return tf.matmul(flat, flat, transpose_b=True)
