"""What is seen of a start from outside: its output, its process, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.choices import BROKEN_PIPE, COMMANDS, DEV_FULL, FULL_PIPE, Choice
from tests.harness.process import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

HANG = 15
"""When a start counts as hung, in seconds after its deadline."""

SIGNAL_TIMEOUT = 5
"""What a signal may take to end the command, or an interpreter that has not come to us, in seconds."""

COMMAND = [word.encode() for word in COMMANDS["waits"]]
TICK = 0.002
"""Between two looks at a start, in seconds."""


class Seen:
    """What was seen of a process while it ran."""

    def __init__(self, choice: Choice, process: subprocess.Popen[bytes]) -> None:
        self.choice = choice
        self.process = process
        self.begin = time.monotonic()
        self.pid: int | None = None
        self.code: int | None = None
        self.command: list[bytes] | None = None
        self.caught: bool | None = None
        self.cmdlines: set[bytes] = set()
        self.ended = 0.0  # the last moment at which it was seen: whoever looks may be late too
        self.waited = 0.0
        self.waited_before = 0.0 if choice.pid_1 else cpu_wait(process.pid)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.begin

    def look(self) -> None:
        """Looks once, and sends the signal when it is due."""
        self.pid = first_child(self.process.pid) if self.choice.pid_1 else self.process.pid
        if self.pid is None:
            return
        proc = Path(f"/proc/{self.pid}")
        cmdline = (proc / "cmdline").read_bytes()
        if not cmdline:  # it has ended, and waits to be reaped
            return
        self.cmdlines.add(cmdline)
        # The kernel sets up the arguments first.
        if cmdline.split(b"\0")[:-1] == COMMAND and (environ := (proc / "environ").read_bytes()):
            self.command = environ.split(b"\0")[:-1]
            return
        self.ended = self.seconds
        self.waited = cpu_wait(self.pid) - self.waited_before
        if self.choice.signal and self.caught is None and self.seconds > self.choice.moment:
            # What PID 1 does not catch, the kernel drops.
            self.caught = catches_sigterm(proc) or (self.choice.pid_1 and self.choice.signal == signal.SIGTERM)
            os.kill(self.pid, self.choice.signal)

    def is_over(self) -> bool:
        """Whether there is nothing more to see: it ended, hung, or became the command. A signal may be for that."""
        if self.code is not None:
            return True
        limit = HANG + self.choice.deadline
        if self.caught is False and not self.choice.pid_1:
            limit = self.choice.moment + SIGNAL_TIMEOUT  # the interpreter may wait to tell a full pipe of it
        if self.command is not None:
            limit = self.ended + (SIGNAL_TIMEOUT if self.caught is not None else 0)
        return self.seconds > limit


def watch(choice: Choice, process: subprocess.Popen[bytes], streams: list[Stream]) -> Seen:
    """Looks on until the process ends, becomes the command, or hangs, and ends it."""
    seen = Seen(choice, process)
    while not seen.is_over():
        for stream in streams:
            stream.read()
        with suppress(OSError):  # it may end at any time
            seen.look()
        time.sleep(TICK)
        seen.code = process.poll()
    process.kill()  # first, since unshare says something when PID 1 dies
    if seen.code is None and seen.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(seen.pid, signal.SIGKILL)
    process.wait()
    return seen


def cpu_wait(pid: int) -> float:
    """How long a process's main thread was ready to run and did not, in seconds; 0 where the kernel does not count."""
    schedstat = Path(f"/proc/{pid}/task/{pid}/schedstat")
    return int(schedstat.read_text().split()[1]) / 1e9 if schedstat.exists() else 0.0


def first_child(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def catches_sigterm(proc: Path) -> bool:
    """Whether the first statement was reached: nothing else catches SIGTERM. See proc_pid_status(5)."""
    caught = (proc / "status").read_text().partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


def outliving(name: str, leader: int) -> list[str]:
    """The processes of a start that do not end soon after it."""

    entry = f"CHAOS={name}".encode()

    def alive() -> list[str]:
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):  # another user's, or gone
                other = folder.name.isdigit() and int(folder.name) != leader
                if other and entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_text())
        return found

    with suppress(TimeoutError):
        wait_until(lambda: not alive(), what="its processes to end", seconds=2)
    return alive()


class Stream:
    """An output descriptor of the chosen kind; `content` is what was read of it so far."""

    def __init__(self, reading: int | None, writing: int) -> None:
        self.reading = reading
        self.writing = writing
        self.content = bytearray()

    def read(self) -> None:
        if self.reading is not None:
            with suppress(BlockingIOError):
                while piece := os.read(self.reading, 65_536):
                    self.content += piece


@contextmanager
def output(kind: str) -> Iterator[Stream]:
    if kind == DEV_FULL:
        reading, writing = None, os.open(DEV_FULL, os.O_WRONLY)
    else:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
    if kind == FULL_PIPE:
        fill(writing)
    if reading is not None and kind == BROKEN_PIPE:
        os.close(reading)
    drained = reading if kind not in (FULL_PIPE, BROKEN_PIPE) else None
    try:
        yield Stream(drained, writing)
    finally:
        os.close(writing)
        if reading is not None and kind != BROKEN_PIPE:
            os.close(reading)


def fill(writing: int) -> None:
    """Writes into a pipe until whoever writes would wait."""
    os.set_blocking(writing, False)
    for size in (4096, 1):  # a pipe that takes no page may still take a byte
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * size)
    os.set_blocking(writing, True)
