"""``lit-restore convert``: carry trained weights from Keras to PyTorch, and back."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_restore.commands._batch import UsageError
from lit_restore.commands._near import guess
from lit_restore.commands._parser import Parser

if TYPE_CHECKING:
    from torch import nn

FAILED = 1
MISSING = 3
_OURS = (".safetensors", ".ckpt")
_MOST_WORDS = 4000  # characters of an error
_REFUSALS = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
_MAPPED = re.compile(r"(?P<name>.+?)=(?P<kind>\w+)\((?P<values>.*)\)")


class ConversionError(Exception):
    """The input cannot be converted, or disagrees with its original; nothing was written."""


class MissingPartError(Exception):
    """Something that the conversion needs is not there."""


def main(argv: Sequence[str]) -> int:
    """Convert the file that the arguments name.

    Args:
        argv: The words after ``lit-restore convert``.

    Returns:
        0 done, 1 the file cannot be converted or failed its verification, 3 it is missing or
        could not be verified. Wrong usage ends in ``SystemExit`` 2.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return _convert(arguments)
    except UsageError as error:
        parser.error(str(error))
    except (ConversionError, OSError) as error:
        sys.stderr.write(f"lit-restore convert: {one_line(error)}\n")
        return FAILED
    except MissingPartError as error:
        sys.stderr.write(f"lit-restore convert: {one_line(error)}\n")
        return MISSING


def one_line(error: object) -> str:
    """Give an error's text on one line of bounded length, for a terminal: files name things."""
    text = " ".join(str(error).split())
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]} ..."


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lit-restore convert",
        description="Turn a Keras file to .safetensors that lit-restore restores with, or back to "
        "the weights of Keras. Nothing in the file is executed.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help=".h5, .keras, .safetensors or .ckpt")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help=".safetensors, .weights.h5 or .h5"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    keras = parser.add_argument_group("of a Keras file with weights alone")
    keras.add_argument("--config", type=Path, metavar="JSON", help="its model (model.to_json())")
    keras.add_argument("--network", metavar="NAME", help="fill this network of lit_restore.models")
    keras.add_argument("--arguments", metavar="JSON", help="of the network's constructor")
    keras.add_argument("--order", choices=("hwio", "oihw"), help="of the kernels of Keras 1")
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="NAME=KIND(VALUE, ...)",
        help="what to take for a Lambda, as lambda_1=DepthToSpace(2)",
    )
    check = parser.add_argument_group("verification")
    check.add_argument("--verify", action="store_true", help="compare with Keras's outputs")
    check.add_argument("--pictures", type=Path, nargs="+", default=[], metavar="FILE")
    check.add_argument("--seed", type=int, default=0, help="of the random inputs (0)")
    return parser


def _convert(arguments: argparse.Namespace) -> int:
    source, out = arguments.input, arguments.out
    back = out.suffix == ".h5"
    _check_usage(arguments, back)
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"--out must not be the input {source}")
    if out.exists() and not arguments.overwrite:
        raise UsageError(f"{out} exists already; --overwrite replaces it")
    if not source.is_file():
        raise MissingPartError(f"{source}: there is no such file")
    _need_h5py()
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _back(source, out) if back else _forth(arguments)
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ConversionError(str(error) or type(error).__name__) from error


def _check_usage(arguments: argparse.Namespace, back: bool) -> None:
    if not back and arguments.out.suffix != ".safetensors":
        raise UsageError(
            f"--out must end in .safetensors, .weights.h5 or .h5, got {arguments.out.name}"
        )
    if back != (arguments.input.suffix in _OURS):
        raise UsageError("one of IN and --out must be Keras's, the other .safetensors (or .ckpt)")
    of_keras = [arguments.config, arguments.network, arguments.order, arguments.arguments]
    if back and (any(of_keras) or arguments.layer or arguments.verify):
        raise UsageError("all options but --overwrite belong to an input of Keras")
    if arguments.network and (arguments.config or arguments.layer or arguments.verify):
        raise UsageError("--config, --layer and --verify belong to a whole model, not to --network")
    if not arguments.network and (arguments.order or arguments.arguments):
        raise UsageError("--order and --arguments belong to --network")


def _need_h5py() -> None:
    import importlib.util

    if importlib.util.find_spec("h5py") is None:
        raise MissingPartError(
            "h5py is missing; install the extra: pip install 'lit-restore[interop]' "
            "('.[interop]' in its repository)"
        )


def _forth(arguments: argparse.Namespace) -> int:
    from lit_restore.checkpoints import save_network
    from lit_restore.commands._verified import file_facts, write_whole_model

    if not arguments.network:
        return write_whole_model(arguments, _mapped_layers(arguments.layer))
    from lit_restore.interop import load_into

    network = _network(arguments.network, arguments.arguments)
    load_into(network, arguments.input, order=arguments.order)
    save_network(network, arguments.out, converted=file_facts(arguments.input))
    sys.stdout.write(f"wrote {arguments.out}: {arguments.network}\n")
    return 0


def _back(source: Path, out: Path) -> int:
    from lit_restore.checkpoints import load_network, read_description
    from lit_restore.interop import GraphNetwork, save_keras_weights
    from lit_restore.interop.return_to_keras import write_keras_graph

    network = load_network(source)
    if isinstance(network, GraphNetwork):
        kept = read_description(source).get("converted")
        write_keras_graph(network, out, kept.get("keras") if isinstance(kept, dict) else None)
    else:
        save_keras_weights(network, out)
    sys.stdout.write(f"wrote {out}\n")
    return 0


def _network(name: str, text: str | None) -> "nn.Module":
    from lit_restore import models

    if name not in models.__all__:
        raise UsageError(
            f"there is no network {name!r}.{guess(name, models.__all__)} "
            f"These are {', '.join(models.__all__)}"
        )
    values = _json(text or "{}", "--arguments")
    if not isinstance(values, dict):
        raise UsageError(f'--arguments must be as {{"in_channels": 3}}, got {text}')
    try:
        network: nn.Module = getattr(models, name)(**values)
    except _REFUSALS as error:
        raise UsageError(f"{name}: {one_line(error)}") from error
    return network


def _mapped_layers(texts: Sequence[str]) -> "dict[str, nn.Module]":
    import torch

    from lit_restore.interop.graph import LAYERS

    layers = {}
    for text in texts:
        found = _MAPPED.fullmatch(text.strip())
        if found is None or found["kind"] not in LAYERS:
            raise UsageError(
                f"--layer must be as lambda_1=DepthToSpace(2), of {', '.join(LAYERS)}; "
                f"got {text[:80]}"
            )
        values = _json(f"[{found['values']}]", "--layer")
        try:
            with torch.device("meta"):  # only the arguments are needed
                layers[found["name"]] = LAYERS[found["kind"]](*values)
        except _REFUSALS as error:
            raise UsageError(f"--layer {text}: {one_line(error)}") from error
    return layers


def _json(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} must hold JSON values, got {text[:80]}: {error}") from error
