"""The command line: one file per command, no logic.

What comes in are arguments; they become a call of the room that does the work, and its answer becomes words on the
terminal. To add a command, write `cli/<command>.py` with a function of its name (or a `typer.Typer` called `app`, for
a command with commands of its own), and add its line to entry.py. Settings come from `house_settings`, a coroutine
runs by `wait_for`.

What must always hold: a command's file imports the rooms it needs inside its functions, so that `--help` stays quick;
an error of ours ends the program with status 1, or 3 where there is no house in the data folder, and says what, where
and what to do, without a traceback; no command makes a house but those meant to.
"""

from broadstreet.cli.entry import main

__all__ = ["main"]
