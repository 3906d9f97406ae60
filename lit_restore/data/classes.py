"""The classes of label images: what they are called, and which colours show them."""

from collections.abc import Sequence
from dataclasses import dataclass

Colour = tuple[int, int, int]
MAX_CLASSES = 255
IGNORED = 255
IGNORED_COLOUR: Colour = (224, 224, 192)


def _check_colour(colour: Sequence[int]) -> None:
    if len(colour) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in colour):
        raise ValueError(f"a colour must be three whole numbers of 0 to 255, got {colour}")


@dataclass(frozen=True)
class Classes:
    """A table of classes; the place in it is the index of the class, and 0 is the background.

    Args:
        names: Of each class, all different.
        colours: Red, green and blue of each, 0 to 255, all different.

    Raises:
        ValueError: If there are fewer than 2 classes or more than 255 (index 255 stands for pixels
            that are ignored), not as many colours as names, two are alike, or a colour is none.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...]

    def __post_init__(self) -> None:
        """Refuse what is no table."""
        if not 2 <= len(self.names) <= MAX_CLASSES:
            raise ValueError(
                f"2 to {MAX_CLASSES} classes are needed, the background first, got "
                f"{', '.join(self.names) or 'none'}"
            )
        if len(self.colours) != len(self.names):
            raise ValueError(
                f"each class needs a colour, got {len(self.colours)} colours for "
                f"{', '.join(self.names)}"
            )
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"classes must have different names, got {', '.join(self.names)}")
        for colour in self.colours:
            _check_colour(colour)
        if len(set(self.colours)) < len(self.colours):
            raise ValueError(f"classes must have different colours, got {self.colours}")

    def __len__(self) -> int:
        """How many there are, with the background."""
        return len(self.names)


BINARY = Classes(("background", "foreground"), ((0, 0, 0), (255, 255, 255)))


def make_classes(
    names: Sequence[str] | None = None, colours: Sequence[Sequence[int]] | None = None
) -> Classes:
    """Make a table of what is given of it.

    Args:
        names: Of each class; None calls them ``class_0``, ``class_1`` and so on.
        colours: Of each class, as in a config (lists of three numbers); None takes PASCAL VOC's.

    Raises:
        ValueError: If both are None, or the two make no table.
    """
    if names is None and colours is None:
        raise ValueError("names or colours of the classes are needed, got neither")
    if colours is None:
        colours = voc_colours(len(names or ()))
    if names is None:
        names = [f"class_{index}" for index in range(len(colours))]
    return Classes(tuple(names), tuple(as_colour(colour) for colour in colours))


def as_colour(values: Sequence[int]) -> Colour:
    """Take three numbers for a colour.

    Raises:
        ValueError: If they are not three whole numbers of 0 to 255.
    """
    colour = tuple(values)
    _check_colour(colour)
    red, green, blue = colour
    return red, green, blue


def voc_colours(count: int) -> list[Colour]:
    """List the colours of PASCAL VOC's label images: black, (128, 0, 0), (0, 128, 0), ...

    The bits of the index, three by three from the lowest, become bits of red, green and blue, from
    the highest. A palette of 256 of these is what many annotation tools write.

    Source:
        Everingham et al., The PASCAL Visual Object Classes Challenge 2012, development kit.
    """
    return [as_colour([_bits(index, channel) for channel in range(3)]) for index in range(count)]


def _bits(index: int, channel: int) -> int:
    return sum((index >> (3 * place + channel) & 1) << (7 - place) for place in range(3))
