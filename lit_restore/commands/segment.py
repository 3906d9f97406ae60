"""``lit-restore segment``: tell the classes of the pixels of picture files."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_restore.commands._batch import UsageError, add_arguments, find_inputs, plan, run
from lit_restore.commands._kind import check_verb
from lit_restore.commands._parser import Parser
from lit_restore.commands._pictures import add_reading_arguments, read_options
from lit_restore.commands._report import Report
from lit_restore.commands._segment_file import FileSegmenter, Maps, class_table, in_words
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import (
    MissingWeightsError,
    add_weights_arguments,
    load,
    shipped_file,
)

if TYPE_CHECKING:
    from torch import nn

    from lit_restore.inference import Segmenter


def main(argv: Sequence[str]) -> int:
    """Segment the files that the arguments name.

    Args:
        argv: The words after ``lit-restore segment``.

    Returns:
        0 all done, 1 some files failed, 3 the weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    return carry_out(_parser(), argv, _segment)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore segment",
        description="Tell the class of every pixel of pictures with a trained network. Of each a "
        "label image of its size is written as NAME.png: the index of a pixel is its class, and "
        "the palette has the colours of the classes.",
    )
    add_arguments(parser)
    add_weights_arguments(parser)
    parser.add_argument(
        "--overlay", action="store_true",
        help="write NAME_overlay.png, too: the picture with the colours of the classes over it",
    )  # fmt: skip
    parser.add_argument(
        "--probabilities", type=int, nargs="?", const=8, choices=(8, 16), metavar="8|16",
        help="write NAME_CLASS.png, too: how probable each class is, in grey of 8 or 16 bits",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=float, metavar="P",
        help="least probability of the foreground (0.5); of several classes, that of the "
        "likeliest, below which a pixel is background (none)",
    )  # fmt: skip
    parser.add_argument(
        "--tta", nargs="?", const="horizontal", choices=("horizontal", "eightfold"),
        metavar="horizontal|eightfold",
        help="take the mean over the mirror image, or over all 8 ways to turn and mirror",
    )  # fmt: skip
    parser.add_argument(
        "--tile", type=int, metavar="N",
        help="judge squares of N pixels, for less memory (chosen by the picture's size)",
    )  # fmt: skip
    parser.add_argument(
        "--alpha", default="drop", metavar="drop|composite=#rrggbb",
        help="what becomes of transparency",
    )  # fmt: skip
    add_reading_arguments(parser)
    parser.set_defaults(bit_depth="auto", strip_metadata=True)
    return parser


def _segment(arguments: argparse.Namespace) -> int:
    _check(arguments)
    options = read_options(arguments)
    inputs = find_inputs(arguments.inputs, arguments.recursive)
    network = _network(arguments)
    try:
        classes = class_table(network)
    except ValueError as error:
        raise MissingWeightsError(f"{arguments.model or arguments.weights}: {error}") from error
    words = in_words(classes.names) if arguments.probabilities else []
    if words and network.num_classes == 1:
        words = words[1:]
    maps = Maps(arguments.overlay, words, arguments.probabilities or 8)
    jobs = plan(inputs, arguments.out, options, lambda header: ".png", beside=maps.beside)
    report = Report("written", len(jobs), arguments.json)
    segmenter = _segmenter(network, arguments)
    work = FileSegmenter(segmenter, classes, maps, options, arguments.threshold)
    return run(jobs, work, report, arguments.overwrite, lambda: work.tell(report))


def _check(arguments: argparse.Namespace) -> None:
    threshold = arguments.threshold
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"--threshold must be a probability, 0 to 1, got {threshold}")


def _network(arguments: argparse.Namespace) -> "nn.Module":
    network = load(arguments.weights or shipped_file(arguments.model))
    check_verb(network, "segment", arguments.model or arguments.weights)
    return network


def _segmenter(network: "nn.Module", arguments: argparse.Namespace) -> "Segmenter":
    from lit_restore.inference import Segmenter

    if arguments.tta:
        from lit_restore.nn import TTA

        network = TTA(network, kind="segmentation", flips=arguments.tta)
    try:
        return Segmenter(network, arguments.device, arguments.tile)
    except ValueError as error:
        raise UsageError(str(error)) from error
