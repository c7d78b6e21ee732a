"""Starts processes and takes their times, their memory, and what they read."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from resource import struct_rusage
from signal import SIGKILL
from typing import NamedTuple

from benchmarks import prepare, server
from benchmarks.prepare import Variant

CASES = ((0, 0), (1, 0), (1, 20), (3, 0), (3, 20), (10, 0), (10, 20))
"""Secrets, and milliseconds until the server replies."""
START, TRUST, MEMORY, FAULTS, READ, SIZE = "start", "trust", "memory", "page faults", "read", "size"
WARM, COLD = "warm page cache", "dropped page cache"
COMMAND = ("/bin/true",)
BASE = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
    "HOME": "/nonexistent",
    "AWS_REGION": server.REGION,
    "AWS_DEFAULT_REGION": server.REGION,  # botocore and the AWS CLI read only this one
    "AWS_ACCESS_KEY_ID": server.KEY_ID,
    "AWS_SECRET_ACCESS_KEY": server.SECRET_KEY,
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",  # so that ours leaves out the emulator, as in Lambda
}
"""What every variant finds in its environment."""

NEXT = b"GET /2018-06-01/runtime/invocation/next "
HANG = 60

# What wait4 tells is the peak of the process before and after its exec, but also the peak of whoever started it: so a
# small Python stands between, which puts a lower bound of about 9 MB on what can be seen.
STARTER = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Trial(NamedTuple):
    """One variant in one case; equal cases are compared."""

    case: str
    variant: Variant
    environ: dict[str, str]
    command: tuple[str, ...] = COMMAND

    @property
    def words(self) -> tuple[str, ...]:
        return *self.variant.words, *self.command

    @property
    def key(self) -> tuple[str, str]:
        return self.case, self.variant.name

    def fresh(self) -> dict[str, str]:
        """The environment to start it in, after removing what earlier starts left."""
        if self.variant.emptied:
            shutil.rmtree(self.variant.emptied, ignore_errors=True)
        return self.environ | self.variant.environ


Results = dict[tuple[str, str], list[float | None]]
"""By case and variant: what each round gave, None where it left the variant out."""


def case(secrets: int, delay: int) -> str:
    return f"{START} {secrets} {delay}"


def poll(client: str, cache: str) -> str:
    return f"{client}, {cache}"


def everything(folder: Path, rounds: int, *, isolated: bool) -> Results:
    """Measures all there is in `folder`; `isolated` says that AWS's own host name leads here, on its own port."""
    with serving(folder, isolated=isolated) as ports:
        trials = [*starts(folder, ports), *(trusts(folder) if isolated else ())]
        results = in_rounds(trials, rounds, elapsed)

        one = [trial for trial in trials if trial.case == case(1, 0)]
        results |= in_rounds(relabelled(one, MEMORY), 3, memory)
        results |= in_rounds(relabelled(one, FAULTS), 3, page_faults)
        results |= in_rounds(list(polls(folder, one, WARM)), rounds, first_poll)
        if drop_page_cache():
            results |= in_rounds(relabelled(one, READ), 3, cold_read)
            results |= in_rounds(list(polls(folder, one, COLD)), min(rounds, 8), cold_first_poll)
    return results | {(SIZE, name): [path.stat().st_size / 1e6] for name, path in prepare.files(folder).items()}


def starts(folder: Path, ports: dict[int, int]) -> Iterator[Trial]:
    for secrets, delay in CASES:
        left_out = {*prepare.absent(folder), *((prepare.BARE,) if secrets else (prepare.FLOOR, prepare.RAW_FLOOR))}
        environ = BASE | references(secrets)
        environ |= {"AWS_ENDPOINT_URL": f"https://localhost:{ports[delay]}", "AWS_CA_BUNDLE": str(folder / server.CA)}
        for variant in prepare.variants(folder):
            if variant.name not in left_out:
                yield Trial(case(secrets, delay), variant, environ)


def trusts(folder: Path) -> Iterator[Trial]:
    for variant in prepare.trusting(folder):
        yield Trial(TRUST, variant, BASE | references(1))


def polls(folder: Path, one: Sequence[Trial], cache: str) -> Iterator[Trial]:
    """Each runtime client alone, and behind what `one` has."""
    alone = Trial("", Variant(prepare.ALONE, ()), one[0].environ)
    for client, command in prepare.clients(folder).items():
        for trial in (alone, *one):
            name = trial.variant.name
            if name in prepare.BEFORE_GO or (client == prepare.AWSLAMBDARIC and not trial.variant.emptied):
                yield trial._replace(case=poll(client, cache), command=command)


def relabelled(trials: Sequence[Trial], case: str) -> list[Trial]:
    return [trial._replace(case=case) for trial in trials]


def references(secrets: int) -> dict[str, str]:
    more = (f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{number:02}" for number in range(1, 10))
    names = ["SECRETS_MANAGER_ARN", *more][:secrets]
    return {name: server.arn(f"benchmark{number}") for number, name in enumerate(names)}


@contextmanager
def serving(folder: Path, *, isolated: bool) -> Iterator[dict[int, int]]:
    """A server in a process of its own: the port for each delay, and if `isolated` also AWS's own port."""
    delays = sorted({delay for _, delay in CASES})
    words = [sys.executable, "-m", "benchmarks.server", str(folder), *map(str, delays)]
    words += ["0:443"] if isolated else []
    with subprocess.Popen(words, cwd=prepare.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            ports = process.stdout.readline() if process.stdout else ""
            yield dict(zip(delays, map(int, ports.split()), strict=False))
        finally:
            process.kill()


def in_rounds(trials: Sequence[Trial], rounds: int, measure: Callable[[Trial], float]) -> Results:
    """Measures every trial once in each round, in another order within its case; a first round is not counted."""
    results: Results = {trial.key: [] for trial in trials}
    cases = list(dict.fromkeys(trial.case for trial in trials))
    for number in range(-1, rounds):
        print(f"\r{trials[0].case}: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
        shuffle = random.Random(number).random  # noqa: S311 - neighbours must not always be the same, nothing more
        for trial in sorted(trials, key=lambda trial: (cases.index(trial.case), shuffle())):
            left_out = number > 0 and number % trial.variant.every
            value = None if left_out else measure(trial)
            if number >= 0:
                results[trial.key].append(value)
    print(file=sys.stderr)
    return results


def elapsed(trial: Trial) -> float:
    """Milliseconds from the start to the end of the wrapped command."""
    environ = trial.fresh()
    began = time.perf_counter()
    run(trial, environ)
    return (time.perf_counter() - began) * 1000


def run(trial: Trial, environ: dict[str, str]) -> struct_rusage:
    """What it used, from the start to the end of the wrapped command. Exits if it failed."""
    _, status, usage = os.wait4(os.posix_spawn(trial.words[0], trial.words, environ), 0)
    if status:
        raise SystemExit(f"{trial.key} failed")
    return usage


def page_faults(trial: Trial) -> float:
    """How often the kernel had to map a page, of a file or of memory."""
    usage = run(trial, trial.fresh())
    return usage.ru_minflt + usage.ru_majflt


def cold_read(trial: Trial) -> float:
    """What was read from disk after the page cache was dropped, in MB. Linux counts it in blocks of 512 bytes."""
    environ = trial.fresh()
    drop_page_cache()
    return run(trial, environ).ru_inblock * 512 / 1e6


def memory(trial: Trial) -> float:
    """Peak of resident memory, in MB (a million bytes)."""
    words = [*prepare.ISOLATED, "-c", STARTER, *trial.words]
    told = subprocess.run(words, env=trial.fresh(), check=True, stdout=subprocess.PIPE)
    return int(told.stdout) * 1024 / 1e6


def first_poll(trial: Trial) -> float:
    """Milliseconds from the start to the runtime client's first question for work."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(HANG)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        environ = trial.fresh() | {"AWS_LAMBDA_RUNTIME_API": address, "PYTHONPATH": prepare.PACKAGES}
        began = time.perf_counter()
        process = os.posix_spawn(trial.words[0], trial.words, environ)
        try:
            connection, _ = listening.accept()
            asked = connection.recv(65536)
            taken = time.perf_counter() - began
        finally:  # before the connection's end, of which the client would complain
            os.kill(process, SIGKILL)
            os.waitpid(process, 0)
        connection.close()
    if not asked.startswith(NEXT):
        raise SystemExit(f"{trial.key} failed: {asked!r}")
    return taken * 1000


def cold_first_poll(trial: Trial) -> float:
    drop_page_cache()
    return first_poll(trial)


def drop_page_cache() -> bool:
    """Only root can. What running processes map stays: of the interpreter and its libraries, what the server uses."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True
