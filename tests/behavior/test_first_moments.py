"""A signal in the first milliseconds.

Until the archive's first lines have run the interpreter has its own ways: SIGTERM kills, SIGINT may show a traceback.
That the archive's handlers are there can be seen: nothing else in it catches SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import Entrypoint, aws, end
from tests.harness.process import wait_until

if TYPE_CHECKING:
    from tests.harness.entrypoint import Ended
    from tests.harness.http_server import Server

pytestmark = pytest.mark.slow

LINE = "run-lambda-entrypoint: interrupted by {} before the command was started\n"
MOMENTS = [0, 1, 3, 10, 30, 50, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000]
"""For how many looks at the process, some microseconds each, the signal is held back."""


def catches_sigterm(pid: int) -> bool:
    """proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = status.partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


def interrupted(
    entrypoint: Entrypoint, silent: Server, number: signal.Signals, looks: int, *, caught: bool, **more: str
) -> Ended:
    """How it ends by a signal: sent `looks` after it was started, or after it `caught` SIGTERM."""
    environ = aws(silent.url, {"SECRETS_MANAGER_ARN": "name"}, **more)
    with entrypoint.started("true", environ=environ) as process:
        if caught:
            wait_until(lambda: catches_sigterm(process.pid), what="the handlers")
        for _ in range(looks):
            os.stat(f"/proc/{process.pid}")  # noqa: PTH116 - pathlib takes longer to look
        process.send_signal(number)
        return end(process, seconds=30)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_from_its_first_lines_on_it_ends_with_its_code_and_at_most_its_one_line(
    entrypoint: Entrypoint, silent: Server, number: signal.Signals, code: int
) -> None:
    ends = {interrupted(entrypoint, silent, number, looks, caught=True) for looks in MOMENTS}
    assert ends - {(code, b"", ""), (code, b"", LINE.format(number.name))} == set()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_in_json_that_line_is_an_object(
    entrypoint: Entrypoint, silent: Server, number: signal.Signals, code: int
) -> None:
    as_json = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "LAMBDA_ENV_UNKNOWN": "a warning before it"}
    ends = [interrupted(entrypoint, silent, number, looks, caught=True, **as_json) for looks in MOMENTS]
    lines = [json.loads(line) for ended in ends for line in ended.err.splitlines()]
    assert {ended.code for ended in ends} == {code}
    assert {line["message"] for line in lines if line["level"] == "ERROR"} <= {LINE.format(number.name)[23:-1]}
    assert {line["level"] for line in lines} <= {"WARNING", "ERROR"}


def test_before_them_sigterm_kills_it_without_a_word(entrypoint: Entrypoint, silent: Server) -> None:
    ends = {interrupted(entrypoint, silent, signal.SIGTERM, looks, caught=False) for looks in MOMENTS}
    assert ends - {(-signal.SIGTERM, b"", ""), (143, b"", ""), (143, b"", LINE.format("SIGTERM"))} == set()


def test_before_them_sigint_never_starts_the_command(entrypoint: Entrypoint, silent: Server) -> None:
    ends = {interrupted(entrypoint, silent, signal.SIGINT, looks, caught=False).code for looks in MOMENTS}
    assert ends - {-signal.SIGINT, 130, 1} == set()
