"""Networks from graphs in plain values."""

import contextlib
import copy
import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_restore.inference.restorer import Restorer
from lit_restore.interop.graph import LAYERS, DepthToSpace, GraphError, GraphNetwork

CONV = {"in_channels": 3, "out_channels": 3, "kernel_size": [3, 3], "padding": "same"}


def node(name: str, layer: str, inputs: list[str], **arguments: Any) -> dict[str, Any]:
    return {"name": name, "layer": layer, "inputs": inputs, "arguments": arguments}


def graph_of(*nodes: dict[str, Any], outputs: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "inputs": [{"name": "image", "shape": [3, None, None]}],
        "outputs": list(outputs) or [nodes[-1]["name"]],
        "nodes": list(nodes),
    }


GRAPH = graph_of(
    node("conv", "Conv2D", ["image"], **CONV),
    node("pool", "MaxPooling2D", ["conv"]),
    node("again", "Again", ["pool"], node="conv"),
    node("up", "UpSampling2D", ["again"], size=[2, 2], interpolation="bilinear"),
    node("sum", "Add", ["up", "image"]),
    outputs=("sum", "pool"),
)


def test_a_network_is_rebuilt_from_what_json_keeps_of_its_graph() -> None:
    first = GraphNetwork(GRAPH)
    second = GraphNetwork(json.loads(json.dumps(first.graph)))
    second.load_state_dict(first.state_dict())
    image = torch.rand(2, 3, 8, 10)
    for found, expected in zip(second(image), first(image), strict=True):
        assert torch.equal(found, expected)


def test_a_layer_called_again_has_the_same_parameters() -> None:
    network = GraphNetwork(GRAPH)
    assert sorted(network.state_dict()) == ["layers.conv.bias", "layers.conv.weight"]
    conv = network.layer("conv")
    image = torch.rand(1, 3, 6, 6)
    pooled = torch.nn.functional.max_pool2d(conv(image), 2)
    assert torch.equal(network(image)[1], pooled)
    up = torch.nn.functional.interpolate(conv(pooled), scale_factor=2.0, mode="bilinear")
    assert torch.equal(network(image)[0], up + image)


def test_one_output_is_a_tensor() -> None:
    assert isinstance(
        GraphNetwork(graph_of(GRAPH["nodes"][0]))(torch.rand(1, 3, 4, 4)), torch.Tensor
    )


@pytest.mark.parametrize(
    "name", ["keys", "type", "forward", "training", "a.b", "a%2Eb", "a/b", "%"]
)
def test_a_node_may_have_any_name(name: str) -> None:
    network = GraphNetwork(graph_of(node(name, "Conv2D", ["image"], **CONV)))
    assert network(torch.rand(1, 3, 4, 4)).shape == (1, 3, 4, 4)
    assert f"{network.prefix(name)}.weight" in network.state_dict()


def test_names_that_differ_stay_different() -> None:
    names = ["a.b", "a%2Eb", "keys", "keys%"]
    nodes = [node(name, "Conv2D", ["image"], **CONV) for name in names]
    assert len(GraphNetwork(graph_of(*nodes)).state_dict()) == 2 * len(names)


@pytest.mark.parametrize(
    ("nodes", "multiple", "scale"),
    [
        ([node("a", "Conv2D", ["image"], **CONV)], 1, 1),
        ([node("a", "Conv2D", ["image"], **CONV | {"strides": [2, 2]})], 2, 1),
        (
            [
                node("a", "Conv2D", ["image"], **CONV | {"strides": [2, 2]}),
                node("b", "MaxPooling2D", ["a"], pool_size=[3, 3], strides=[2, 2]),
                node("c", "UpSampling2D", ["b"], size=[8, 8]),
            ],
            4,
            2,
        ),
        ([node("a", "SpaceToDepth", ["image"], block_size=3)], 3, 1),
        (
            [
                node("a", "MaxPooling2D", ["image"], pool_size=[2, 1]),
                node("b", "MaxPooling2D", ["image"], pool_size=[1, 3]),
            ],
            6,
            1,
        ),
        ([node("a", "UpSampling2D", ["image"], size=[4, 4])], 1, 4),
        ([node("a", "UpSampling2D", ["image"], size=[4, 2])], 1, 1),
        ([node("a", "Resizing", ["image"], height=8, width=8)], 1, 1),
    ],
)
def test_strides_tell_multiples_and_scale(nodes: list[Any], multiple: int, scale: int) -> None:
    network = GraphNetwork(graph_of(*nodes))
    assert (network.multiple_of, network.scale) == (multiple, scale)
    assert network.in_channels == 3


def test_a_graph_restores_pictures_of_any_size() -> None:
    network = GraphNetwork(
        graph_of(
            node("down", "AveragePooling2D", ["image"]),
            node("up", "UpSampling2D", ["down"], size=[4, 4]),
        )
    )
    picture = torch.full((3, 7, 9), 0.25)
    assert torch.equal(Restorer(network, "cpu")(picture), torch.full((3, 14, 18), 0.25))


def test_in_train_mode_batch_norm_takes_the_batch_and_keeps_biased_statistics() -> None:
    norm = LAYERS["BatchNormalization"](features=3, momentum=0.9, scale=False)
    image = torch.randn(4, 3, 5, 6, dtype=torch.float64)
    found = norm.double().train()(image)
    variance, mean = torch.var_mean(image, (0, 2, 3), correction=0)
    shaped = [value[:, None, None] for value in (mean, variance)]
    torch.testing.assert_close(found, (image - shaped[0]) / (shaped[1] + 1e-3).sqrt())
    torch.testing.assert_close(norm.running_mean, 0.1 * mean)
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * variance)


def test_dropout_is_random_in_train_mode_alone() -> None:
    network = GraphNetwork(graph_of(node("drop", "Dropout", ["image"], rate=0.5)))
    image = torch.ones(1, 3, 8, 8)
    assert torch.equal(network.eval()(image), image)
    assert set(network.train()(image).unique().tolist()) == {0.0, 2.0}


def test_the_slope_at_zero_has_no_gradient_as_in_keras() -> None:
    layer = LAYERS["PReLU"](shape=[3])
    torch.nn.init.constant_(layer.weight, 0.5)
    image = torch.zeros(1, 3, 2, 2, requires_grad=True)
    layer(image).sum().backward()
    assert image.grad is not None
    assert not image.grad.any()


def test_a_constant_map_has_finite_gradients_in_instance_norm() -> None:
    layer = LAYERS["InstanceNormalization"](channels=3)
    image = torch.ones(1, 3, 4, 4, requires_grad=True)
    layer(image).square().sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.rand(1, 4, 8, 8), r"image must have shape \(N, 3, any, any\)"),
        (torch.rand(1, 3), r"image must have shape \(N, 3, any, any\)"),
    ],
)
def test_an_image_of_another_shape_is_refused(image: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphNetwork(GRAPH)(image)


def test_as_many_images_as_inputs_are_wanted() -> None:
    with pytest.raises(ValueError, match="expected 1 images, got 2"):
        GraphNetwork(GRAPH)(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))


def test_a_batch_norm_over_rows_is_refused_rather_than_computed_over_channels() -> None:
    network = GraphNetwork(graph_of(node("a", "BatchNormalization", ["image"], features=3, axis=1)))
    with pytest.raises(ValueError, match="expected the channels' axis, got 1 of 4"):
        network(torch.rand(1, 3, 4, 4))


BROKEN: dict[str, tuple[Any, str]] = {
    "no mapping": ([], "a graph must have inputs, outputs and nodes; got list"),
    "no outputs": ({**GRAPH, "outputs": []}, "there must be an output"),
    "unknown output": ({**GRAPH, "outputs": ["nowhere"]}, r"got \['nowhere'\]"),
    "unknown layer": (graph_of(node("a", "Lambda", ["image"])), "a: expected a layer of Conv2D"),
    "later input": (graph_of(node("a", "Add", ["b"])), r"a: inputs must be named before it"),
    "name twice": (graph_of(node("image", "Flatten", ["image"])), "each used once; got 'image'"),
    "again of nothing": (
        graph_of(node("a", "Again", ["image"], node="b")),
        "expected the name of an earlier node",
    ),
    "unknown argument": (
        graph_of(node("a", "Flatten", ["image"], code="x")),
        "Flatten does not take",
    ),
    "wrong argument": (
        graph_of(node("a", "Conv2D", ["image"], **CONV | {"padding": "causal"})),
        "a: Conv2D: padding must be one of same, valid; got 'causal'",
    ),
    "truth as a number": (
        graph_of(node("a", "DepthToSpace", ["image"], block_size=True)),
        "block_size must be a whole number",
    ),
    "too large a layer": (
        graph_of(node("a", "Conv2D", ["image"], **CONV | {"out_channels": 1 << 40})),
        "out_channels must be a whole number from 1 to 65536",
    ),
    "too large a whole": (
        graph_of(
            node(
                "a",
                "Conv2D",
                ["image"],
                in_channels=60000,
                out_channels=60000,
                kernel_size=[999, 999],
            )
        ),
        r"a: expected 2\*\*28 numbers at most",
    ),
    "not finite": (graph_of(node("a", "LeakyReLU", ["image"], slope=float("nan"))), "finite"),
    "no arguments": (
        {**GRAPH, "nodes": [{"name": "a", "layer": "Flatten", "inputs": ["image"]}]},
        "a node must have name, layer, inputs and arguments",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_graph_is_refused_with_a_reason(case: str) -> None:
    graph, message = BROKEN[case]
    with pytest.raises(GraphError, match=message):
        GraphNetwork(graph)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, item in items:
        inner = (*path, key)
        found += places(item, inner) if isinstance(item, (dict, list)) else [inner]
    return found


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
        "same",
        [],
        [1],
        [[1, 2], [3]],
        {},
        {"node": "up"},
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(places(GRAPH)), JUNK)
def test_junk_in_a_graph_is_an_error_of_ours_or_still_a_graph(
    place: tuple[Any, ...], junk: Any
) -> None:
    graph: Any = copy.deepcopy(GRAPH)
    inner = graph
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    with contextlib.suppress(GraphError):
        GraphNetwork(graph)


def test_every_layer_keeps_its_docstring_and_refuses_junk() -> None:
    for kind, layer in LAYERS.items():
        assert layer.__doc__, kind
        with pytest.raises(GraphError):
            GraphNetwork(graph_of(node("a", kind, ["image"], nonsense=1)))


def test_depth_to_space_is_in_the_order_of_tensorflow() -> None:
    image = torch.arange(4.0).reshape(1, 4, 1, 1)
    assert DepthToSpace(2)(image).tolist() == [[[[0.0, 1.0], [2.0, 3.0]]]]
    blocks = torch.arange(2 * 12 * 2 * 2.0).reshape(2, 12, 2, 2)
    assert torch.equal(LAYERS["SpaceToDepth"](2)(DepthToSpace(2)(blocks)), blocks)


def test_the_module_needs_torch_alone() -> None:
    code = (
        "import sys, lit_restore.interop.graph\n"
        "heavy = {'h5py', 'lightning', 'torchvision', 'tensorflow', 'keras'} & set(sys.modules)\n"
        "raise SystemExit(str(sorted(heavy)) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
