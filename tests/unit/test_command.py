"""The command's file and argv, with and without the emulator; tests/behavior/test_lookup.py has the refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.command import Command, find, resolve
from run_lambda_entrypoint.errors import EntrypointError

if TYPE_CHECKING:
    from pathlib import Path


def program(path: Path) -> str:
    path.write_bytes(b"")
    path.chmod(0o755)
    return str(path)


def fields(command: Command) -> tuple[str, list[str], bool]:
    return command.file, list(command.argv), command.in_emulator


def test_a_word_with_a_slash_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "cmd")
    monkeypatch.chdir(tmp_path)
    assert find("./cmd", "/bin") == "./cmd"


def test_a_link_keeps_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(program(tmp_path / "cmd"))
    assert find("link", str(tmp_path)) == f"{tmp_path}/link"


@pytest.mark.parametrize("path", ["", ":/none", "/none:", "/none::/none", "."])
def test_an_empty_entry_of_path_is_the_working_directory(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "cmd")
    monkeypatch.chdir(tmp_path)
    assert find("cmd", path) == "./cmd"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        *((level, level) for level in ("panic", "fatal", "error", "warn", "warning", "info", "debug", "trace")),
        *(("", "info"), ("DEBUG", "debug"), ("verbose", "info"), ("debug ", "info"), ("--help", "info")),
    ],
)
def test_the_emulator_gets_a_log_level_that_it_accepts(level: str, expected: str) -> None:
    actual = fields(resolve(["/bin/true"], "", "/bin/sh", {"LOG_LEVEL": level}))
    assert actual == ("/bin/sh", ["/bin/sh", "--log-level", expected, "/bin/true"], True)


def test_the_emulator_gets_the_commands_file_and_its_arguments_untouched(tmp_path: Path) -> None:
    file, emulator = program(tmp_path / "cmd"), program(tmp_path / "rie")
    actual = fields(resolve(["cmd", "--", "-m", "", "app.handler"], "", "rie", {"PATH": str(tmp_path)}))
    assert actual == (emulator, ["rie", "--log-level", "info", file, "--", "-m", "", "app.handler"], True)


def test_without_an_emulator_the_command_is_called_by_its_word(tmp_path: Path) -> None:
    file = program(tmp_path / "cmd")
    assert fields(resolve(["cmd", "-x"], "", "", {"PATH": str(tmp_path)})) == (file, ["cmd", "-x"], False)


@pytest.mark.parametrize("emulator", ["", "/no/such/emulator"])
def test_of_no_command_nothing_is_found(emulator: str) -> None:
    assert fields(resolve([], "", emulator, {})) == ("", [], False)


def test_what_an_installed_package_was_started_as_is_refused_as_its_own_wrapper(tmp_path: Path) -> None:
    script = program(tmp_path / "run-lambda-entrypoint")
    with pytest.raises(EntrypointError, match="which is run-lambda-entrypoint itself"):
        resolve(["/bin/true"], script, "", {}, script)
