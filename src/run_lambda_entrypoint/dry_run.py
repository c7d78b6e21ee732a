"""What a start would set and start, told by names: `--dry-run`."""

from __future__ import annotations

import json
import os
import shlex
import sys

from .errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .environment import Origin

NARROWEST = 10  # characters of a column that had to give way to the terminal


def report(form: str, origins: Mapping[str, Origin], command: Sequence[str], *, emulated: bool) -> str:
    """The variables that would be set and the command that would be started, as "text" or "json"."""
    rows: list[dict[str, str | int]] = [
        {
            "variable": name,
            "bytes": len(origin.value.text.encode()),
            "reference": origin.reference.variable,
            "from": origin.value.source,
            "version": origin.value.version,
            "region": origin.value.region,
            "overrides": origin.over,
        }
        for name, origin in origins.items()
    ]
    emulated = emulated and bool(command)
    if form == "json":
        return json.dumps({"variables": rows, "command": command, "emulated": emulated}, indent=2)
    table = _table(rows) if rows else "no variable would be set"
    how = "in the Runtime Interface Emulator" if emulated else "directly"
    return f"{table}\n\nstarted {how}: {_whole(shlex.join(command))}" if command else table


def _table(rows: list[dict[str, str | int]]) -> str:
    """Columns that fit the terminal, and are never cut where there is none. (No colour, anywhere.)"""
    cells = [
        [name.upper() for name in rows[0]],
        *([_whole(str(cell)) for cell in row.values()] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    columns = (
        os.get_terminal_size(1).columns if os.isatty(1) else 0
    )  # 0 too where nobody told a terminal its size
    while columns and sum(widths) + 2 * (len(widths) - 1) > columns and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return "\n".join("  ".join(map(_cell, row, widths)).rstrip() for row in cells)


def _cell(text: str, width: int) -> str:
    # The end stays: that is where names and ARNs differ.
    return text.ljust(width) if len(text) <= width else "…" + text[1 - width :]


def _whole(text: str) -> str:
    return printable(text, sys.maxsize)
