"""Graphs from the configurations of Keras models, in every version's spelling.

Whole models of Keras 1 are synthetic here: none were to be found.
"""

import contextlib
import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_restore.interop._graph_common import GraphError
from lit_restore.interop.graph import GraphNetwork
from lit_restore.interop.keras_graph import keras_graph

Config = dict[str, Any]
KERNEL = {"kernel": (3, 3, 3, 4), "bias": (4,)}
NORM = {name: (4,) for name in ("gamma", "beta", "moving_mean", "moving_variance")}


def layer(class_name: str, name: str, *inbound: Any, **config: Any) -> Config:
    arguments = {"name": name, "trainable": True, **config}
    return {
        "class_name": class_name,
        "config": arguments,
        "name": name,
        "inbound_nodes": list(inbound),
    }


def source(*size: int | None) -> Config:
    return layer("InputLayer", "image", batch_input_shape=[None, *size], dtype="float32")


def functional(*layers: Config, outputs: list[Any], name: str = "model") -> Config:
    return {
        "class_name": "Functional",
        "config": {
            "name": name,
            "layers": list(layers),
            "input_layers": [["image", 0, 0]],
            "output_layers": outputs,
        },
    }


def to(name: str, call: int = 0, **kwargs: Any) -> list[Any]:
    return [name, call, 0, kwargs]


def chain(graph: Config) -> list[tuple[str, str]]:
    return [(node["name"], node["layer"]) for node in graph["nodes"]]


CONV = layer("Conv2D", "conv", [to("image")], kernel_size=[3, 3], activation="relu")
PLAIN = functional(
    source(8, 9, 3),
    CONV,
    layer("LeakyReLU", "leaky", [to("conv")], alpha=0.2),
    layer("Concatenate", "join", [to("leaky"), to("conv")], axis=-1),
    outputs=[["join", 0, 0]],
)
PLAIN_SHAPES = {"conv": KERNEL}


def test_a_functional_model_becomes_a_flat_graph() -> None:
    graph = keras_graph(PLAIN, PLAIN_SHAPES)
    assert graph["inputs"] == [{"name": "image", "shape": [3, 8, 9]}]
    assert graph["outputs"] == ["join"]
    assert graph["nodes"][1:] == [
        {
            "name": "conv/activation",
            "layer": "Activation",
            "inputs": ["conv"],
            "arguments": {"function": "relu"},
        },
        {
            "name": "leaky",
            "layer": "LeakyReLU",
            "inputs": ["conv/activation"],
            "arguments": {"slope": 0.2},
        },
        {
            "name": "join",
            "layer": "Concatenate",
            "inputs": ["leaky", "conv/activation"],
            "arguments": {"axis": -1},
        },
    ]


KERAS1 = {
    "class_name": "Sequential",
    "config": [
        {
            "class_name": "Convolution2D",
            "config": {
                "name": "convolution2d_1",
                "trainable": True,
                "nb_filter": 4,
                "nb_row": 3,
                "nb_col": 3,
                "border_mode": "same",
                "subsample": [2, 2],
                "dim_ordering": "tf",
                "bias": True,
                "activation": "hard_sigmoid",
                "batch_input_shape": [None, 8, 9, 3],
            },
        },
        {
            "class_name": "ZeroPadding2D",
            "config": {"name": "pad", "trainable": True, "padding": [1, 2], "dim_ordering": "tf"},
        },
        {"class_name": "Dropout", "config": {"name": "drop", "trainable": True, "p": 0.25}},
    ],
}


def test_a_sequential_model_of_keras_1_is_understood() -> None:
    graph = keras_graph(KERAS1, {"convolution2d_1": KERNEL})
    assert graph["inputs"][0]["shape"] == [3, 8, 9]
    assert [node["arguments"] for node in graph["nodes"]] == [
        {
            "in_channels": 3,
            "out_channels": 4,
            "kernel_size": [3, 3],
            "groups": 1,
            "strides": [2, 2],
            "padding": "same",
            "dilation": [1, 1],
            "bias": True,
        },
        {"function": "hard_sigmoid_keras2"},
        {"border": [[1, 1], [2, 2]]},
        {"rate": 0.25},
    ]


def test_merges_of_keras_1_are_layers_of_their_own() -> None:
    merges = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum"}
    for mode, kind in merges.items():
        model = functional(
            source(8, 9, 3),
            layer("Merge", "merge", [to("image"), to("image")], mode=mode, concat_axis=-1),
            outputs=[["merge", 0, 0]],
        )
        model["class_name"] = "Model"
        assert chain(keras_graph(model, {})) == [("merge", kind)]


def first(model: Config, key: str, word: str) -> Config:
    model = copy.deepcopy(model)
    model["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 3, 8, 9]
    model["config"]["layers"][1]["config"][key] = word
    for entry in model["config"]["layers"]:
        if "axis" in entry["config"]:
            entry["config"]["axis"] = 1
    return model


@pytest.mark.parametrize(
    ("key", "word"), [("data_format", "channels_first"), ("dim_ordering", "th")]
)
def test_channels_first_make_the_same_graph(key: str, word: str) -> None:
    assert keras_graph(first(PLAIN, key, word), PLAIN_SHAPES) == keras_graph(PLAIN, PLAIN_SHAPES)


def test_with_channels_first_what_depends_on_the_order_is_refused() -> None:
    model = first(PLAIN, "data_format", "channels_first")
    model["config"]["layers"].append(layer("Flatten", "flat", [to("join")]))
    model["config"]["output_layers"] = [["flat", 0, 0]]
    with pytest.raises(GraphError, match="with channels first, not understood: flat"):
        keras_graph(model, PLAIN_SHAPES)


def test_a_mixture_of_orders_is_refused() -> None:
    model = first(PLAIN, "data_format", "channels_first")
    pool = layer("MaxPooling2D", "pool", [to("join")], data_format="channels_last")
    model["config"]["layers"].append(pool)
    model["config"]["output_layers"] = [["pool", 0, 0]]
    with pytest.raises(GraphError, match="channels_first: conv; channels_last: pool"):
        keras_graph(model, PLAIN_SHAPES)


def inner_model() -> Config:
    model = functional(
        source(8, 9, 4),
        layer("BatchNormalization", "norm", [to("image")], axis=[3]),
        outputs=[["norm", 0, 0]],
        name="inner",
    )
    return {**model, "name": "inner"}


@pytest.mark.parametrize(("start", "last"), [(0, 0), (1, 1), (0, 1)])
def test_calls_of_a_nested_model_are_found_from_whichever_number_the_file_counts(
    start: int, last: int
) -> None:
    inner = inner_model() | {"inbound_nodes": [[to("conv")], [to("inner", start)]]}
    model = functional(source(8, 9, 3), CONV, inner, outputs=[["inner", last + 1, 0]])
    if last > start:  # as Keras 3 alone does
        model["config"]["layers"][0]["config"]["batch_shape"] = [None, 8, 9, 3]
    graph = keras_graph(model, {"conv": KERNEL, "inner/norm": NORM})
    assert [(node["name"], node["inputs"]) for node in graph["nodes"][2:]] == [
        ("inner/norm", ["conv/activation"]),
        ("inner/norm@2", ["inner/norm"]),
    ]
    assert graph["nodes"][3]["arguments"] == {"node": "inner/norm"}
    assert graph["outputs"] == ["inner/norm@2"]


def test_a_nested_model_that_calls_itself_without_end_is_refused() -> None:
    model = inner_model()
    model["config"]["layers"] = model["config"]["layers"][:1]
    model["config"]["output_layers"] = [["image", 0, 0]]
    for depth in range(24):  # 2**24 calls
        inner = {**model, "name": f"m{depth}"}
        inner["config"] = {**inner["config"], "name": f"m{depth}"}
        inner["inbound_nodes"] = [[to("image")], [to(f"m{depth}", 0)]]
        model = functional(source(8, 9, 4), inner, outputs=[[f"m{depth}", 1, 0]])
    with pytest.raises(GraphError, match="1000 calls of models at most"):
        keras_graph(model, {})


def tensor(name: str) -> Config:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def keras3(class_name: str, *args: Any, config: Config, kwargs: Config | None = None) -> Config:
    node = {"args": list(args), "kwargs": kwargs or {}}
    name = config["name"]
    entry = {"class_name": class_name, "config": config, "name": name, "inbound_nodes": [node]}
    image = {
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, None, None, 3], "name": "image"},
        "name": "image",
        "inbound_nodes": [],
    }
    model = functional(image, entry, outputs=[name, 0, 0])
    model["config"]["input_layers"] = ["image", 0, 0]
    return model


def test_a_function_of_keras_ops_is_no_layer_of_the_same_name() -> None:
    model = keras3("Multiply", tensor("image"), 2.0, config={"name": "multiply"})
    (node,) = keras_graph(model, {})["nodes"]
    assert (node["layer"], node["arguments"]) == (
        "Arithmetic",
        {"operation": "multiply", "right": 2.0},
    )
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(GraphNetwork(keras_graph(model, {}))(image), image * 2)


def test_a_layer_of_the_same_name_is_a_layer() -> None:
    config = {"name": "multiply", "trainable": True, "dtype": "float32"}
    model = keras3("Multiply", [tensor("image"), tensor("image")], config=config)
    assert chain(keras_graph(model, {})) == [("multiply", "Multiply")]


def test_hard_sigmoid_is_that_of_the_version() -> None:
    config = {"name": "act", "trainable": True, "activation": "hard_sigmoid"}
    new = keras_graph(keras3("Activation", tensor("image"), config=config), {})
    old_layer = layer("Activation", "act", [to("image")], activation="hard_sigmoid")
    old = keras_graph(functional(source(8, 9, 3), old_layer, outputs=[["act", 0, 0]]), {})
    assert new["nodes"][0]["arguments"] == {"function": "hard_sigmoid"}
    assert old["nodes"][0]["arguments"] == {"function": "hard_sigmoid_keras2"}


def test_everything_unknown_is_named_at_once_with_what_is_known() -> None:
    model = functional(
        source(8, 9, 3),
        layer("Lambda", "lambda_1", [to("image")], function=["4wEAAAAA", None, None]),
        layer("TFOpLambda", "tf.math.sin", to("lambda_1"), function="math.sin"),
        layer("ConvLSTM2D", "memory", [to("tf.math.sin")]),
        outputs=[["memory", 0, 0]],
    )
    with pytest.raises(GraphError) as caught:
        keras_graph(model, {})
    message = str(caught.value)
    for part in (
        "lambda_1 (Lambda: code, which is not run)",
        "tf.math.sin (TFOpLambda math.sin)",
        "memory (ConvLSTM2D)",
        "Conv2D, Conv2DTranspose",
        "depth_to_space",
        'layers={"name": DepthToSpace(2)}',
    ):
        assert part in message


def test_a_layer_of_code_can_be_replaced() -> None:
    shuffle = layer("Lambda", "lambda_1", [to("conv")], function=["4wEAAAAA", None, None])
    model = functional(source(8, 9, 3), CONV, shuffle, outputs=[["lambda_1", 0, 0]])
    layers = {"lambda_1": ("DepthToSpace", {"block_size": 2})}
    graph = keras_graph(model, {"conv": KERNEL}, layers)
    assert chain(graph)[-1] == ("lambda_1", "DepthToSpace")
    assert GraphNetwork(graph)(torch.rand(1, 3, 6, 6)).shape == (1, 1, 8, 8)
    with pytest.raises(GraphError, match=r"there are no layers \['other'\]"):
        keras_graph(model, {"conv": KERNEL}, {"other": ("Flatten", {})})


def changed(**config: Any) -> Config:
    model = copy.deepcopy(PLAIN)
    model["config"]["layers"][1]["config"].update(config)
    return model


def with_layer(*args: Any, **config: Any) -> Config:
    return functional(source(8, 9, 3), layer(*args, **config), outputs=[[args[1], 0, 0]])


REFUSED: dict[str, tuple[Config, str]] = {
    "filters": (changed(filters=5), "conv: the model wants filters=5, the arrays have 4"),
    "kernel": (changed(kernel_size=[5, 5]), r"the model wants kernel_size=\[5, 5\]"),
    "activation": (changed(activation="sine"), "conv: activation 'sine' is not understood"),
    "training": (
        with_layer("Dropout", "drop", [to("image", training=True)], rate=0.5),
        "drop: Dropout called with training=True is not understood",
    ),
    "tensor by keyword": (
        with_layer("Add", "add", [to("image", mask=["image", 0, 0])]),
        "add: Add with tensors by keyword is not understood",
    ),
    "axis": (
        with_layer("InstanceNormalization", "norm", [to("image")], axis=1),
        "norm: expected the channels' axis, -1 or 3; got 1",
    ),
    "renorm": (
        with_layer("BatchNormalization", "norm", [to("image")], renorm=True),
        "norm: renorm=True is not understood",
    ),
    "first channels in a function": (
        with_layer(
            "TFOpLambda",
            "shuffle",
            to("image", block_size=2, data_format="NCHW"),
            function="nn.depth_to_space",
        ),
        "shuffle: expected channels last, got 'NCHW'",
    ),
    "an option of a function": (
        with_layer(
            "TFOpLambda",
            "resize",
            to("image", size=[4, 4], antialias=True),
            function="image.resize",
        ),
        "resize: resize with {'antialias': True} is not understood",
    ),
    "no base64": (
        with_layer(
            "TensorFlowOpLayer",
            "op",
            [to("image")],
            node_def={"op": "Relu", "attr": {"mode": {"s": "?"}}},
        ),
        "op: expected base64, got '?'",
    ),
    "no arrays": (
        with_layer("Conv2D", "other", [to("image")]),
        "other: expected an array kernel, got none",
    ),
    "two of a name": (
        functional(source(8, 9, 3), CONV, CONV, outputs=[["conv", 0, 0]]),
        "expected layers of different names",
    ),
    "cycle": (
        functional(
            source(8, 9, 3),
            layer("Flatten", "a", [to("b")]),
            layer("Flatten", "b", [to("a")]),
            outputs=[["a", 0, 0]],
        ),
        "nothing leads to a, b",
    ),
    "nowhere": (
        functional(source(8, 9, 3), layer("Flatten", "a", [to("b")]), outputs=[["a", 0, 0]]),
        r"there are no layers \['b'\]",
    ),
    "no model": ({"class_name": "Conv2D", "config": {}}, "expected a model of class Functional"),
    "subclassed": ({"class_name": "MyModel", "config": {}}, "got 'MyModel'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused_with_a_reason(case: str) -> None:
    model, message = REFUSED[case]
    with pytest.raises(GraphError, match=message):
        keras_graph(model, PLAIN_SHAPES)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, item in items:
        inner = (*path, key)
        found += places(item, inner) if isinstance(item, (dict, list)) else [inner]
    return found


MODELS = (
    PLAIN,
    KERAS1,
    keras3("Multiply", tensor("image"), 2.0, config={"name": "multiply"}),
    REFUSED["no base64"][0],
    REFUSED["an option of a function"][0],
    functional(
        source(8, 9, 3),
        CONV,
        inner_model() | {"inbound_nodes": [[to("conv")]]},
        outputs=[["inner", 1, 0]],
    ),
)
JUNK = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        3,
        10**9,
        0.5,
        "",
        "conv",
        "image",
        [],
        [1],
        [[1], [3]],
        {},
        {"a": {}},
        [[]],
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([(i, place) for i, m in enumerate(MODELS) for place in places(m)]), JUNK)
def test_junk_in_a_configuration_is_an_error_of_ours_or_still_a_model(
    where: tuple[int, tuple[Any, ...]], junk: Any
) -> None:
    index, place = where
    model: Any = copy.deepcopy(MODELS[index])
    inner = model
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    shapes = {"conv": KERNEL, "convolution2d_1": KERNEL, "inner/norm": NORM}
    with contextlib.suppress(GraphError):
        GraphNetwork(keras_graph(model, shapes))
