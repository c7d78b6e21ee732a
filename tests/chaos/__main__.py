"""`make chaos SECONDS=60`: real starts in surroundings that a seed chooses; each succeeds or reports why not.

A start that breaks a promise is printed, with the command line that makes it once more. Ends with 1 if there was one.
"""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from secrets import randbelow
from typing import TYPE_CHECKING, NamedTuple

from tests.chaos import oracle
from tests.chaos.choices import Choice, choose
from tests.chaos.places import Place, places
from tests.chaos.starts import Outcome, does_nothing, start
from tests.harness.entrypoint import AS_PID_1, permitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DIST = Path(__file__).resolve().parents[2] / "dist"
ARCHIVES = [DIST / "run-lambda-entrypoint.pyz", DIST / f"run-lambda-entrypoint-{os.uname().machine}"]
AT_ONCE = max(1, int(4 * (oracle.CPU_QUOTA or os.cpu_count() or 1)))
"""How many starts run at one time; most of them wait for a server most of the time."""


class Tried(NamedTuple):
    """One start, and what is wrong with it."""

    seed: int
    number: int
    choice: Choice
    outcome: Outcome
    problems: list[str]
    early: bool

    def __str__(self) -> str:
        output = [("|", printable(self.outcome.err)), ("posted:", printable(self.outcome.posted))]
        unusual = ", ".join(f"{name}={value!r}" for name, value in self.choice._asdict().items() if value is not None)
        return "\n".join(
            [
                f"start {self.number} of seed {self.seed}: {'; '.join(self.problems)}",
                f"  {unusual}",
                f"  exit code {self.outcome.code}, after {self.outcome.seconds:.2f} s",
                *(f"  {where} {line:.1000}" for where, text in output for line in text.splitlines()[:20]),
                f"  again: .venv/bin/python -m tests.chaos --seed {self.seed} --only {self.number}",
            ]
        )


def printable(output: bytes) -> str:
    return output.decode(errors="backslashreplace")


@cache
def can_be_pid_1() -> bool:
    return permitted(AS_PID_1)


def attempt(seed: int, number: int, place: Place) -> Tried:
    """Makes one start and judges it."""
    choice = choose(seed, number)
    if not can_be_pid_1():
        choice = choice._replace(pid_1=False)
    outcome = start(choice, place, f"{seed}/{number}/{place.uid}")
    problems = oracle.problems(choice, outcome)
    early = oracle.died_early(choice, outcome)
    if problems and outcome.command is None and not does_nothing(choice, place, outcome.own):
        problems, early = [], True
    return Tried(seed, number, choice, outcome, problems, early)


def attempts(archives: list[Path], chosen: Iterable[tuple[int, int]], at_once: int = AT_ONCE) -> Iterator[Tried]:
    """Makes the chosen starts, seed and number each, as far as their form is that of one of the archives."""
    with places(archives, at_once) as made, ThreadPoolExecutor(at_once) as pool:
        free: SimpleQueue[Place] = SimpleQueue()
        for place in made:
            free.put(place)

        def try_one(seed: int, number: int) -> Tried:
            place = free.get()
            try:
                return attempt(seed, number, place)
            finally:
                free.put(place)

        running = []
        for seed, number in chosen:
            if choose(seed, number).form in made[0].files:
                running.append(pool.submit(try_one, seed, number))
            if len(running) > 2 * at_once:
                yield running.pop(0).result()
        yield from (each.result() for each in running)


def until(seconds: float, seed: int) -> Iterator[tuple[int, int]]:
    end = time.monotonic() + seconds
    for number in count():
        if time.monotonic() > end:
            return
        yield seed, number


def main() -> int:
    parser = ArgumentParser(description=__doc__, prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=randbelow(1_000_000), help="what the choices depend on")
    parser.add_argument("--only", type=int, help="the number of one start, to be made alone")
    parser.add_argument("--times", type=int, default=1, help="how often to make that one")
    parser.add_argument("--archive", type=Path, action="append", help="what is started; may be given twice")
    options = parser.parse_args()
    archives = options.archive or [archive for archive in ARCHIVES if archive.is_file()]
    print(f"seed {options.seed}, {', '.join(archive.name for archive in archives)}", flush=True)
    chosen = until(options.seconds, options.seed)
    if options.only is not None:
        chosen = iter([(options.seed, options.only)] * options.times)
    begin, codes, early, late, failed = time.monotonic(), Counter[str](), 0, 0.0, 0
    for tried in attempts(archives, chosen):
        codes["command" if tried.outcome.command is not None else str(tried.outcome.code)] += 1
        early += tried.early
        failed += bool(tried.problems)
        late = max(late, tried.outcome.seconds - tried.choice.deadline - tried.outcome.waited)
        if tried.problems or options.only is not None:
            print(tried, flush=True)
    starts = sum(codes.values())
    print(f"starts         {starts}, {starts / (time.monotonic() - begin):.1f} a second")
    print(f"ended with     {', '.join(f'{code}: {number}' for code, number in codes.most_common())}")
    print(f"died early     {early} ({early / max(1, starts):.1%}), before our first statement")
    print(f"over deadline  {late:.2f} s at most ({'checked' if oracle.CPU_QUOTA else 'not checked: no CPU quota'})")
    print(f"FAILED         {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
