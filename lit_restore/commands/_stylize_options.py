"""The options of ``lit-restore stylize``, and what is wrong with them."""

import argparse
from pathlib import Path

from lit_restore.commands._batch import UsageError

_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
_LEAST = {
    "steps": 1,
    "size": 1,
    "style_size": 1,
    "restart_every": 1,
    "preview_every": 1,
    "coarse_to_fine": 0,
    "content_weight": 0,
    "style_weight": 0,
    "tv_weight": 0,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all options."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="what is to be seen")
    parser.add_argument("styles", nargs="+", type=Path, metavar="STYLE", help="in what style")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made if missing")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    _add_picture_arguments(parser)
    _add_loss_arguments(parser)
    _add_step_arguments(parser)


def _add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pictures")
    own = "pixels of the result's longer side (the content's own, 512 at most)"
    group.add_argument("--size", type=int, metavar="N", help=own)
    theirs = "pixels of the styles' longer sides (the result's)"
    group.add_argument("--style-size", type=int, metavar="N", help=theirs)
    group.add_argument(
        "--init", default="content", metavar="content|noise|FILE", help="what to begin with"
    )
    group.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    colour = "take the style of the brightness alone, and keep the content's colours"
    group.add_argument("--keep-colour", "--keep-color", action="store_true", help=colour)


def _add_loss_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument("--vgg", type=int, choices=(16, 19), default=19, help="its depth (19)")
    files = "VGG's, torchvision's .pth or Keras's .h5 (torch's cache, or torchvision's download)"
    group.add_argument("--weights", type=Path, metavar="FILE", help=files)
    group.add_argument("--pool", choices=("max", "average"), default="max", help="of VGG (max)")
    group.add_argument(
        "--content-layer", default="block5_conv2", metavar="LAYER", help="(block5_conv2)"
    )
    first = "(the first convolution of each block)"
    group.add_argument("--style-layers", nargs="+", default=_LAYERS, metavar="LAYER", help=first)
    shares = "share of each STYLE (all alike)"
    group.add_argument("--style-weights", nargs="+", type=float, metavar="W", help=shares)
    group.add_argument("--content-weight", type=float, metavar="W", help="of the content (1)")
    group.add_argument("--style-weight", type=float, metavar="W", help="of the style (10)")
    group.add_argument("--tv-weight", type=float, metavar="W", help="of the roughness (1)")
    group.add_argument(
        "--normalize",
        choices=("relative", "notes", "gatys"),
        default="relative",
        help="what the three are divided by (relative: weights mean the same at every size, and "
        "for every VGG); with the others the weights have other defaults",
    )


def _add_step_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("steps")
    group.add_argument("--steps", type=int, default=200, help="at each size (200)")
    group.add_argument("--optimizer", choices=("lbfgs", "adam"), default="lbfgs", help="(lbfgs)")
    forgets = "let L-BFGS forget its history after N evaluations, as the notes do with 20"
    group.add_argument("--restart-every", type=int, metavar="N", help=forgets)
    doublings = "begin at a size that N doublings lead from, with the steps at each (0)"
    group.add_argument("--coarse-to-fine", type=int, default=0, metavar="N", help=doublings)
    shown = "write CONTENT+STYLE.preview.png every N steps; it goes when the result is there"
    group.add_argument("--preview-every", type=int, metavar="N", help=shown)


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be.

    Raises:
        UsageError: As said.
    """
    for name, least in _LEAST.items():
        value = getattr(arguments, name)
        if value is not None and not least <= value < float("inf"):
            option = name.replace("_", "-")
            raise UsageError(f"--{option} must be at least {least}, got {value}")
    shares, count = arguments.style_weights, len(arguments.styles)
    if shares is not None and (
        len(shares) != count or min(shares) < 0 or not 0 < sum(shares) < float("inf")
    ):
        raise UsageError(
            f"--style-weights must be {count}, one for each STYLE, at least 0 and not all of them "
            f"0, got {' '.join(map(str, shares))}"
        )
    if arguments.restart_every is not None and arguments.optimizer != "lbfgs":
        raise UsageError("--restart-every belongs to --optimizer lbfgs")
