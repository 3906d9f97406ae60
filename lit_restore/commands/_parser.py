"""A parser of command lines that says what is wrong in one line."""

import argparse
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """argparse's, which would print its usage above each error."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and end with status 2."""
        sys.stderr.write(f"{self.prog}: {message}\n")
        sys.exit(2)
