"""Small Keras models with a layer of every kind, each layer's output an output of the model.

Imported only by processes that run Keras; ``keras`` is Keras 3, or tf_keras for Keras 2.
"""

from typing import Any

SIZE = (7, 10, 4)


def convolutions(keras: Any) -> Any:
    layer, image = keras.layers, keras.Input(SIZE, name="image")
    conv, separable, depthwise = layer.Conv2D, layer.SeparableConv2D, layer.DepthwiseConv2D
    outputs = [
        conv(5, 3, padding="same", activation="relu", name="c.same")(image),
        conv(5, (3, 5), name="float")(image),
        conv(3, 3, strides=2, padding="same", use_bias=False)(image),
        conv(3, 4, strides=3, padding="same", activation="tanh")(image),
        conv(3, (2, 4), strides=(3, 2), padding="valid")(image),
        conv(3, 3, dilation_rate=(2, 3), padding="same")(image),
        conv(3, 2, dilation_rate=2, activation="sigmoid")(image),
        conv(6, 3, groups=2, padding="same", activation="elu")(image),
        separable(5, 3, padding="same", depth_multiplier=3, activation="relu")(image),
        separable(5, 3, strides=2, use_bias=False)(image),
        depthwise(3, depth_multiplier=2, padding="same")(image),
        depthwise(4, strides=2, padding="same", use_bias=False, activation="relu")(image),
        layer.Dense(3, activation="sigmoid")(image),
        layer.Dense(2, use_bias=False)(image),
    ]
    return keras.Model(image, outputs, name="convolutions")


def transposed(keras: Any) -> Any:
    image, conv = keras.Input(SIZE, name="image"), keras.layers.Conv2DTranspose
    outputs = [
        conv(5, 3, strides=2, padding="same")(image),
        conv(5, 4, strides=2, padding="same", activation="relu")(image),
        conv(3, 5, strides=3, padding="same", use_bias=False)(image),
        conv(3, 2, strides=3, padding="same")(image),
        conv(3, (2, 3), strides=(3, 2), padding="valid")(image),
        conv(3, 5, strides=2, padding="valid")(image),
        conv(3, 3, padding="same")(image),
        conv(3, 3, strides=2, padding="same", output_padding=1)(image),
        conv(3, 3, strides=2, padding="same", output_padding=0)(image),
        conv(3, 4, strides=3, padding="same", output_padding=2)(image),
        conv(3, 3, strides=2, padding="valid", output_padding=1)(image),
    ]
    return keras.Model(image, outputs, name="transposed")


def activations(keras: Any) -> Any:
    layer, image = keras.layers, keras.Input(SIZE, name="image")
    names = ["linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"]
    names += ["sigmoid", "hard_sigmoid", "tanh", "softplus", "softsign", "exponential", "softmax"]
    old = not keras.__version__.startswith("3.")
    names = [name for name in names if not (old and name in ("relu6", "leaky_relu", "silu"))]
    new = ["celu", "hard_silu", "hard_tanh", "log_sigmoid", "log_softmax"]
    names += ["swish"] if old else new
    slope = {"alpha": 0.15} if old else {"negative_slope": 0.15}
    outputs = [
        *[layer.Activation(name)(image) for name in names],
        layer.LeakyReLU()(image),
        layer.LeakyReLU(**slope)(image),
        layer.ELU(0.7)(image),
        layer.ReLU()(image),
        layer.ReLU(max_value=0.8)(image),
        layer.ReLU(max_value=1.2, negative_slope=0.1, threshold=0.2)(image),
        layer.Softmax()(image),
        layer.Softmax(axis=1)(image),
        layer.PReLU()(image),
        layer.PReLU(shared_axes=[1, 2])(image),
        layer.PReLU(shared_axes=[2])(image),
        layer.PReLU()(layer.Dense(6)(layer.GlobalAveragePooling2D()(image))),
        layer.Conv2D(3, 1, activation=layer.LeakyReLU(**slope))(image),
        layer.Dropout(0.4)(image),
        layer.SpatialDropout2D(0.4)(image),
        layer.GaussianNoise(0.4)(image),
        layer.GaussianDropout(0.4)(image),
        layer.ActivityRegularization(0.1)(image),
    ]
    return keras.Model(image, outputs, name="activations")


def norms(keras: Any) -> Any:
    layer, image = keras.layers, keras.Input(SIZE, name="image")
    flat = layer.Dense(6)(layer.GlobalAveragePooling2D()(image))
    outputs = [
        layer.BatchNormalization()(image),
        layer.BatchNormalization(scale=False, epsilon=1e-4)(image),
        layer.BatchNormalization(center=False)(image),
        layer.BatchNormalization(scale=False, center=False)(image),
        layer.BatchNormalization()(flat),
        layer.LayerNormalization()(image),
        layer.LayerNormalization(axis=[1, 2, 3], epsilon=1e-2)(image),
        layer.LayerNormalization(axis=[1, 2], scale=False)(image),
        layer.LayerNormalization(axis=2)(image),
        layer.LayerNormalization(center=False)(flat),
        layer.GroupNormalization(groups=2)(image),
        layer.GroupNormalization(groups=-1, scale=False, center=False)(image),
        layer.GroupNormalization(groups=1, epsilon=1e-2, center=False)(image),
        instance_norm(keras)(axis=-1)(image),
        instance_norm(keras)(axis=None, epsilon=0.1)(image),
        instance_norm(keras)(axis=-1, scale=False, center=False)(image),
        layer.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[0.5, 1.5, 2.5, 3.5])(image),
        adapted(keras)(image),
        layer.Rescaling(1 / 127.5, offset=-1.0)(image),
    ]
    return keras.Model(image, outputs, name="norms")


def adapted(keras: Any) -> Any:
    import numpy as np

    normalization = keras.layers.Normalization(name="adapted")
    normalization.adapt(np.random.default_rng(5).normal(2.0, 3.0, (4, *SIZE)).astype("float32"))
    return normalization


def instance_norm(keras: Any) -> type:
    """Write ``keras_contrib``'s layer again: divided by the deviation plus epsilon."""
    import tensorflow as tf

    class InstanceNormalization(keras.layers.Layer):
        def __init__(self, axis, epsilon=1e-3, scale=True, center=True, **kwargs) -> None:  # noqa: ANN001, ANN003
            super().__init__(**kwargs)
            self.settings = {"axis": axis, "epsilon": epsilon, "scale": scale, "center": center}

        def build(self, shape: Any) -> None:
            sizes = (1,) if self.settings["axis"] is None else (shape[-1],)
            for name, wanted in (("gamma", "scale"), ("beta", "center")):
                if self.settings[wanted]:
                    setattr(self, name, self.add_weight(name=name, shape=sizes))

        def call(self, value: Any) -> Any:
            axes = [1, 2, 3] if self.settings["axis"] is None else [1, 2]
            mean = tf.reduce_mean(value, axes, keepdims=True)
            deviation = tf.math.reduce_std(value, axes, keepdims=True) + self.settings["epsilon"]
            result = (value - mean) / deviation
            result = result * self.gamma if self.settings["scale"] else result
            return result + self.beta if self.settings["center"] else result

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), **self.settings}

    return InstanceNormalization


def maps(keras: Any) -> Any:
    layer, image = keras.layers, keras.Input(SIZE, name="image")
    outputs = [
        layer.MaxPooling2D()(image),
        layer.MaxPooling2D(3, strides=2, padding="same")(image),
        layer.MaxPooling2D((2, 3), strides=(1, 2))(image),
        layer.MaxPooling2D(3, padding="same")(layer.Rescaling(1.0, offset=-9.0)(image)),
        layer.AveragePooling2D(2)(image),
        layer.AveragePooling2D(3, strides=2, padding="same")(image),
        layer.AveragePooling2D((4, 3), strides=(1, 2), padding="same")(image),
        layer.GlobalMaxPooling2D()(image),
        layer.GlobalAveragePooling2D(keepdims=True)(image),
        layer.UpSampling2D()(image),
        layer.UpSampling2D((3, 2), interpolation="bilinear")(image),
        layer.ZeroPadding2D(((1, 2), (0, 3)))(image),
        layer.ZeroPadding2D((2, 1))(image),
        layer.Cropping2D(((1, 2), (0, 3)))(image),
        layer.Cropping2D(1)(image),
        layer.Resizing(13, 7)(image),
        layer.Resizing(5, 31, interpolation="nearest")(image),
    ]
    return keras.Model(image, outputs, name="maps")


def shapes(keras: Any) -> Any:
    layer, image = keras.layers, keras.Input(SIZE, name="image")
    other = keras.Input(SIZE, name="other")
    flat = layer.Flatten()(image)
    pooled = layer.GlobalAveragePooling2D()(image)
    gate = layer.Reshape((1, 1, 4))(layer.Dense(4, activation="sigmoid")(pooled))
    outputs = [
        flat,
        layer.Dense(5, activation="softmax")(flat),
        layer.Reshape((5, 8, 7))(image),
        layer.Reshape((-1, 8))(image),
        layer.Reshape((4, 10, -1))(flat),
        layer.Permute((2, 1, 3))(image),
        layer.Permute((3, 1, 2))(image),
        layer.Permute((2, 1))(layer.Reshape((-1, 8))(image)),
        layer.Multiply()([image, gate]),
        layer.Add()([image, other, image]),
        layer.Subtract()([image, other]),
        layer.Average()([image, other, image]),
        layer.Maximum()([image, other]),
        layer.Minimum()([image, other]),
        layer.Concatenate()([image, other, gate_map(keras, image)]),
        layer.Concatenate(axis=1)([image, other]),
        layer.Concatenate(axis=-2)([image, other]),
        layer.Concatenate()([pooled, flat]),
    ]
    return keras.Model([other, image], outputs, name="shapes")


def gate_map(keras: Any, image: Any) -> Any:
    return keras.layers.Conv2D(2, 1, activation="sigmoid", name="gate_map")(image)


def nested(keras: Any) -> Any:
    """Models in models, called several times; shared layers; several outputs."""
    layer = keras.layers
    inner_image, inner_other = keras.Input(SIZE, name="a"), keras.Input(SIZE, name="b")
    conv = layer.Conv2D(4, 3, padding="same", activation="relu", name="conv")
    norm = layer.BatchNormalization(name="norm")
    left, right = norm(conv(inner_image)), norm(conv(inner_other))
    joined = layer.Subtract(name="less")([left, right])
    pair = keras.Model([inner_image, inner_other], [joined, right], name="pair")
    chain = keras.Sequential(
        [
            keras.Input(SIZE),
            layer.Conv2D(4, 1, name="conv"),
            keras.Sequential(
                [keras.Input(SIZE), layer.BatchNormalization(name="norm"), layer.ReLU()],
                name="deep",
            ),
            layer.PReLU(shared_axes=[1, 2], name="slope"),
        ],
        name="chain",
    )
    image = keras.Input(SIZE, name="image")
    first, second = pair([image, chain(image)])
    third, fourth = pair([second, first])
    again = chain(third)
    outputs = [chain(again), layer.Add(name="sum")([first, again]), fourth, third]
    return keras.Model(image, outputs, name="outer")


def sequential(keras: Any) -> Any:
    layer = keras.layers
    return keras.Sequential(
        [
            layer.Conv2D(6, 3, padding="same", input_shape=SIZE),
            layer.BatchNormalization(),
            layer.Activation("relu"),
            layer.MaxPooling2D(2, padding="same"),
            layer.Conv2DTranspose(3, 3, strides=2, padding="same", activation="hard_sigmoid"),
        ],
        name="sequential",
    )


def shuffled(keras: Any) -> Any:
    """An enlargement by 2 whose depth_to_space is a function, and arithmetic on the way."""
    image = keras.Input((None, None, 3), name="image")
    features = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image / 255.0 - 0.5)
    features = 1.0 - keras.layers.Conv2D(12, 3, padding="same")(features) * 0.1
    return keras.Model(image, _operations(keras, features), name="shuffled")


def _operations(keras: Any, features: Any) -> Any:
    if keras.__version__.startswith("3."):
        ops = keras.ops
        large = ops.nn.depth_to_space(features, 2)
        large = ops.concatenate([ops.relu(large), ops.tanh(large), large + large], axis=-1)
        large = ops.maximum(ops.leaky_relu(large, 0.1), ops.sigmoid(large)) / 2.0
        small = ops.log(ops.abs(features) + 1.0) * ops.exp(features) - ops.elu(features)
        return [
            ops.clip(large, 0.2, 0.9),
            ops.softmax(large),
            ops.square(ops.negative(large)),
            ops.sqrt(ops.abs(ops.minimum(small, 0.5))),
            ops.nn.space_to_depth(large, 2),
        ]
    import tensorflow as tf

    large = tf.nn.depth_to_space(features, 2)
    small = tf.concat([tf.abs(features), tf.exp(features), tf.math.log(tf.abs(features) + 1.0)], -1)
    large = tf.concat([tf.nn.relu(large), tf.math.tanh(large), large + large], -1)
    large = tf.maximum(tf.nn.leaky_relu(large, 0.1), tf.nn.sigmoid(large)) / 2.0
    return [
        tf.clip_by_value(large, 0.2, 0.9),
        tf.nn.softmax(large),
        tf.square(-large),
        tf.image.resize(large, (13, 15)),
        tf.nn.space_to_depth(large, 2),
        tf.sqrt(tf.abs(small)) - tf.nn.elu(small),
    ]


def coded(keras: Any) -> Any:
    """The same enlargement with a Lambda, whose code a file keeps."""
    image = keras.Input((8, 7, 3), name="image")
    features = keras.layers.Conv2D(12, 3, padding="same", name="conv")(image)
    text = "lambda value: __import__('tensorflow').nn.depth_to_space(value, 2)"
    code = eval(compile(text, "coded", "eval"))  # the file keeps the name of the source, too
    shuffle = keras.layers.Lambda(code, name="shuffle")
    return keras.Model(image, shuffle(features), name="coded")


def op_layers(keras: Any) -> Any:
    """TensorFlowOpLayer, as TensorFlow 2.0 to 2.3 saved functions; tf_keras only."""
    import tensorflow as tf
    from tf_keras.src.engine.base_layer import TensorFlowOpLayer

    def node(name: str, op: str, inputs: int, **attributes: Any) -> Any:
        definition = tf.compat.v1.NodeDef(name=name, op=op, input=[f"i{n}" for n in range(inputs)])
        definition.attr["T"].type = tf.float32.as_datatype_enum
        for key, value in attributes.items():
            if isinstance(value, str):
                definition.attr[key].s = value.encode()
            else:
                definition.attr[key].i = value
        return definition.SerializeToString()

    def concatenation() -> Any:
        definition = tf.compat.v1.NodeDef.FromString(node("ConcatV2", "ConcatV2", 3, N=2))
        definition.attr["Tidx"].type = tf.int32.as_datatype_enum
        return definition.SerializeToString()

    image = keras.Input((8, 7, 3), name="image")
    features = keras.layers.Conv2D(12, 3, padding="same", name="conv")(image)
    halved = TensorFlowOpLayer(node("Mul", "Mul", 2), "Mul", constants={1: 0.5})(features)
    turned = TensorFlowOpLayer(node("Sub", "Sub", 2), "Sub", constants={0: 1.0})(halved)
    shuffle = node("D2S", "DepthToSpace", 1, block_size=2, data_format="NHWC")
    large = TensorFlowOpLayer(shuffle, "D2S")(turned)
    sum_ = TensorFlowOpLayer(node("AddV2", "AddV2", 2), "AddV2")([large, large])
    joined = TensorFlowOpLayer(concatenation(), "ConcatV2", constants={2: -1})([large, sum_])
    return keras.Model(image, [joined, sum_], name="op_layers")


BOTH = (convolutions, transposed, activations, norms, maps, shapes, nested, sequential, shuffled)
KERAS2_ONLY = (coded, op_layers)
