"""Which file a command names, and the emulator's command line; real files, no process is started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.errors import CommandNotExecutableError, CommandNotFoundError
from run_lambda_entrypoint.process import emulated, find

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
    actual = emulated("/rie", log_level, ["/bin/cmd"])
    assert actual == ["/rie", "--log-level", expected, "/bin/cmd"]


def test_the_emulator_gets_the_command_untouched() -> None:
    command = ["/bin/cmd", "--", "-m", "", "app.handler"]
    actual = emulated("/rie", "info", command)
    assert actual == ["/rie", "--log-level", "info", *command]
