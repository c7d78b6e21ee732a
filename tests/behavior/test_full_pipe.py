"""Nobody reads standard error, or not at once: that keeps nothing from ending, and loses nothing that is read."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.errors import MAX_PROBLEMS
from tests.harness.entrypoint import AS_PID_1, PLAIN, Entrypoint, aws, permitted
from tests.harness.http_server import by_length, http_server, secret
from tests.harness.process import Surroundings, started, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.http_server import Server

pytestmark = pytest.mark.slow

NAME = {"SECRETS_MANAGER_ARN": "name"}
BAD = {"SECRETS_MANAGER_ARN": "no reference"}
MANY_BAD = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index:04}": "arn:bad" for index in range(400)}
HANG = 30
"""When a process counts as hung, in seconds."""


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that takes no more bytes; whoever writes waits."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        for size in (4096, 1):  # a pipe that takes no page may still take a byte
            try:
                while True:
                    os.write(writing, b"x" * size)
            except BlockingIOError:
                continue
        os.set_blocking(writing, True)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


def wait_for_request(server: Server) -> None:
    wait_until(lambda: server.requests, what="a request")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(
    entrypoint: Entrypoint, silent: Server, full_pipe: int, transport: str, number: signal.Signals, code: int
) -> None:
    environ = aws(silent.url, NAME, LAMBDA_ENV_TIMEOUT_SECONDS="600", LAMBDA_ENV_TRANSPORT=transport)
    with started([*entrypoint.words, "true"], Surroundings(environ), stderr=full_pipe) as process:
        wait_for_request(silent)
        process.send_signal(number)
        assert process.wait(HANG) == code


@pytest.mark.skipif(not permitted(AS_PID_1), reason="no namespace of process ids is permitted here")
def test_a_signal_ends_it_as_pid_1_too(entrypoint: Entrypoint, silent: Server, full_pipe: int) -> None:
    environ = aws(silent.url, NAME, LAMBDA_ENV_TIMEOUT_SECONDS="600")
    words = [*AS_PID_1, *entrypoint.words, "true"]
    with started(words, Surroundings(environ), stderr=full_pipe) as unshare:
        wait_for_request(silent)
        (inner,) = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGTERM)
        assert unshare.wait(HANG) == 143


def test_the_deadline_ends_it(entrypoint: Entrypoint, silent: Server, full_pipe: int) -> None:
    words = [*entrypoint.words, "--timeout", "1", "true"]
    with started(words, Surroundings(aws(silent.url, NAME)), stderr=full_pipe) as process:
        assert process.wait(HANG) == 125


def test_a_warning_does_not_keep_the_command_from_starting(entrypoint: Entrypoint, full_pipe: int) -> None:
    words = [*entrypoint.words, "sh", "-c", "exit 3"]
    with started(words, Surroundings({**PLAIN, "LAMBDA_ENV_UNKNOWN": "x"}), stderr=full_pipe) as process:
        assert process.wait(HANG) == 3


def test_many_lines_that_nobody_reads_wait_no_longer_than_one(entrypoint: Entrypoint, full_pipe: int) -> None:
    """There is one patience for all lines: 200 lines with half a second each would last longer than `HANG`."""
    text = json.dumps({f"KEY{index}": "value" for index in range(200)})
    with http_server(lambda _: secret(text)) as server:
        words = [*entrypoint.words, "--log-level", "debug", "sh", "-c", "exit 3"]
        with started(words, Surroundings(aws(server.url, NAME)), stderr=full_pipe) as process:
            assert process.wait(HANG) == 3


def test_the_report_to_lambda_is_sent_nevertheless(entrypoint: Entrypoint, full_pipe: int) -> None:
    with http_server(lambda _: by_length(b"", 202)) as runtime:
        environ = {**PLAIN, **BAD, "AWS_LAMBDA_RUNTIME_API": runtime.address}
        with started([*entrypoint.words, "true"], Surroundings(environ), stderr=full_pipe) as process:
            code = process.wait(HANG)
        paths = [request.path for request in runtime.requests]
    assert (code, paths) == (125, ["/2018-06-01/runtime/init/error"])


@pytest.mark.parametrize("blocking", [True, False])
def test_a_report_longer_than_the_pipe_reaches_its_reader_whole(entrypoint: Entrypoint, blocking: bool) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, blocking)  # as a parent in node or asyncio leaves it
    with (
        os.fdopen(reading, "rb") as reader,
        started([*entrypoint.words, "true"], Surroundings({**PLAIN, **MANY_BAD}), stderr=writing) as process,
    ):
        os.close(writing)
        lines = reader.read().decode().splitlines()
        code = process.wait(HANG)
    assert (code, [line.split()[1] for line in lines]) == (125, [*sorted(MANY_BAD)[:MAX_PROBLEMS], "and"])


def test_a_report_that_nobody_reads_is_truncated(entrypoint: Entrypoint) -> None:
    words, surroundings = [*entrypoint.words, "true"], Surroundings({**PLAIN, **MANY_BAD})
    with started(words, surroundings, stderr=subprocess.PIPE) as process:
        assert process.wait(HANG) == 125
