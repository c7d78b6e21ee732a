"""What was started is ended, at whichever moment of its start."""

from __future__ import annotations

import signal
import subprocess
from threading import Event, Thread

import pytest

from run_lambda_entrypoint import children

SLEEP = ["/bin/sh", "-c", "sleep 1000 & wait"]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module as in a new process."""
    monkeypatch.setattr(children, "_children", [])
    monkeypatch.setattr(children, "_ending", False)


class Starting(subprocess.Popen[bytes]):
    """A process that another thread starts, which it does only when it is told to."""

    def __init__(self) -> None:
        self.told = Event()
        children.add(self)

    def start(self) -> None:
        self.told.wait(30)
        super().__init__(SLEEP, start_new_session=True)


def test_a_process_is_killed() -> None:
    child = Starting()
    child.told.set()
    child.start()
    children.end_all()
    assert child.wait(30) == -signal.SIGKILL


def test_a_process_is_killed_whose_start_is_not_over() -> None:
    child = Starting()
    ending = Thread(target=children.end_all)
    starting = Thread(target=child.start)
    ending.start()
    starting.start()
    child.told.set()
    ending.join(30)
    starting.join(30)
    assert child.wait(30) == -signal.SIGKILL


def test_a_process_that_has_ended_is_no_error() -> None:
    child = Starting()
    child.told.set()
    child.start()
    child.kill()
    child.wait(30)
    assert children.end_all() is None  # type: ignore[func-returns-value]


def test_nothing_is_started_after_the_end() -> None:
    children.end_all()
    with pytest.raises(RuntimeError):
        Starting()
