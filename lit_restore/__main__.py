"""``python -m lit_restore`` is the ``lit-restore`` command."""

import sys

from lit_restore.cli import main

if __name__ == "__main__":
    sys.exit(main())
