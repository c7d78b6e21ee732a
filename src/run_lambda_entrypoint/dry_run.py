"""What a start would set and start, told by names: `--dry-run`."""

from __future__ import annotations

import json
import os
import shlex

from .errors import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .environment import Origin

NARROWEST = 12  # characters of a column that had to give way to the terminal


def report(
    form: str,
    origins: Mapping[str, Origin],
    environ: Mapping[str, str],
    command: list[str],
    *,
    emulated: bool,
) -> str:
    """The variables that would be set and the command that would be started, as "text" or "json"."""
    rows: list[dict[str, str | int]] = [
        {
            "variable": printable(name),
            "bytes": len(origin.value.text.encode()),
            "reference": printable(origin.reference.variable),
            "from": printable(origin.value.source),
            "version": printable(origin.value.version),
            "region": origin.reference.region
            or environ.get("AWS_REGION")
            or environ.get("AWS_DEFAULT_REGION")
            or "",
            "overrides": origin.over,
        }
        for name, origin in origins.items()
    ]
    emulated = emulated and bool(command)
    if form == "json":
        return json.dumps({"variables": rows, "command": command, "emulated": emulated}, indent=2)
    table = _table(rows) if rows else "no variable would be set"
    how = "in the Runtime Interface Emulator" if emulated else "directly"
    return f"{table}\n\nstarted {how}: {printable(shlex.join(command), 4000)}" if command else table


def _table(rows: list[dict[str, str | int]]) -> str:
    """Columns that fit the terminal, and are never cut where there is none. (No colour, anywhere.)"""
    cells = [[name.upper() for name in rows[0]], *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if os.isatty(1):
        room = os.get_terminal_size(1).columns - 2 * (len(widths) - 1)
        while sum(widths) > room and max(widths) > NARROWEST:
            widths[widths.index(max(widths))] -= 1
    return "\n".join("  ".join(map(_cell, row, widths)).rstrip() for row in cells)


def _cell(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"
