"""What a dry run foresees of the kernel's refusal, and text that must not reach a terminal as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from run_lambda_entrypoint.command import Command
from run_lambda_entrypoint.environment import Merged, Origin
from run_lambda_entrypoint.errors import (
    COMMAND_NOT_EXECUTABLE,
    COMMAND_NOT_FOUND,
    ENVIRONMENT_TOO_LARGE,
    EntrypointError,
    Kind,
)
from run_lambda_entrypoint.references import PARAMETER, Reference
from run_lambda_entrypoint.reporting.dry_run import check, report
from run_lambda_entrypoint.variables import Value


def program(path: Path, start: bytes) -> str:
    path.write_bytes(start)
    path.chmod(0o755)
    return str(path)


def checked(file: str, *argv: str, **environ: str) -> None:
    check(Command(file, argv, False), Merged(environ, {}, ()))


OWN = Path("/proc/self/exe").read_bytes()[:4096]


def linked(loader: bytes | None) -> bytes:
    """The beginning of an ELF program for this machine with that loader, or linked statically; see elf(5)."""
    header = bytearray(OWN[:64])
    header[32:40] = (64).to_bytes(8, sys.byteorder)  # e_phoff
    header[54:58] = b"".join(size.to_bytes(2, sys.byteorder) for size in (56, 2))  # e_phentsize, e_phnum
    other = (1).to_bytes(4, sys.byteorder) + bytes(52)  # PT_LOAD
    words = [64 + 2 * 56, 0, 0, len(loader or b""), 0, 0]
    segment = (3).to_bytes(4, sys.byteorder) + bytes(4) + b"".join(n.to_bytes(8, sys.byteorder) for n in words)
    return bytes(header) + other + (other if loader is None else segment) + (loader or b"")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        *((start, COMMAND_NOT_FOUND) for start in (b"#!/no/such/one\n", b"#! /no/such/one -x\n", b"#!/no/such/one")),
        (linked(b"/no/such/loader\0"), COMMAND_NOT_FOUND),
        (linked(b"/etc/passwd\0"), COMMAND_NOT_EXECUTABLE),
        *((start, COMMAND_NOT_EXECUTABLE) for start in (b"#!/etc/passwd\n", b"#!/etc\n", b"#!\n", b"#! \t\n")),
        *((start, COMMAND_NOT_EXECUTABLE) for start in (b"echo no shebang line\n", b"\x7fELF", b"", b"MZ\0")),
        (b"\x7fELF\1" + OWN[5:18] + OWN[18:64], COMMAND_NOT_EXECUTABLE),  # another word size
        (OWN[:18] + b"\0\0" + OWN[20:64], COMMAND_NOT_EXECUTABLE),  # another machine
    ],
)
def test_the_check_foresees_what_the_kernel_refuses(start: bytes, kind: Kind, tmp_path: Path) -> None:
    file = program(tmp_path / "cmd", start)
    with pytest.raises(EntrypointError, match=file) as caught:
        checked(file, "cmd")
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    "start", [b"#!/bin/sh\n", b"#! /bin/sh -eu\n", b"#!/bin/sh", OWN, linked(None), linked(b"/bin/sh\0")]
)
@pytest.mark.parametrize("environ", [{}, {"A": "x" * 100_000}])
def test_the_check_is_silent_on_what_can_be_executed(start: bytes, environ: dict[str, str], tmp_path: Path) -> None:
    checked(program(tmp_path / "cmd", start), "cmd", "a", **environ)


MUCH = ["x" * 100_000] * 80  # over a quarter of any stack limit
LARGE = {f"V{number}": text for number, text in enumerate(MUCH)}


@pytest.mark.parametrize(
    ("file", "argv", "environ"),
    [("", [], LARGE), ("/bin/sh", ["sh"], LARGE), ("/bin/sh", ["sh", *MUCH], {})],
    ids=["no command", "environment", "arguments"],
)
def test_the_check_foresees_what_is_too_large(file: str, argv: list[str], environ: dict[str, str]) -> None:
    with pytest.raises(EntrypointError) as caught:
        checked(file, *argv, **environ)
    assert caught.value.kind is ENVIRONMENT_TOO_LARGE


def test_the_check_without_a_command_is_silent() -> None:
    checked("", A="1")


def shown(form: str, name: str, argument: str) -> str:
    origin = Origin(Reference(name, PARAMETER, "/a"), Value("", "/a", "", ""), "")
    return report(form, Command("/bin/true", ["true", argument], False), {name: origin}, [])


@pytest.mark.parametrize("form", ["text", "json"])
def test_control_characters_are_escaped(form: str) -> None:
    assert "\x1b" not in shown(form, "A\x1b[31m", "\x1b")


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_is_truncated_where_there_is_no_terminal(form: str) -> None:
    name, argument = "N" * 1000, "x" * 100_000
    actual = shown(form, name, argument)
    assert (name in actual, argument in actual, "…" in actual) == (True, True, False)


def test_a_table_of_templates_alone_has_no_column_for_regions() -> None:
    origins = {"A": Origin(Reference("LAMBDA_ENV_TEMPLATE_A", PARAMETER, "a"), Value("a", "template", "", ""), "")}
    assert report("text", Command("", (), False), origins, ()).splitlines()[0].split() == [
        *("VARIABLE", "BYTES", "REFERENCE", "SOURCE", "VERSION", "OVERRIDES")
    ]
