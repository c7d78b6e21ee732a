"""What a damaged archive says, in whose words: each is in docs/errors.md, and no command is started."""

from __future__ import annotations

import io
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import with_interpreter
from tests.harness.pages import quoted, table
from tests.harness.process import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.entrypoint import Entrypoint

pytestmark = pytest.mark.archive_only("the executable is no archive that Python reads")

HEADING = "## The file does not start"
ROWS = table((Path(__file__).parents[2] / "docs/errors.md").read_text(), HEADING)
EXPLAINED = [
    [part.strip() for part in text.split("…") if part.strip()] for message, _ in ROWS for text in quoted(message)
]
"""The messages in the table, each with what is between the ellipses."""
[SYNTAX_ERRORS] = [
    [text.strip("… ") for text in quoted(meaning.partition("After `SyntaxError:`")[2])]
    for message, meaning in ROWS
    if "`SyntaxError`" in message
]


def repacked(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            written.writestr(name, read.read(name))
    return made.getvalue()


def with_line(line: bytes) -> Callable[[bytes], bytes]:
    """Another shebang line, and the line breaks of Windows."""
    return lambda content: (line + b"\n" + content.partition(b"\n")[2]).replace(b"\n", b"\r\n")


PYTHON = sys.executable.encode()
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "CRLF after options": with_line(b"#!" + PYTHON + b" -ISB"),
    "CRLF after no option": with_line(b"#!" + PYTHON),
    "CRLF after env": with_line(b"#!/usr/bin/env python3"),
    "CRLF after env with options": with_line(b"#!/usr/bin/env -S " + PYTHON + b" -ISB"),
    "empty": lambda _: b"",
    "truncated in its first line": lambda content: content[:100],
    "truncated in its first entry": lambda content: content[:1000],
    "truncated": lambda content: content[:100_000],
    "repacked": repacked,
    "repacked behind its shebang line": lambda content: content.partition(b"\n")[0] + b"\n" + repacked(content),
    "page": lambda _: b"<!DOCTYPE html>\n<html><title>404</title></html>\n",
    "LFS pointer": lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3128416\n",
}


def words(file: Path, before: list[str]) -> tuple[int, str]:
    """The status, and all that a start prints, or what Docker makes of the kernel's refusal."""
    try:
        ended = run([*before, file, "/bin/echo", "started"])
    except OSError as error:
        return 126, f"exec /run-lambda-entrypoint.pyz: {error.strerror}"
    return ended.status, (ended.stdout + ended.stderr).decode()


def is_explained(text: str) -> bool:
    _, named, problem = text.partition("SyntaxError: ")
    if named:
        return problem.startswith(tuple(SYNTAX_ERRORS))
    return any(all(part.lower() in text.lower() for part in parts) for parts in EXPLAINED)


STARTED = (0, "started\n")
SILENT = [(125, ""), (0, "")]
"""What the page explains without a text: of the shebang line, and of Python for a file that is empty."""


@pytest.mark.parametrize("before", [[], [sys.executable]], ids=["itself", "python3"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_a_damaged_archive_ends_with_is_explained(
    entrypoint: Entrypoint, tmp_path: Path, damage: str, before: list[str]
) -> None:
    if "env" in damage and not shutil.which("env", path="/usr/bin"):
        pytest.skip("no /usr/bin/env")
    file = with_interpreter(entrypoint.archive, sys.executable, tmp_path / "archive")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    ended = words(file, before)
    # The same archive to zipimport; and to its own first entry, if the places of the others have not changed.
    if "repacked" not in damage or ended != STARTED:
        assert ended in SILENT or (ended[0] != 0 and is_explained(ended[1])), ended
        assert "started" not in ended[1]


def test_a_silent_125_is_explained() -> None:
    assert any("**125 without any line**" in meaning for _, meaning in ROWS)
