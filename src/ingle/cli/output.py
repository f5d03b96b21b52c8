"""What the verbs share when they speak: one line for a failure, colour and tables on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ingle.settings import wants_colour

_STYLES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31", "cyan": "36"}


class Failure(Exception):
    """Ends a verb: its text is the one line that is shown. `status` is the exit status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def say(text: str = "") -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line for people on standard error, where it never mixes with what a program reads."""
    print(text, file=sys.stderr, flush=True)


def styled(text: str, style: str) -> str:
    """`text` in a colour when standard output is a terminal that wants one."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if wants_colour(sys.stdout) else text


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output. Not on a terminal: no colour, no wrapping, so that lines can be cut and searched."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colour = wants_colour(sys.stdout)
    shown = Table(box=None, pad_edge=False, header_style="bold" if colour else "")
    for column in columns:
        shown.add_column(column, no_wrap=column != columns[-1])
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else 1000
    console = Console(file=sys.stdout, no_color=not colour, highlight=False, width=width)
    for line in console.render_lines(shown, pad=False):
        text = "".join(segment.text if not colour or segment.style is None else segment.style.render(segment.text)
                       for segment in line)  # fmt: skip
        print(text.rstrip())
