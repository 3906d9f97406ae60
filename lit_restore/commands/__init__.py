"""The verbs of the command line that need no Trainer, one per file; light until they run."""
