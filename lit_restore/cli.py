"""The ``lit-restore`` command: a table of verbs, each in a module of its own.

Nothing heavy is imported before the verb is known, so that ``--help`` and ``--version`` answer
at once.
"""

import difflib
import importlib
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

from lit_restore import __version__
from lit_restore.malloc import keep_freed_memory

USAGE_ERROR = 2
INTERRUPTED = 130
TERMINATED = 143


class Verb(NamedTuple):
    """Where a verb's function lives, and what it does in one line."""

    module: str
    help: str


VERBS = {
    "fit": Verb("lit_restore.training", "train a network by a yaml config"),
    "validate": Verb("lit_restore.training", "measure a checkpoint on the validation pictures"),
    "test": Verb("lit_restore.training", "measure a checkpoint on the test pictures"),
    "predict": Verb("lit_restore.training", "restore the pictures that a config names"),
    "restore": Verb("lit_restore.commands.restore", "restore picture files"),
    "inpaint": Verb("lit_restore.commands.inpaint", "fill holes of picture files"),
    "translate": Verb("lit_restore.commands.translate", "make pictures of one kind into another"),
    "generate": Verb("lit_restore.commands.generate", "make pictures out of noise"),
    "segment": Verb(
        "lit_restore.commands.segment", "tell the classes of the pixels of picture files"
    ),
    "stylize": Verb("lit_restore.commands.stylize", "give a picture the style of others"),
    "evaluate": Verb(
        "lit_restore.commands.evaluate", "measure super-resolution by the papers' protocols"
    ),
    "compare": Verb(
        "lit_restore.commands.compare", "train a config in several arms and seeds, and compare"
    ),
    "convert": Verb(
        "lit_restore.commands.convert", "carry weights from Keras to PyTorch, and back"
    ),
    "degrade": Verb("lit_restore.commands.degrade", "make degraded pictures to try things on"),
    "models": Verb("lit_restore.commands.models", "list the trained networks that are shipped"),
    "demo": Verb("lit_restore.commands.demo", "train and restore on embedded pictures"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: The words after ``lit-restore``; those of this process if None.

    Returns:
        0 all done, 1 some files failed, 2 usage or config, 3 an extra or weights are missing,
        or a conversion could not be verified; 130 interrupted, 143 terminated.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    verb = words[0] if words else "--help"
    if verb in ("-h", "--help", "help"):
        sys.stdout.write(_help())
        return 0
    if verb in ("-V", "--version"):
        sys.stdout.write(f"lit-restore {__version__}\n")
        return 0
    if verb not in VERBS:
        sys.stderr.write(_unknown(verb))
        return USAGE_ERROR
    if argv is None:  # the process is ours: its signals and its memory, too
        signal.signal(signal.SIGTERM, _terminate)
        keep_freed_memory()
    return _run(verb, words)


def _run(verb: str, words: list[str]) -> int:
    module = VERBS[verb].module
    # The Trainer's verbs share one module, which needs to know which of them was asked for.
    arguments = words if module == "lit_restore.training" else words[1:]
    try:
        return int(importlib.import_module(module).main(arguments) or 0)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        return 1


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)


def _help() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items()]
    return "\n".join(
        [
            "usage: lit-restore VERB ...",
            "",
            "Repair and translate pictures with classic networks, and train them.",
            "",
            "verbs:",
            *lines,
            "",
            "lit-restore VERB --help tells a verb's options, lit-restore --version the version.",
            "",
        ]
    )


def _unknown(verb: str) -> str:
    near = difflib.get_close_matches(verb, VERBS, n=1, cutoff=0.4)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return f"lit-restore: there is no verb {verb!r}.{guess} The verbs are: {', '.join(VERBS)}\n"
