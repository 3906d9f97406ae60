"""Tests of lit_restore.carried."""

from typing import Any

import pytest
from torch import nn

from lit_restore.carried import carry, what_is_carried

COLOURS = [[0, 0, 0], [128, 0, 0], [0, 255, 0]]


class Judge(nn.Module):
    """Tells classes apart."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.num_classes = num_classes


def test_what_was_carried_is_found_again_in_tuples() -> None:
    network = Judge()
    said = {"class_names": ["a", "b", "c"], "class_colours": COLOURS, "working_side": 320}

    carry(network, said | {"direction": None, "other": 3})

    assert what_is_carried(network) == {
        "class_names": ("a", "b", "c"),
        "class_colours": tuple(map(tuple, COLOURS)),
        "working_side": 320,
    }
    assert not hasattr(network, "direction")
    assert not hasattr(network, "other")


def test_one_logit_tells_two_classes_apart() -> None:
    network = Judge(1)
    carry(network, {"class_names": ["background", "foreground"]})
    assert what_is_carried(network) == {"class_names": ("background", "foreground")}


def test_a_network_that_was_given_nothing_carries_nothing() -> None:
    assert what_is_carried(Judge()) == {}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"class_names": ["a", "b"]}, "class_names must be 3 for num_classes 3, got 2"),
        ({"class_colours": COLOURS[:2]}, "class_colours must be 3 for num_classes 3, got 2"),
        ({"class_names": ["a", "b", "b"]}, "names, no two alike"),
        ({"class_names": ["a", "", "b"]}, "names, no two alike"),
        ({"class_names": ["a", 2, "b"]}, "names, no two alike"),
        ({"class_names": "abc"}, "names, no two alike, got abc"),
        ({"class_names": {"a": 0}}, "names, no two alike"),
        ({"class_colours": [0, 1, 2]}, "three levels"),
        ({"class_colours": [[0, 0], [0, 1], [1, 1]]}, "three levels"),
        ({"class_colours": [[0, 0, 256], *COLOURS[1:]]}, "from 0 to 255"),
        ({"class_colours": [[0, 0, 0.5], *COLOURS[1:]]}, "from 0 to 255"),
        ({"class_colours": [[0, 0, True], *COLOURS[1:]]}, "from 0 to 255"),
        ({"working_side": 0}, "number of pixels, at least 1, got 0"),
        ({"working_side": True}, "number of pixels"),
        ({"working_side": "320"}, "number of pixels"),
        ({"direction": ["ab"]}, "direction must be a word"),
    ],
)
def test_what_is_not_plain_or_does_not_fit_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        carry(Judge(), said)


def test_classes_of_a_network_that_has_none_are_refused() -> None:
    with pytest.raises(ValueError, match="Identity tells no classes apart"):
        carry(nn.Identity(), {"class_names": ["a", "b"]})
