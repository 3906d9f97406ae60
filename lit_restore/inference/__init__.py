"""Networks at work on whole pictures; torch only."""

from lit_restore.inference.restorer import Restorer

__all__ = ["Restorer"]
