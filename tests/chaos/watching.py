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

TICK = 0.002
"""Between two looks at a start, in seconds."""


class Seen:
    """What was seen of a process while it ran."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.command: list[bytes] | None = None
        self.reached = True
        self.cmdlines: set[bytes] = set()
        self.ended: float | None = None
        self.waited = 0.0


def watch(choice: Choice, process: subprocess.Popen[bytes], begin: float, streams: list[Stream]) -> Seen:
    """Looks on until the process ends, becomes the command, or hangs; sends the signal when it is due."""
    seen = Seen()
    command = [word.encode() for word in COMMANDS["waits"]]
    to_send = choice.signal
    pid: int | None = None
    while (code := process.poll()) is None and time.monotonic() < begin + choice.deadline + HANG:
        for stream in streams:
            stream.read()
        with suppress(OSError):  # it may end at any time
            pid = first_child(process.pid) if choice.pid_1 else process.pid
            if pid is not None:
                proc = Path(f"/proc/{pid}")
                cmdline = (proc / "cmdline").read_bytes()
                seen.cmdlines.add(cmdline)
                if cmdline.split(b"\0")[:-1] == command:
                    seen.command = (proc / "environ").read_bytes().split(b"\0")[:-1]
                    break
                seen.waited = int((proc / "task" / str(pid) / "schedstat").read_text().split()[1]) / 1e9
                if to_send and time.monotonic() > begin + choice.moment:
                    # What PID 1 does not catch, the kernel drops.
                    seen.reached = catches_sigterm(proc) or (choice.pid_1 and to_send == signal.SIGTERM)
                    os.kill(pid, to_send)
                    to_send = 0
        time.sleep(TICK)
    if code is None and seen.command is None:
        return seen  # it hung
    seen.ended = time.monotonic() - begin
    if code is None and pid is not None:
        process.kill()  # first, since unshare says something when PID 1 dies
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    seen.code = code
    return seen


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
