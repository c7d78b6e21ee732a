"""Little memory, few descriptors: it starts with all secrets, or says why not in a line, with its exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import Entrypoint, aws, is_executable, shell
from tests.harness.http_server import by_length, error, http_server, secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.entrypoint import Ended, Words
    from tests.harness.http_server import Server

NAMES = [f"name{index:02}" for index in range(20)]
REFERENCES = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{name}": name for name in NAMES}
WELL = secrets({name: f'{{"{name}": "value"}}' for name in NAMES})
DENIED = error(400, "AccessDeniedException", "no")
LINE = re.compile(r"run-lambda-entrypoint: (?!internal error|cannot start: ).*")
COMMAND = ("sh", "-c", "exit 3")


@pytest.fixture
def runtime_api() -> Iterator[Server]:
    with http_server(lambda _: by_length(b"", 202)) as server:
        yield server


def limited(**limits: int) -> Words:
    """Words before a command that set its limits (prlimit(1))."""
    return ["/usr/bin/prlimit", *(f"--{name}={limit}" for name, limit in limits.items())]


def surprises(ended: Ended) -> list[str]:
    """What on standard error is not a report of ours."""
    return [line for line in ended.err.splitlines() if not LINE.fullmatch(line)]


# -- Descriptors


@pytest.mark.parametrize("limit", [8, 10, 16])
def test_with_few_descriptors_fewer_secrets_are_requested_at_once(
    entrypoint: Entrypoint, transport: str, limit: int
) -> None:
    with http_server(WELL) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("cat", "/proc/self/environ", environ=environ, before=limited(nofile=limit))
    assert (ended.code, ended.err) == (0, "")
    assert [name for name in NAMES if ended.environ.get(name) != "value"] == []


def test_where_most_descriptors_are_taken_a_connection_waits_for_another(entrypoint: Entrypoint) -> None:
    taken = " ".join(f"{number}</dev/null" for number in range(3, 10))
    with http_server(WELL) as server:
        before = [*limited(nofile=14), *shell(f"exec {taken}")]
        ended = entrypoint("cat", "/proc/self/environ", environ=aws(server.url, REFERENCES), before=before)
    assert (ended.code, ended.err) == (0, "")
    assert [name for name in NAMES if ended.environ.get(name) != "value"] == []


def test_a_failure_with_few_descriptors_is_reported_to_lambda_too(
    entrypoint: Entrypoint, transport: str, runtime_api: Server
) -> None:
    with http_server(lambda _: DENIED) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport)
        environ["AWS_LAMBDA_RUNTIME_API"] = runtime_api.address
        ended = entrypoint(*COMMAND, environ=environ, before=limited(nofile=10))
    assert (ended.code, surprises(ended), len(runtime_api.requests)) == (125, [], 1)


def test_without_descriptors_the_limit_is_named(entrypoint: Entrypoint, transport: str) -> None:
    left = 0 if is_executable(entrypoint.archive) else 1  # for the archive
    taken = " ".join(f"{number}</dev/null" for number in range(3, 10 - left))
    with http_server(WELL) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_TIMEOUT_SECONDS="6")
        ended = entrypoint(*COMMAND, environ=environ, before=[*limited(nofile=10), *shell(f"exec {taken}")])
    # One is enough where each call finds the connection of the one before.
    if left and transport == "direct" and ended == (3, b"", ""):
        return
    assert (ended.code, surprises(ended)) == (125, [])
    assert "raise the limit of open files (ulimit -n)" in ended.err


# -- Memory


@pytest.mark.parametrize("megabytes", [30, 35, 40, 45, 50, 55, 60, 65, 70, 80, 120])
@pytest.mark.parametrize(("command", "code"), [(COMMAND, 125), (("nosuch",), 127)], ids=["denied", "missing"])
def test_with_little_memory_the_exit_code_holds(
    entrypoint: Entrypoint, runtime_api: Server, command: tuple[str, ...], code: int, megabytes: int
) -> None:
    with http_server(lambda _: DENIED) as server:
        environ = aws(server.url, REFERENCES, AWS_LAMBDA_RUNTIME_API=runtime_api.address)
        ended = entrypoint(*command, environ=environ, before=limited(**{"as": megabytes * 1_000_000}))
    assert (ended.code, surprises(ended)) == (code, [])
