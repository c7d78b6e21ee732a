"""Nobody reads standard error, or not at once: that keeps nothing from ending, and loses nothing that is read."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import AS_PID_1, PLAIN, TRANSPORTS, Entrypoint, aws, permitted
from tests.harness.http_server import by_length, http_server, listening
from tests.harness.process import Surroundings, started

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

NAME = {"SECRETS_MANAGER_ARN": "name"}
BAD = {"SECRETS_MANAGER_ARN": "no reference"}
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


class Silent:
    """A server that says nothing; `asked` is set at the first request."""

    def __init__(self, stack: ExitStack) -> None:
        self.asked = Event()
        self.url = f"http://127.0.0.1:{stack.enter_context(listening(self._attend))}"

    def _attend(self, connection: socket.socket) -> None:
        while connection.recv(65_536):
            self.asked.set()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with ExitStack() as stack:
        yield Silent(stack)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(
    entrypoint: Entrypoint, silent: Silent, full_pipe: int, transport: str, number: signal.Signals, code: int
) -> None:
    environ = aws(silent.url, NAME, LAMBDA_ENV_TIMEOUT_SECONDS="600", LAMBDA_ENV_TRANSPORT=transport)
    with started([*entrypoint.words, "true"], Surroundings(environ), stderr=full_pipe) as process:
        assert silent.asked.wait(HANG)
        process.send_signal(number)
        assert process.wait(HANG) == code


@pytest.mark.skipif(not permitted(AS_PID_1), reason="no namespace of process ids is permitted here")
def test_a_signal_ends_it_as_pid_1_too(entrypoint: Entrypoint, silent: Silent, full_pipe: int) -> None:
    environ = aws(silent.url, NAME, LAMBDA_ENV_TIMEOUT_SECONDS="600")
    words = [*AS_PID_1, *entrypoint.words, "true"]
    with started(words, Surroundings(environ), stderr=full_pipe) as unshare:
        assert silent.asked.wait(HANG)
        (inner,) = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGTERM)
        assert unshare.wait(HANG) == 143


def test_the_deadline_ends_it(entrypoint: Entrypoint, silent: Silent, full_pipe: int) -> None:
    words = [*entrypoint.words, "--timeout", "1", "true"]
    with started(words, Surroundings(aws(silent.url, NAME)), stderr=full_pipe) as process:
        assert process.wait(HANG) == 125


def test_a_warning_does_not_keep_the_command_from_starting(entrypoint: Entrypoint, full_pipe: int) -> None:
    environ = {**PLAIN, "LAMBDA_ENV_UNKNOWN": "x"}
    words = [*entrypoint.words, "sh", "-c", "exit 3"]
    with started(words, Surroundings(environ), stderr=full_pipe) as process:
        assert process.wait(HANG) == 3


def test_the_report_to_lambda_is_sent_nevertheless(entrypoint: Entrypoint, full_pipe: int) -> None:
    with http_server(lambda _: by_length(b"", 202)) as runtime:
        environ = {**PLAIN, **BAD, "AWS_LAMBDA_RUNTIME_API": runtime.address}
        words = [*entrypoint.words, "true"]
        with started(words, Surroundings(environ), stderr=full_pipe) as process:
            code = process.wait(HANG)
        paths = [request.path for request in runtime.requests]
    assert (code, paths) == (125, ["/2018-06-01/runtime/init/error"])


@pytest.mark.parametrize("blocking", [True, False])
def test_a_report_longer_than_the_pipe_reaches_its_reader_whole(entrypoint: Entrypoint, blocking: bool) -> None:
    bad = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index:04}": "arn:bad" for index in range(400)}
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)  # as a parent in node or asyncio leaves it
    with (
        os.fdopen(reading, "rb") as reader,
        started([*entrypoint.words, "true"], Surroundings({**PLAIN, **bad}), stderr=writing) as process,
    ):
        os.close(writing)
        lines = reader.read().decode().splitlines()
        code = process.wait(HANG)
    assert (code, [line.split()[1] for line in lines]) == (125, sorted(bad))


def test_a_report_that_nobody_reads_is_truncated(entrypoint: Entrypoint) -> None:
    bad = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index:04}": "arn:bad" for index in range(400)}
    words, surroundings = [*entrypoint.words, "true"], Surroundings({**PLAIN, **bad})
    with started(words, surroundings, stderr=subprocess.PIPE) as process:
        assert process.wait(HANG) == 125
