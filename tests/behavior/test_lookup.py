"""Which program is started, and what the report says where none can be."""

import os
from pathlib import Path

import pytest

from tests.harness.entrypoint import Entrypoint, aws, end
from tests.harness.http_server import http_server, secrets
from tests.harness.process import Surroundings


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


ABSENT = "does not exist; copy it into the image, or correct its path"
NOT_FOUND = "was not found (PATH is {}); use its absolute path"
NOT_EXECUTABLE = "is not executable by this user; run chmod 0755 on it in the image"
NO_INTERPRETER = "exists, but its interpreter does not: "
NO_FORMAT = "is not in a format that the kernel can execute (Exec format error): "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of each kind that cannot be executed."""
    script(tmp_path / "not-executable", "#!/bin/sh\n", mode=0o644)
    script(tmp_path / "without-interpreter", "#!/no/such/interpreter\n")
    script(tmp_path / "without-format", "true\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "fifo", 0o777)
    return tmp_path


@pytest.mark.parametrize(
    ("word", "path", "code", "message"),
    [
        ("/no/such/program", "/bin", 127, f'command "/no/such/program" {ABSENT}'),
        ("./no-such-program", "/bin", 127, f'command "./no-such-program" {ABSENT}'),
        ("./dangling", "/bin", 127, f'command "./dangling" {ABSENT}'),
        ("./not-executable/x", "/bin", 127, f'command "./not-executable/x" {ABSENT}'),
        ("./not-executable", "/bin", 126, f"command: ./not-executable {NOT_EXECUTABLE}"),
        ("./folder", "/bin", 126, "command: ./folder is not a regular file"),
        ("./fifo", "/bin", 126, "command: ./fifo is not a regular file"),
        ("./without-interpreter", "/bin", 127, f"./without-interpreter {NO_INTERPRETER}"),
        ("./without-format", "/bin", 126, f"./without-format {NO_FORMAT}"),
        ("no-such-program", "/none:/no", 127, f'command "no-such-program" {NOT_FOUND.format("/none:/no")}'),
        ("", "/bin", 127, f'command "" {NOT_FOUND.format("/bin")}'),
        ("a\n", "/\x1b", 127, r'command "a\n" was not found (PATH is /\x1b)'),
        ("not-executable", "/none:.", 126, f"command: ./not-executable {NOT_EXECUTABLE}"),
        ("folder", ".", 127, f'command "folder" {NOT_FOUND.format(".")}'),
    ],
)
def test_a_command_that_cannot_be_started_ends_with_its_exit_code_and_says_why(
    entrypoint: Entrypoint, folder: Path, word: str, path: str, code: int, message: str
) -> None:
    ended = entrypoint(word, environ={"PATH": path}, surroundings=Surroundings(directory=folder))

    assert (ended.code, ended.out, ended.err.count("\n")) == (code, b"", 1)
    assert ended.err.startswith(f"run-lambda-entrypoint: {message}")


def test_without_path_the_report_says_that_it_is_not_set(entrypoint: Entrypoint) -> None:
    ended = entrypoint("no-such-program", environ={})

    assert (ended.code, "(PATH is not set)" in ended.err) == (127, True)


def test_what_is_not_executable_is_passed_over_for_a_later_folder_of_path(
    entrypoint: Entrypoint, tmp_path: Path
) -> None:
    script(tmp_path / "a/program", "#!/bin/sh\necho a", mode=0o644)
    (tmp_path / "b/program").mkdir(parents=True)
    script(tmp_path / "c/program", "#!/bin/sh\necho c")
    script(tmp_path / "d/program", "#!/bin/sh\necho d")
    path = ":".join(f"{tmp_path}/{folder}" for folder in "xabcd")

    assert entrypoint("program", environ={"PATH": path}) == (0, b"c\n", "")


def test_an_empty_entry_of_path_is_the_working_directory(entrypoint: Entrypoint, tmp_path: Path) -> None:
    script(tmp_path / "program", "#!/bin/sh\necho here")

    ended = entrypoint("program", environ={"PATH": "/nonexistent:"}, surroundings=Surroundings(directory=tmp_path))
    assert ended == (0, b"here\n", "")


def test_without_path_the_default_of_the_c_library_is_searched(entrypoint: Entrypoint) -> None:
    assert entrypoint("true", environ={}) == (0, b"", "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["no-such-program"], 127),
        (["/etc"], 126),
        (["--rie-path", "/no/such/emulator", "true"], 127),
        (["--rie-path", "/bin/true", "no-such-program"], 127),
    ],
)
def test_a_missing_program_is_noticed_before_any_network_call(
    entrypoint: Entrypoint, words: list[str], code: int
) -> None:
    with http_server(secrets({"name": '{"A": "1"}'})) as server:
        ended = entrypoint(*words, environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}))

    assert (ended.code, server.requests) == (code, [])


@pytest.mark.parametrize("emulated", [False, True])
def test_a_path_in_a_secret_is_handed_on_but_does_not_change_which_program_is_started(
    entrypoint: Entrypoint, tmp_path: Path, emulated: bool
) -> None:
    script(tmp_path / "right/program", '#!/bin/sh\necho "right $PATH"')
    script(tmp_path / "trap/program", "#!/bin/sh\necho trapped")
    script(tmp_path / "right/rie", '#!/bin/sh\nshift 2; exec "$@"')
    script(tmp_path / "trap/rie", "#!/bin/sh\necho trapped")
    path = f"{tmp_path}/trap:/bin"
    words = ["--rie-path", "rie", "program"] if emulated else ["program"]

    with http_server(secrets({"name": f'{{"PATH": "{path}"}}'})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, PATH=f"{tmp_path}/right:/usr/bin:/bin")
        ended = entrypoint(*words, environ=environ)

    assert ended == (0, f"right {path}\n".encode(), "")


@pytest.mark.parametrize(("ending", "code"), [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", -9)])
def test_the_commands_own_end_is_ours(entrypoint: Entrypoint, ending: str, code: int) -> None:
    assert entrypoint("sh", "-c", ending) == (code, b"", "")


def test_the_command_is_the_same_process(entrypoint: Entrypoint) -> None:
    with entrypoint.started("sh", "-c", "echo $$") as process:
        assert end(process) == (0, f"{process.pid}\n".encode(), "")


def test_the_command_is_called_by_the_word_that_named_it(entrypoint: Entrypoint) -> None:
    assert entrypoint("cat", "/proc/self/cmdline").out == b"cat\0/proc/self/cmdline\0"


@pytest.mark.archive_only("has no shebang line")
@pytest.mark.skipif(
    not os.access("/usr/bin/python3", os.X_OK), reason="no /usr/bin/python3, which the shebang line names"
)
def test_the_archive_is_a_program_by_its_shebang_line(entrypoint: Entrypoint) -> None:
    assert entrypoint.archive.read_bytes().startswith(b"#!/usr/bin/python3 -ISBc")
