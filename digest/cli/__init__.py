"""The `digest` command. Exit codes: 0 done, 1 could not be done, 2 asked for wrongly."""

from digest.cli.main import main

__all__ = ["main"]
