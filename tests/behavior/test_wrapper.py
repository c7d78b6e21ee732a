"""LAMBDA_ENV_EXEC_WRAPPER: another wrapper between the entrypoint and the command."""

import json
import os
import shlex
from pathlib import Path

import pytest

from tests.harness.entrypoint import PLAIN, Ended, Entrypoint, aws
from tests.harness.http_server import http_server, secrets

VARIABLE = "LAMBDA_ENV_EXEC_WRAPPER"
ROLE = f"wrapper ({VARIABLE})"
IN_LAMBDA = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
PRINT_ARGUMENTS = """#!/bin/sh\nprintf '%s\\0' "$@"\n"""


def script(path: Path, text: str = PRINT_ARGUMENTS, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def arguments(ended: Ended) -> list[str]:
    assert (ended.code, ended.err) == (0, "")
    return ended.out.decode().split("\0")[:-1]


@pytest.fixture
def wrapper(tmp_path: Path) -> str:
    """A wrapper that prints its arguments."""
    return str(script(tmp_path / "wrapper"))


@pytest.mark.parametrize("where", [{}, IN_LAMBDA], ids=["outside Lambda", "in Lambda"])
def test_the_wrapper_gets_the_command_as_it_was_found_and_its_arguments(
    entrypoint: Entrypoint, wrapper: str, where: dict[str, str]
) -> None:
    environ = {"PATH": "/none:/bin", VARIABLE: wrapper, **where}

    ended = entrypoint("--", "echo", "-n", "--", "--timeout", "é", environ=environ)
    assert arguments(ended) == ["/bin/echo", "-n", "--", "--timeout", "é"]


def test_the_wrapper_is_called_by_its_path(entrypoint: Entrypoint, tmp_path: Path) -> None:
    command = script(tmp_path / "command", "cat /proc/$$/cmdline")
    ended = entrypoint(str(command), environ={**PLAIN, VARIABLE: "/bin/sh"})

    assert ended == (0, f"/bin/sh\0{command}\0".encode(), "")


def test_the_wrapper_is_the_same_process(entrypoint: Entrypoint, tmp_path: Path) -> None:
    pid = script(tmp_path / "pid", '#!/bin/sh\nprintf "$$ "; exec "$@"\n')
    with entrypoint.started("sh", "-c", "printf $$", environ={**PLAIN, VARIABLE: str(pid)}) as process:
        out, _ = process.communicate(timeout=60)

        assert out == f"{process.pid} {process.pid}".encode()


def test_the_emulator_comes_before_the_wrapper(entrypoint: Entrypoint, wrapper: str, tmp_path: Path) -> None:
    emulator = script(tmp_path / "rie")
    environ = {"PATH": "/bin", VARIABLE: wrapper}

    ended = entrypoint("--rie-path", str(emulator), "echo", "a", environ=environ)
    assert arguments(ended) == ["--log-level", "info", wrapper, "/bin/echo", "a"]


def test_in_lambda_the_emulator_is_ignored_and_the_wrapper_is_not(entrypoint: Entrypoint, wrapper: str) -> None:
    ended = entrypoint("--rie-path", "/none", "/bin/echo", "a", environ={VARIABLE: wrapper, **IN_LAMBDA})

    assert arguments(ended) == ["/bin/echo", "a"]


def test_wrapper_and_command_get_the_secrets(entrypoint: Entrypoint, tmp_path: Path) -> None:
    reads = script(tmp_path / "reads", '#!/bin/sh\necho "wrapper: $KEY"; exec "$@"\n')
    with http_server(secrets({"name": '{"KEY": "value"}'})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name", VARIABLE: str(reads)})
        ended = entrypoint("sh", "-c", 'echo "command: $KEY"', environ=environ)

    assert ended == (0, b"wrapper: value\ncommand: value\n", "")


def test_in_a_secret_the_name_is_that_of_an_ordinary_variable(
    entrypoint: Entrypoint, wrapper: str, tmp_path: Path
) -> None:
    trap = script(tmp_path / "trap", "#!/bin/sh\necho trapped\n")
    with http_server(secrets({"name": json.dumps({VARIABLE: str(trap)})})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"})
        without = entrypoint("printenv", VARIABLE, environ=environ)
        with_another = entrypoint("printenv", VARIABLE, environ={**environ, VARIABLE: "/usr/bin/env"})

    assert (without, with_another) == ((0, f"{trap}\n".encode(), ""), (0, f"{trap}\n".encode(), ""))


@pytest.mark.parametrize("value", ["", " \t"])
def test_an_empty_variable_is_no_wrapper(entrypoint: Entrypoint, value: str) -> None:
    assert entrypoint("echo", "a", environ={**PLAIN, VARIABLE: value}) == (0, b"a\n", "")


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("none", 127, f'{ROLE} "{{}}" does not exist; add the layer that contains it, or correct its path'),
        ("not-executable", 126, f"{ROLE}: {{}} is not executable by this user; run chmod 0755 on it in the image"),
        ("folder", 126, f"{ROLE}: {{}} is not a regular file"),
    ],
)
@pytest.mark.parametrize("words", [["true"], ["--dry-run"], ["--dry-run", "true"]], ids=str)
def test_a_wrapper_that_cannot_be_executed_ends_the_start_before_any_call(
    entrypoint: Entrypoint, tmp_path: Path, kind: str, code: int, message: str, words: list[str]
) -> None:
    script(tmp_path / "not-executable", mode=0o644)
    (tmp_path / "folder").mkdir()
    path = f"{tmp_path}/{kind}"
    with http_server(secrets({"name": '{"A": "1"}'})) as server:
        ended = entrypoint(*words, environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name", VARIABLE: path}))

    assert (ended, server.requests) == ((code, b"", f"run-lambda-entrypoint: {message.format(path)}\n"), [])


@pytest.mark.parametrize("path", ["wrapper", "./wrapper", "opt/wrapper"])
def test_a_relative_path_is_refused(entrypoint: Entrypoint, path: str) -> None:
    ended = entrypoint("true", environ={**PLAIN, VARIABLE: path})

    message = f'run-lambda-entrypoint: LAMBDA_ENV_EXEC_WRAPPER is "{path}"; must be an absolute path\n'
    assert ended == (125, b"", message)


@pytest.mark.parametrize("kind", ["itself", "symbolic link", "hard link"])
def test_the_entrypoint_is_refused_as_its_own_wrapper(entrypoint: Entrypoint, tmp_path: Path, kind: str) -> None:
    path = {"itself": entrypoint.archive}.get(kind, tmp_path / "link")
    if kind == "symbolic link":
        path.symlink_to(entrypoint.archive)
    if kind == "hard link":
        # Of a copy: the file may be on another file system.
        own = tmp_path / "own"
        own.write_bytes(entrypoint.archive.read_bytes())
        own.chmod(0o755)
        os.link(own, path)
        entrypoint = Entrypoint(own)
    ended = entrypoint("true", environ={**PLAIN, VARIABLE: str(path)})

    reason = f'{VARIABLE} is "{path}", which is run-lambda-entrypoint itself: it would start itself forever'
    assert (ended.code, ended.err.partition("; ")[0]) == (125, f"run-lambda-entrypoint: {reason}")


def test_a_wrapper_whose_interpreter_is_missing_is_reported_by_name(entrypoint: Entrypoint, tmp_path: Path) -> None:
    broken = script(tmp_path / "broken", "#!/no/such/interpreter\n")
    ended = entrypoint("true", environ={**PLAIN, VARIABLE: str(broken)})

    assert (ended.code, ended.err.partition(": the program")[0]) == (
        127,
        f"run-lambda-entrypoint: {broken} exists, but its interpreter does not",
    )


def test_the_dry_run_shows_the_wrapper(entrypoint: Entrypoint, wrapper: str) -> None:
    ended = entrypoint("--dry-run", "echo", "a b", environ={"PATH": "/bin", VARIABLE: wrapper})

    assert ended.out.decode().splitlines()[-1] == f"would start: {shlex.join([wrapper, '/bin/echo', 'a b'])}"
