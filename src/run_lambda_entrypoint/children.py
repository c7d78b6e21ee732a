"""The processes that were started here: none of them outlives this one."""

from __future__ import annotations

import posix
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen

SIGKILL = 9  # signal.py makes enums: 0.6 ms
START_TIMEOUT = 1.0  # seconds to wait for the id of a process that another thread is starting

_children: list[Popen[bytes]] = []
_ending = False


def add(child: Popen[bytes]) -> None:
    """Registers a process before it is started, as the leader of a session of its own: there is no moment at which it
    runs and `end_all` cannot know of it. Raises RuntimeError after `end_all`."""
    _children.append(child)
    if _ending:
        raise RuntimeError("the program ends")


def remove(child: Popen[bytes]) -> None:
    """Forgets a process that has ended, or was not started."""
    _children.remove(child)


def end_all() -> None:
    """Kills what was started, and what that has started. For a signal handler, and for the end of the program."""
    global _ending
    _ending = True
    until = monotonic() + START_TIMEOUT
    for child in tuple(_children):
        while getattr(child, "pid", None) is None and child in _children and monotonic() < until:
            sleep(0.001)
        if getattr(child, "pid", None) is not None:
            _kill(child.pid)


def _kill(leader: int) -> None:
    for kill in (posix.killpg, posix.kill):  # the process alone, if it has not made its session yet
        try:
            kill(leader, SIGKILL)
        except OSError:  # it has ended
            continue
