"""Which file a command names, and the emulator's command line; real files, no process is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.errors import (
    CommandNotExecutableError,
    CommandNotFoundError,
    EnvironmentTooLargeError,
)
from run_lambda_entrypoint.process import check, find, found

if TYPE_CHECKING:
    from collections.abc import Callable


def program(path: Path, mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF")
    path.chmod(mode)
    return str(path)


def test_a_word_with_a_slash_is_the_file_whatever_path_says(tmp_path: Path) -> None:
    file = program(tmp_path / "a/cmd")
    program(tmp_path / "b/cmd")
    actual = find(file, str(tmp_path / "b"))
    assert actual == file


def test_a_relative_word_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin/cmd")
    monkeypatch.chdir(tmp_path)
    actual = find("bin/cmd", None)
    assert actual == "bin/cmd"


def test_the_first_folder_of_path_wins(tmp_path: Path) -> None:
    first, _ = program(tmp_path / "a/cmd"), program(tmp_path / "b/cmd")
    actual = find("cmd", f"{tmp_path}/none:{tmp_path}/a:{tmp_path}/b")
    assert actual == first


def test_a_file_that_is_not_executable_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "a/cmd", 0o644)
    file = program(tmp_path / "b/cmd")
    actual = find("cmd", f"{tmp_path}/a:{tmp_path}/b")
    assert actual == file


def test_a_folder_of_that_name_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a/cmd").mkdir(parents=True)
    file = program(tmp_path / "b/cmd")
    actual = find("cmd", f"{tmp_path}/a:{tmp_path}/b")
    assert actual == file


@pytest.mark.parametrize("path", ["", ":/none", "/none:", "/none::/none", "."])
def test_an_empty_entry_of_path_is_the_working_directory(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "cmd")
    monkeypatch.chdir(tmp_path)
    actual = find("cmd", path)
    assert actual == "./cmd"


def test_without_path_the_c_librarys_default_counts() -> None:
    actual = find("sh", None)
    assert actual == "/bin/sh"


def test_a_link_keeps_its_own_name(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(program(tmp_path / "cmd"))
    actual = find("link", str(tmp_path))
    assert actual == str(link)


def test_a_name_that_is_no_utf_8_is_found(tmp_path: Path) -> None:
    file = program(tmp_path / "cmd\udcff")
    actual = find("cmd\udcff", str(tmp_path))
    assert actual == file


@pytest.mark.parametrize(
    ("word", "path", "expected"),
    [
        ("/none/cmd", "/bin", 'command "/none/cmd" does not exist; copy it into the image, or mend its path'),
        ("cmd-x", "/none:/no", 'command "cmd-x" was not found (PATH is /none:/no); give its absolute path'),
        ("cmd-x", None, 'command "cmd-x" was not found (PATH is not set); give its absolute path'),
        ("", "/bin", 'command "" was not found (PATH is /bin); give its absolute path'),
        ("cmd\n", "/\udc80", r'command "cmd\n" was not found (PATH is /\udc80); give its absolute path'),
    ],
)
def test_a_command_that_is_not_there_is_told(word: str, path: str | None, expected: str) -> None:
    with pytest.raises(CommandNotFoundError) as caught:
        find(word, path)
    assert str(caught.value) == expected


def test_a_dangling_link_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "cmd").symlink_to("none")
    with pytest.raises(CommandNotFoundError):
        find(f"{tmp_path}/cmd", None)


@pytest.mark.parametrize("by_path", [True, False])
def test_a_file_without_permission_is_told(by_path: bool, tmp_path: Path) -> None:
    file = program(tmp_path / "cmd", 0o644)
    with pytest.raises(CommandNotExecutableError) as caught:
        find("cmd" if by_path else file, f"{tmp_path}:/none")
    assert str(caught.value) == f"command: {file} is not executable by this user; chmod 0755 it in the image"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_regular_file_is_told(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "cmd")
    with pytest.raises(CommandNotExecutableError) as caught:
        find(f"{tmp_path}/cmd", None)
    assert (
        str(caught.value)
        == f"command: {tmp_path}/cmd is no program but a folder or a device; name a regular file"
    )


@pytest.mark.parametrize(
    ("log_level", "expected"),
    [
        ("", "info"),
        ("panic", "panic"),
        ("fatal", "fatal"),
        ("error", "error"),
        ("warn", "warn"),
        ("warning", "warning"),
        ("info", "info"),
        ("debug", "debug"),
        ("trace", "trace"),
        ("DEBUG", "debug"),
        ("verbose", "info"),
        ("debug ", "info"),
        ("--help", "info"),
    ],
)
def test_the_emulator_gets_a_log_level_that_it_knows(log_level: str, expected: str) -> None:
    actual = found(["/bin/true"], "/bin/sh", {"LOG_LEVEL": log_level})
    assert actual == ("/bin/sh", ["/bin/sh", "--log-level", expected, "/bin/true"])


def test_the_emulator_gets_the_commands_file_and_its_arguments_untouched(tmp_path: Path) -> None:
    file, emulator = program(tmp_path / "cmd"), program(tmp_path / "rie")
    actual = found(["cmd", "--", "-m", "", "app.handler"], "rie", {"PATH": str(tmp_path)})
    assert actual == (emulator, ["rie", "--log-level", "info", file, "--", "-m", "", "app.handler"])


def test_without_an_emulator_the_command_is_called_by_its_word(tmp_path: Path) -> None:
    file = program(tmp_path / "cmd")
    actual = found(["cmd", "-x"], None, {"PATH": str(tmp_path)})
    assert actual == (file, ["cmd", "-x"])


@pytest.mark.parametrize("emulator", [None, "/no/such/emulator"])
def test_of_no_command_nothing_is_found(emulator: str | None) -> None:
    actual = found([], emulator, {})
    assert actual == ("", [])


def test_a_missing_emulator_is_told() -> None:
    with pytest.raises(CommandNotFoundError) as caught:
        found(["/bin/true"], "/no/rie", {})
    assert str(caught.value) == (
        'emulator (--rie-path) "/no/rie" does not exist; copy it into the image, or mend its path'
    )


def script(path: Path, start: bytes) -> str:
    file = program(path)
    path.write_bytes(start)
    return file


OWN = Path("/proc/self/exe").read_bytes()[:4096]


def linked(loader: bytes | None) -> bytes:
    """The beginning of an ELF program for this machine with that loader, or linked statically; see elf(5)."""
    header = bytearray(OWN[:64])
    header[32:40] = (64).to_bytes(8, sys.byteorder)  # e_phoff
    header[54:58] = b"".join(size.to_bytes(2, sys.byteorder) for size in (56, 2))  # e_phentsize, e_phnum
    other = (1).to_bytes(4, sys.byteorder) + bytes(52)  # PT_LOAD
    words = [64 + 2 * 56, 0, 0, len(loader or b""), 0, 0]
    segment = (
        (3).to_bytes(4, sys.byteorder) + bytes(4) + b"".join(n.to_bytes(8, sys.byteorder) for n in words)
    )
    return bytes(header) + other + (other if loader is None else segment) + (loader or b"")


# Over a quarter of any stack limit.
TOO_LARGE = {f"V{number}".encode(): b"x" * 100_000 for number in range(80)}


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"#!/no/such/interpreter\n", CommandNotFoundError),
        (b"#! /no/such/interpreter -x\n", CommandNotFoundError),
        (b"#!/no/such/interpreter", CommandNotFoundError),
        (b"#!/etc/passwd\n", CommandNotExecutableError),
        (b"#!/etc\n", CommandNotExecutableError),
        (b"#!\n", CommandNotExecutableError),
        (b"#! \t\n", CommandNotExecutableError),
        (b"echo no first line\n", CommandNotExecutableError),
        (b"\x7fELF", CommandNotExecutableError),
        (b"\x7fELF\1" + OWN[5:18] + OWN[18:64], CommandNotExecutableError),  # another word size
        (OWN[:18] + b"\0\0" + OWN[20:64], CommandNotExecutableError),  # another machine
        (linked(b"/no/such/loader\0"), CommandNotFoundError),
        (linked(b"/etc/passwd\0"), CommandNotExecutableError),
        (b"", CommandNotExecutableError),
        (b"MZ\0", CommandNotExecutableError),
    ],
)
def test_the_check_foresees_what_the_kernel_refuses(
    start: bytes, expected: type[Exception], tmp_path: Path
) -> None:
    file = script(tmp_path / "cmd", start)
    with pytest.raises(expected) as caught:
        check(file, ["cmd"], {})
    assert file in str(caught.value)


@pytest.mark.parametrize(
    "start", [b"#!/bin/sh\n", b"#! /bin/sh -eu\n", b"#!/bin/sh", OWN, linked(None), linked(b"/bin/sh\0")]
)
@pytest.mark.parametrize("environ", [{}, {b"A": b"x" * 100_000}])
def test_the_check_is_silent_on_what_can_be_started(
    start: bytes, environ: dict[bytes, bytes], tmp_path: Path
) -> None:
    file = script(tmp_path / "cmd", start)
    check(file, ["cmd", "a"], environ)


@pytest.mark.parametrize("file", ["", "/bin/sh"])
def test_the_check_foresees_an_environment_too_large(file: str) -> None:
    with pytest.raises(EnvironmentTooLargeError):
        check(file, [file] if file else [], TOO_LARGE)


def test_the_check_foresees_arguments_too_large() -> None:
    with pytest.raises(EnvironmentTooLargeError):
        check("/bin/sh", ["sh", *["x" * 100_000] * 80], {})


def test_the_check_of_no_command_is_silent() -> None:
    check("", [], {b"A": b"1"})
