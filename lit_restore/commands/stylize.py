"""``lit-restore stylize``: give a picture the style of others."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_restore.commands._batch import Job, UsageError, run
from lit_restore.commands._near import guess
from lit_restore.commands._parser import Parser
from lit_restore.commands._report import Report
from lit_restore.commands._stylize_file import FileStylist, Settings
from lit_restore.commands._stylize_options import add_arguments, check
from lit_restore.commands._verb import carry_out
from lit_restore.commands._weights import MissingWeightsError

if TYPE_CHECKING:
    from lit_restore.losses import StyleTransferLoss


def main(argv: Sequence[str]) -> int:
    """Give the picture that the arguments name the style of the others.

    Args:
        argv: The words after ``lit-restore stylize``.

    Returns:
        0 done, 1 failed, 3 VGG's weights are missing or broken. Wrong usage ends in
        ``SystemExit`` 2.
    """
    parser = Parser(
        prog="lit-restore stylize",
        description="Give a picture the style of others, by VGG. The result is an 8-bit PNG, "
        "CONTENT+STYLE.png, without transparency and metadata.",
    )
    add_arguments(parser)
    return carry_out(parser, argv, _stylize)


def _stylize(arguments: argparse.Namespace) -> int:
    check(arguments)
    job = _job(arguments)
    loss = _loss(arguments)
    report = Report("stylised", 1, arguments.json)
    work = FileStylist(loss, _settings(arguments), report)
    return run([job], work, report, arguments.overwrite)


def _job(arguments: argparse.Namespace) -> Job:
    """Name the output, which is none of the inputs."""
    from lit_restore.data.images import ImageFileError, read_header

    folder: Path = arguments.out
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out must be a folder, got the file {folder}")
    inputs = [arguments.content, *arguments.styles]
    begins_with_file = arguments.init not in ("content", "noise")
    inputs += [Path(arguments.init)] if begins_with_file else []
    stems = "+".join(path.stem for path in (arguments.content, *arguments.styles))
    output = folder / f"{stems}.png"
    if any(output.exists() and path.exists() and output.samefile(path) for path in inputs):
        raise UsageError(f"{output} is an input, and inputs are never overwritten")
    try:
        headers = [read_header(path) for path in inputs]
    except ImageFileError as error:
        return Job(arguments.content, (), None, str(error))
    return Job(arguments.content, (output,), headers[0])


def _loss(arguments: argparse.Namespace) -> "StyleTransferLoss":
    from lit_restore.interop import VGGWeightsError, load_vgg
    from lit_restore.losses import StyleTransferLoss
    from lit_restore.models.vgg import layer_names

    names = list(layer_names(arguments.vgg))
    wanted = [arguments.content_layer, *arguments.style_layers]
    for name in wanted:
        if name not in names:
            raise UsageError(
                f"VGG{arguments.vgg} has no layer {name!r}.{guess(name, names)} "
                f"Its layers are: {', '.join(names)}"
            )
    last = max(wanted, key=names.index)
    try:
        network = load_vgg(arguments.weights, arguments.vgg, last, arguments.pool)
    except VGGWeightsError as error:
        told = str(error).replace(
            "as the argument weights, where the config has weights: null", "by --weights"
        )
        told = told.replace("or null for", "or, without --weights,")
        if "does not fit" in told or "does not fill" in told or "is not torchvision's" in told:
            told += f" (is it VGG{35 - arguments.vgg}'s? --vgg {35 - arguments.vgg} reads that)"
        raise MissingWeightsError(told) from error
    return StyleTransferLoss(
        network,
        arguments.content_layer,
        arguments.style_layers,
        arguments.content_weight,
        arguments.style_weight,
        arguments.tv_weight,
        normalize=arguments.normalize,
    )


def _settings(arguments: argparse.Namespace) -> Settings:
    from lit_restore.inference._device import find_device

    try:
        device = find_device(arguments.device)
    except ValueError as error:
        raise UsageError(str(error)) from error
    same: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in (
            *("styles", "style_weights", "size", "style_size", "init", "seed", "keep_colour"),
            *("steps", "optimizer", "restart_every", "coarse_to_fine", "preview_every"),
        )
    }
    return Settings(device=device, **same)
