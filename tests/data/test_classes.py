"""Tests of lit_restore.data.classes."""

import pytest

from lit_restore.data import BINARY, Classes, make_classes, voc_colours

BLACK, RED, GREEN = (0, 0, 0), (128, 0, 0), (0, 128, 0)


@pytest.mark.parametrize(
    ("names", "colours", "told"),
    [
        (("a",), (BLACK,), "2 to 255 classes are needed, the background first, got a"),
        ((), (), "2 to 255 classes are needed, the background first, got none"),
        (("a", "b"), (BLACK,), "each class needs a colour, got 1 colours for a, b"),
        (("a", "a"), (BLACK, RED), "different names, got a, a"),
        (("a", "b"), (RED, RED), "different colours"),
        (("a", "b"), (BLACK, (0, 0, 256)), r"whole numbers of 0 to 255, got \(0, 0, 256\)"),
        (("a", "b"), (BLACK, (0, 0)), r"three whole numbers of 0 to 255, got \(0, 0\)"),
    ],
)
def test_what_is_no_table_is_refused(names: tuple[str, ...], colours: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Classes(names, colours)  # type: ignore[arg-type]


def test_a_table_has_as_many_classes_as_255_leaves_for_what_is_ignored() -> None:
    assert len(make_classes(None, voc_colours(255))) == 255
    with pytest.raises(ValueError, match="2 to 255 classes"):
        make_classes(None, voc_colours(256))


def test_what_is_not_given_of_a_table_is_made_up() -> None:
    assert make_classes(None, [[0, 0, 0], [1, 2, 3]]) == Classes(
        ("class_0", "class_1"), ((0, 0, 0), (1, 2, 3))
    )
    assert make_classes(["a", "b", "c"]) == Classes(("a", "b", "c"), (BLACK, RED, GREEN))
    assert BINARY.names == ("background", "foreground")
    with pytest.raises(ValueError, match="names or colours of the classes are needed"):
        make_classes()


def test_the_colours_of_voc_are_those_of_its_palette() -> None:
    """The first ones, and a few further ones, as the development kit lists them."""
    colours = voc_colours(256)

    assert colours[:5] == [BLACK, RED, GREEN, (128, 128, 0), (0, 0, 128)]
    assert colours[8] == (64, 0, 0)
    assert colours[15] == (192, 128, 128)  # a person
    assert colours[20] == (0, 64, 128)  # a screen
    assert colours[255] == (224, 224, 192)  # void
    assert len(set(colours)) == 256
