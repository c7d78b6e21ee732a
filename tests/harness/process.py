"""Starts a real program in exactly the surroundings that a test asks for, and leaves no process behind."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

_BECOME = Path(__file__).with_name("become.py")


@dataclass(frozen=True)
class Surroundings:
    """What a program is born with. Nothing else of the caller reaches it.

    `environ` is a mapping, or the entries of the environment block as they are: any bytes, a name twice, no "=".
    `descriptors` are open ones of the caller, handed on under their numbers; `closed` are to be missing, of 0, 1, 2.
    Every signal has its default action but the `ignored`. `uid` (which takes root) is also the only group.
    """

    environ: Mapping[str, str] | Sequence[bytes] = ()
    directory: str | Path = "/"
    umask: int = 0o022
    ignored: Collection[int] = ()
    blocked: Collection[int] = ()
    descriptors: Collection[int] = ()
    closed: Collection[int] = ()
    uid: int | None = None


@dataclass(frozen=True)
class Finished:
    """A program that has ended; `status` is negative where a signal ended it."""

    status: int
    stdout: bytes
    stderr: bytes


def run(
    arguments: Sequence[str | bytes | Path],
    surroundings: Surroundings = Surroundings(),
    *,
    stdin: bytes = b"",
    seconds: float = 60,
) -> Finished:
    """Runs a program to its end. Raises OSError if it cannot be started, TimeoutExpired after `seconds`."""
    pipe = subprocess.PIPE
    with started(arguments, surroundings, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        stdout, stderr = process.communicate(stdin, timeout=seconds)
    return Finished(process.returncode, stdout, stderr)


@contextmanager
def started(
    arguments: Sequence[str | bytes | Path],
    surroundings: Surroundings = Surroundings(),
    *,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.DEVNULL,
    stderr: int | None = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a program (`arguments[0]` is its path) in a session of its own and ends that whole session on leaving.

    The program itself is running when this yields, under the process id that it yields. `stdin`, `stdout` and
    `stderr` are Popen's. Raises OSError if the kernel refuses to start it.
    """
    environ = surroundings.environ
    if isinstance(environ, Mapping) and _popen_suffices(surroundings):
        # An interrupt while Popen itself runs, some milliseconds, leaves the program to end by itself.
        process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environ,
            cwd=surroundings.directory,
            umask=surroundings.umask,
            pass_fds=surroundings.descriptors,
            start_new_session=True,
        )
        with process, _ended(process):
            yield process
        return

    # The rest is beyond Popen without preexec_fn, which is unsafe beside the threads of a test run. So Popen starts a
    # small program that takes all of it on and becomes the asked one, once it has been told everything: an interrupt
    # at any earlier point closes the socket, and that program ends.
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-IS", _BECOME, str(theirs.fileno())],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env={},
                pass_fds=[theirs.fileno(), *surroundings.descriptors],
                start_new_session=True,
            )
        with process, _ended(process):
            ours.sendall(_wish(arguments, surroundings))
            ours.shutdown(socket.SHUT_WR)
            refusal = ours.recv(16)  # empty when the other end closes, which a successful exec does
            if refusal:
                raise OSError(int(refusal), os.strerror(int(refusal)), os.fsdecode(arguments[0]))
            yield process


def _popen_suffices(surroundings: Surroundings) -> bool:
    """Whether Popen can give a program everything but the environment: in a twentieth of the CPU that Python takes."""
    more = (surroundings.ignored, surroundings.blocked, surroundings.closed, surroundings.uid is not None)
    return not any(more) and _passes_no_signals_on()


def _passes_no_signals_on() -> bool:
    """Whether a child of this process has the default action for every signal, and none is blocked.

    SIGPIPE and SIGXFSZ, which Python ignores, are Popen's to restore.
    """
    restored = {signal.SIGPIPE, signal.SIGXFSZ}
    ignored = {each for each in signal.valid_signals() if signal.getsignal(each) == signal.SIG_IGN}
    return ignored <= restored and not signal.pthread_sigmask(signal.SIG_BLOCK, ())


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends the session that `process` opened on leaving."""
    try:
        yield
    finally:
        try:
            end_session(process.pid)
        except BaseException:  # an interrupt: a process left alive would be waited for forever
            end_session(process.pid)
            raise


class Output:
    """Collects what processes write to `descriptor`, in memory. Can be read at any time, also after it is closed."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("output")
        # Writers at the same moment would overwrite each other: such a file has no lock on its offset (kernel's
        # alloc_file_pseudo sets no FMODE_ATOMIC_POS).
        fcntl.fcntl(self.descriptor, fcntl.F_SETFL, os.O_APPEND)
        self._final: bytes | None = None

    def text(self) -> str:
        """All that was written so far."""
        content = self._read() if self._final is None else self._final
        return content.decode(errors="backslashreplace")

    def _read(self) -> bytes:
        # pread: the offset is one with the writers'.
        return os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        self._final = self._read()
        os.close(self.descriptor)


def end_session(leader: int) -> None:
    """Kills every process in the session that `leader` opened, also where a member has a process group of its own,
    as the emulator's children have."""

    def ended() -> bool:
        alive = [pid for pid in _session(leader) if pid != os.getpid()]
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not alive

    wait_until(ended, what=f"session {leader} to end")


def wait_until(condition: Callable[[], Result], *, what: str, seconds: float = 30) -> Result:
    """Polls until `condition()` is true, and returns what it returned. Raises TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.002)
    return result


def _wish(arguments: Sequence[str | bytes | Path], surroundings: Surroundings) -> bytes:
    environ = surroundings.environ
    if isinstance(environ, Mapping):
        environ = [os.fsencode(f"{name}={value}") for name, value in environ.items()]
    wish = {
        "arguments": [os.fsencode(word).decode("latin-1") for word in arguments],
        "environ": [entry.decode("latin-1") for entry in environ],
        "directory": str(surroundings.directory),
        "umask": surroundings.umask,
        "ignored": list(surroundings.ignored),
        "blocked": list(surroundings.blocked),
        "closed": list(surroundings.closed),
        "uid": surroundings.uid,
    }
    return json.dumps(wish).encode()


def _session(leader: int) -> list[int]:
    """The live processes of a session; those that only wait to be reaped are not counted."""
    names = [folder.name for folder in Path("/proc").iterdir()]  # glob would fail where a process ends while it looks
    return [pid for pid in map(int, filter(str.isdigit, names)) if _is_alive_in(pid, leader)]


def _is_alive_in(pid: int, leader: int) -> bool:
    try:
        # The system call first: reading a file of every process on the machine takes forty times as long.
        if os.getsid(pid) != leader:
            return False
        # pid (name) state ..., see proc(5); the name may hold anything.
        stat = Path(f"/proc/{pid}/stat").read_text("latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
