"""What a start would set and execute, by names: `--dry-run`."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
from contextlib import suppress

from .. import command as commands
from .. import environment
from ..text import encode, printable
from . import standard_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..command import Command
    from ..environment import Merged, Origin
    from ..errors import EntrypointError

OWN = "the function's own"
# What gives way to a narrow terminal, one after the other: a column, and how many characters are left of it. 0: it is
# left out.
NARROWED = (
    ("VERSION", 7),
    ("REFERENCE", 10),
    ("OVERRIDES", len(OWN)),
    ("SOURCE", 20),
    ("VERSION", 0),
    ("SOURCE", 10),
    ("REFERENCE", 0),
)
HEAD_SIZE = 4096  # bytes that contain a script's shebang line, or an ELF program's headers and its loader's name
ELF, PT_INTERP = b"\x7fELF", 3
WORD_SIZE, MACHINE = slice(4, 5), slice(18, 20)  # of an ELF program: EI_CLASS, e_machine

Row = dict[str, "str | int"]


def show(form: str, command: Command, merged: Merged, notes: Sequence[str]) -> None:
    """Prints what would be set and executed, as "text" or "json". Raises EntrypointError where a start would."""
    check(command, merged)
    standard_output.write(report(form, command, merged.origins, notes) + "\n")


def show_problems(reports: Sequence[EntrypointError]) -> None:
    """Prints all of them as JSON: standard error has the first ones only."""
    problems = [{"message": str(report), **report.fields()} for report in reports]
    standard_output.write(json.dumps({"problems": problems}, indent=2) + "\n")


def report(form: str, command: Command, origins: Mapping[str, Origin], notes: Sequence[str]) -> str:
    """The variables that would be set, what is worth knowing about them, and the command that would be executed;
    docs/errors.md lists the names in the JSON."""
    rows = [_row(name, origin) for name, origin in origins.items()]
    if form == "json":
        whole = {"variables": rows, "notes": notes, "command": list(command.argv), "inEmulator": command.in_emulator}
        return json.dumps(whole, indent=2)
    regions = {str(row["region"]) for row in rows} - {""}  # a template has none
    region = "".join(regions) if len(regions) == 1 else ""
    if len(regions) <= 1:  # of all rows: a line instead of a column
        rows = [{name: cell for name, cell in row.items() if name != "region"} for row in rows]
    where = " in the Runtime Interface Emulator" if command.in_emulator else ""
    parts = [
        _table(rows) if rows else "no variable would be set",
        "\n".join([*([f"Region: {_whole(region)}"] if region else []), *notes]),
        f"would start{where}: {_whole(shlex.join(command.argv))}" if command.argv else "",
    ]
    return "\n\n".join(filter(None, parts))


def _row(name: str, origin: Origin) -> Row:
    return {
        "variable": name,
        "bytes": len(encode(origin.value.text)),
        "reference": origin.reference.variable,
        "source": origin.value.source,
        "version": origin.value.version,
        "region": origin.value.region,
        "overrides": origin.overrides,
    }


def _table(rows: list[Row]) -> str:
    """Columns that fit the terminal, and are never truncated where there is none; a line for each cell where not even
    truncated columns fit. (No color, anywhere.)"""
    lines = [{name.upper(): _shown(name, cell) for name, cell in row.items()} for row in rows]
    lines.insert(0, {name: name for name in lines[0]})
    widths = {name: max(len(line[name]) for line in lines) for name in lines[0]}
    # Also 0 if the terminal's size is unknown.
    columns = os.get_terminal_size(1).columns if os.isatty(1) else 0
    for name, least in NARROWED:
        excess = _width(widths) - columns
        if not columns or excess <= 0:
            break
        if least:
            widths[name] = max(min(widths[name], least), widths[name] - excess)
        else:
            del widths[name]
    if columns and _width(widths) > columns:
        return "\n\n".join("\n".join(f"{name:<11}{cell}" for name, cell in line.items() if cell) for line in lines[1:])
    return "\n".join("  ".join(_cell(line[name], width) for name, width in widths.items()).rstrip() for line in lines)


def _width(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)


def _shown(name: str, cell: str | int) -> str:
    own = name == "overrides" and cell == environment.CONFIGURATION
    return OWN if own else _whole(str(cell))


def _cell(text: str, width: int) -> str:
    # The end stays: that is where names and ARNs differ.
    return text.ljust(width) if len(text) <= width else "…" + text[1 - width :]


def _whole(text: str) -> str:
    return printable(text, sys.maxsize)


def check(command: Command, merged: Merged) -> None:
    """Raises what `command.become` would, without executing anything. Without a command only the size of the
    environment is checked."""
    file = encode(command.file)
    if file and os.access(file, os.R_OK):
        error = _format_error(_head(file), _own_head())
        if error:
            raise commands.refused(command.file, OSError(error, os.strerror(error)), merged)
    argv = list(map(encode, command.argv)) or [b"nothing"]
    try:
        # The kernel counts arguments and environment before it looks at the format, which nothing knows of this file.
        nothing = os.memfd_create("nothing")
        os.write(nothing, b"nothing")
        os.execve(nothing, argv, environment.encoded(merged.environ))
    except AttributeError:  # no memfd_create: a C library before glibc 2.27
        return
    except OSError as refusal:
        if refusal.errno == errno.E2BIG:
            raise commands.refused(command.file, refusal, merged) from None


def _head(file: str | bytes) -> bytes:
    with open(file, "rb") as program:
        return program.read(HEAD_SIZE)


def _own_head() -> bytes:
    """The beginning of the program that runs this, b"" if that is unknown."""
    for file in ("/proc/self/exe", sys.executable):  # the latter where /proc is not mounted
        with suppress(OSError):
            head = _head(file)
            if head.startswith(ELF):  # and is not a script that has started it
                return head
    return b""


def _format_error(head: bytes, own: bytes) -> int:
    """The errno with which the kernel would refuse a program that begins with `head`, or 0. `own` is the beginning of a
    program that it does run: ours, or b""."""
    interpreter = _interpreter(head, own)
    if interpreter is None:
        return errno.ENOEXEC
    if interpreter and not os.path.exists(interpreter):
        return errno.ENOENT
    if interpreter and not (os.path.isfile(interpreter) and os.access(interpreter, os.X_OK)):
        return errno.EACCES
    return 0


def _interpreter(head: bytes, own: bytes) -> bytes | None:
    """What must exist for a program that begins with `head` to run, b"" for nothing; None for a format that the kernel
    does not run (see elf(5) for the offsets)."""
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].split()
        return words[0] if words else None
    if not head.startswith(ELF) or (own and any(head[place] != own[place] for place in (WORD_SIZE, MACHINE))):
        return None

    def number(offset: int, size: int) -> int:
        return int.from_bytes(head[offset : offset + size], sys.byteorder)

    for segment in range(number(56, 2)):
        offset = number(32, 8) + segment * number(54, 2)
        if number(offset, 4) == PT_INTERP:
            start = number(offset + 8, 8)
            return head[start : start + number(offset + 32, 8)].rstrip(b"\0")
    return b""
