"""The wrapped command as the kernel sees it: which arguments, environment and state a program hands on.

The command is a shell that says that it is there and waits; what it got is read from /proc, from outside. So nothing
stands between the kernel's answer and the test: the blocks are the raw bytes of the exec, and no interpreter (CPython
ignores signals and changes LC_CTYPE) had a chance to change them. What a shell does change, handlers that it
installs, is not looked at: a handler is no part of what an exec hands on.
"""

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness.process import Surroundings, started

COMMAND = ("/bin/sh", "-c", "echo here; read -r _", "witness")


@dataclass(frozen=True)
class Witness:
    """What the wrapped command got. `status` is all of /proc/PID/status, `descriptors` are numbers with targets."""

    arguments: list[bytes]
    environ: list[bytes]
    status: Mapping[str, str]
    directory: str
    descriptors: Mapping[int, str]
    stderr: bytes

    @property
    def ignored(self) -> set[int]:
        """The signals that are ignored; without 32 and 33, the C library's own, which make passes on ignored."""
        return _signals(self.status["SigIgn"]) - {32, 33}

    @property
    def blocked(self) -> set[int]:
        """The signals that are blocked."""
        return _signals(self.status["SigBlk"])

    @property
    def umask(self) -> int:
        """The mask for new files' modes."""
        return int(self.status["Umask"], 8)


def witness(
    entrypoint: Sequence[str | bytes | Path],
    surroundings: Surroundings,
    *,
    arguments: Sequence[str | bytes] = (),
    seconds: float = 60,
) -> Witness:
    """Starts `[*entrypoint, *COMMAND, *arguments]` and tells what the command got.

    Raises AssertionError if the command is not reached, or if the process is not the one that was started.
    """
    pipe = subprocess.PIPE
    words = [*entrypoint, *COMMAND, *arguments]
    with started(words, surroundings, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        here, _, _ = select.select([process.stdout], [], [], seconds)
        said = os.read(process.stdout.fileno(), 1 << 16) if here else b"(nothing)"
        seen = _look(Path(f"/proc/{process.pid}")) if said == b"here\n" else None
        if seen is None:
            process.kill()
        rest, stderr = process.communicate(timeout=seconds)
    assert seen is not None, f"ended with {process.returncode}, standard output {said + rest!r}, error {stderr!r}"
    return Witness(*seen, stderr)


def _look(proc: Path) -> tuple[list[bytes], list[bytes], dict[str, str], str, dict[int, str]]:
    lines = (proc / "status").read_text().splitlines()
    return (
        _split((proc / "cmdline").read_bytes()),
        _split((proc / "environ").read_bytes()),
        {name: value.strip() for name, _, value in (line.partition(":") for line in lines)},
        str((proc / "cwd").readlink()),
        {int(link.name): str(link.readlink()) for link in (proc / "fd").iterdir()},
    )


def _split(block: bytes) -> list[bytes]:
    return block.split(b"\0")[:-1]


def _signals(mask: str) -> set[int]:
    return {number for number in range(1, 65) if int(mask, 16) >> (number - 1) & 1}
