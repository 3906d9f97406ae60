"""Tests of parity.network."""

import torch
from torch import nn

from lit_restore.nn import PartialConv2d, RegionNorm2d
from parity.arrays import draw
from parity.case import compute
from parity.network import Network, draws, from_state, network_case, to_path, to_state


class Little(nn.Module):
    """Every kind of layer that has a rule."""

    in_channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.PReLU(4)
        self.group = nn.GroupNorm(2, 4)
        self.up = nn.ConvTranspose2d(4, 5, 3, bias=False)
        self.dense = nn.Linear(5, 6)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.group(self.act(self.norm(self.conv(image))).relu_())
        return self.dense(self.up(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


LITTLE = Network(Little, (2, 7, 8))
SHAPES = {
    "conv/kernel": (2, 2, 3, 4),
    "conv/bias": (4,),
    "norm/gamma": (4,),
    "norm/beta": (4,),
    "norm/moving_mean": (4,),
    "norm/moving_variance": (4,),
    "act/alpha": (1, 1, 4),
    "group/gamma": (4,),
    "group/beta": (4,),
    "up/kernel": (3, 3, 5, 4),
    "dense/kernel": (5, 6),
    "dense/bias": (6,),
}


def arrays(network: Network = LITTLE) -> dict[str, torch.Tensor]:
    drawn = draw(network.weights(), "some seed")
    image = torch.rand(2, 7, 8, 3, dtype=torch.float64)
    return {"image": image} | {name: torch.tensor(array) for name, array in drawn.items()}


def test_arrays_follow_from_the_modules_in_keras_layout() -> None:
    assert {name: one.shape for name, one in LITTLE.weights().items()} == SHAPES


def test_states_are_not_differentiated_and_all_else_is() -> None:
    constant = {name for name, one in LITTLE.weights().items() if one.kind == "constant"}
    assert constant == {"norm/moving_mean", "norm/moving_variance"}


def test_a_kernel_s_scale_keeps_that_of_the_input() -> None:
    (kernel, _) = dict(draws("x", nn.Conv2d(50, 40, 3, bias=True))).values()
    drawn = torch.tensor(draw({"kernel": kernel}, "seed")["kernel"])
    assert 0.9 < float(drawn.square().sum(dim=(0, 1, 2)).mean()) < 1.1


def test_the_network_runs_with_the_arrays_in_place_of_its_own() -> None:
    t = arrays()
    module = Little().double().eval()
    state = to_state({name: value for name, value in t.items() if "/" in name})
    module.load_state_dict(state, strict=False)
    expected = module(t["image"].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    torch.testing.assert_close(LITTLE(t)["output"], expected, rtol=0, atol=0)


def test_every_weighted_layer_s_output_is_kept_even_if_it_is_overwritten() -> None:
    outputs = LITTLE(arrays())
    assert list(outputs) == ["conv", "norm", "act", "group", "up", "dense", "output"]
    assert outputs["act"].min() < 0  # before relu_()


def test_training_gives_the_states_afterwards_and_leaves_the_given_ones() -> None:
    t = arrays()
    before = t["norm/moving_mean"].clone()
    after = Network(Little, (2, 7, 8), training=True)(t)
    assert not torch.equal(after["after norm/moving_mean"], before)
    assert torch.equal(t["norm/moving_mean"], before)


def test_one_module_can_be_in_the_other_mode() -> None:
    t = arrays()
    flipped = Network(Little, (2, 7, 8), flipped="norm")(t)
    trained = Network(Little, (2, 7, 8), training=True)(t)
    assert torch.equal(flipped["output"], trained["output"])
    assert not torch.equal(flipped["output"], LITTLE(t)["output"])
    assert torch.equal(LITTLE(t)["output"], LITTLE(t)["output"])  # nothing was flipped for good


def test_what_is_not_tapped_still_counts_in_the_output() -> None:
    t = arrays()
    silent = Network(Little, (2, 7, 8), untapped=("act", "up"))
    assert list(silent(t)) == ["conv", "norm", "group", "dense", "output"]
    changed = silent(t | {"up/kernel": t["up/kernel"] * 2})["output"]
    assert not torch.equal(changed, silent(t)["output"])
    case = network_case("little", silent, "models.little", wrong={})
    assert (case.settings or {})["untapped"] == ["act", "up"]
    assert "up/kernel" in case.inputs


def test_a_network_may_give_one_number_for_each_picture() -> None:
    class Scoring(Little):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return super().forward(image).mean(dim=(2, 3))

    assert Network(Scoring, (2, 7, 8))(arrays())["output"].shape == (2, 6)


def test_arrays_come_back_from_a_state_as_they_went() -> None:
    t = {name: value for name, value in arrays().items() if "/" in name}
    back = from_state(to_state(t), t)
    assert all(torch.equal(back[name], t[name]) for name in t)
    assert to_path("a.b/moving_variance") == "a.b.running_var"


def test_a_case_follows_from_the_network() -> None:
    case = network_case("little", LITTLE, "models.little", {}, settings={"width": 5}, null=("x",))
    assert case.name == "model/little"
    assert case.settings == {"model": "models.little", "training": False, "width": 5}
    assert case.inputs["image"].shape == (2, 7, 8, 3)
    assert (case.terms, case.depth, case.null) == (112, 6, ("x",))
    assert "d dense/kernel" in compute(case, case.ours, "float64")


class Masked(nn.Module):
    """A layer that takes a mask, and one that is told of it."""

    in_channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.conv = PartialConv2d(3, 4)
        self.norm = RegionNorm2d(4)

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x, mask = self.conv(image, mask)
        return self.norm(x, mask)


def test_a_network_with_a_mask_is_given_it_and_its_layers_masks_are_compared() -> None:
    network = Network(Masked, (2, 7, 8), masked=True)
    case = network_case("masked", network, "models.none", wrong={})
    shapes = {name: one.shape for name, one in network.weights().items()}
    assert shapes["norm/gamma"] == shapes["norm/beta"] == (4, 2)
    assert shapes["conv/kernel"] == (3, 3, 3, 4)
    found = compute(case, case.ours, "float64")
    assert found["conv mask"].shape == (2, 7, 8, 1)
    assert found["conv"].shape == found["norm"].shape == found["output"].shape == (2, 7, 8, 4)
    assert "d mask" not in found
    assert {"d image", "d conv/bias", "d norm/gamma"} <= found.keys()
    mask = case.arrays("float64")["mask"]
    assert 0 < mask.mean() < found["conv mask"].mean() < 1


class Conditional(nn.Module):
    """A network that takes a second picture, both in signed range."""

    in_channels = 3
    input_range = "signed"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(5, 4, 1)

    def forward(self, image: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([image, condition], dim=1))


def test_a_network_with_a_condition_is_given_it_and_both_pictures_are_differentiated() -> None:
    network = Network(Conditional, (2, 7, 8), condition_channels=2)
    case = network_case("conditional", network, "models.none", wrong={})
    drawn = case.arrays("float64")
    assert drawn["image"].shape == (2, 7, 8, 3)
    assert drawn["condition"].shape == (2, 7, 8, 2)
    assert min(drawn["image"].min(), drawn["condition"].min()) < -0.9
    assert {"d image", "d condition"} <= compute(case, case.ours, "float64").keys()


class Generating(nn.Module):
    """A network that makes pictures of vectors."""

    latent_size = 5

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(5, 3, (4, 4))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return self.conv(latent[:, :, None, None])


def test_a_network_of_vectors_is_given_them_as_they_are() -> None:
    network = Network(Generating, (6,))
    t = {name: torch.ones(one.shape) for name, one in network.inputs().items()}
    assert t["image"].shape == (6, 5)
    assert torch.equal(network.arguments(t)[0], t["image"])
    case = network_case("generating", network, "models.none", wrong={})
    assert compute(case, case.ours, "float64")["output"].shape == (6, 4, 4, 3)
    assert case.terms == 4 * 4 * 5
