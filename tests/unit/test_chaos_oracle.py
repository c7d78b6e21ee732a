"""The oracle of `make chaos` finds each broken promise."""

from __future__ import annotations

import pytest

from tests.chaos import oracle
from tests.chaos.choices import DIMENSIONS, NAMES, Choice
from tests.chaos.servers import value
from tests.chaos.starts import Outcome

USUAL = Choice(**{name: values[0] for name, values in DIMENSIONS.items()})
ENTRY = f"{NAMES[0]}={value(NAMES[0])}".encode()
STARTED = Outcome(
    code=None,
    command=[b"A=b", ENTRY],
    own=[b"A=b", b"A=c", b"NO_VALUE", f"{NAMES[0]}=own".encode()],
    caught=None,
    out=b"",
    err=b"",
    posted=b"",
    cmdlines={b"/bin/sleep\x00600\x00"},
    answered=1,
    written=[],
    left=[],
    seconds=0.1,
    waited=0.0,
)
REFUSED = STARTED._replace(command=None, code=125, err=b"run-lambda-entrypoint: no\n")
INTERRUPTED = USUAL._replace(signal=15)


@pytest.mark.parametrize(
    ("choice", "outcome"),
    [
        (USUAL, STARTED),
        (USUAL, REFUSED),
        (INTERRUPTED, REFUSED._replace(code=143, caught=True)),
        (INTERRUPTED, REFUSED._replace(code=-15, caught=False)),
        (INTERRUPTED, REFUSED._replace(code=-15, caught=True)),  # it came to the command
        (INTERRUPTED, STARTED._replace(code=-15, caught=True)),
        (USUAL._replace(log_format="JSON"), REFUSED._replace(err=b'{"timestamp": "", "level": "", "message": ""}\n')),
    ],
)
def test_a_promise_that_was_kept_is_no_problem(choice: Choice, outcome: Outcome) -> None:
    assert oracle.problems(choice, outcome) == []


@pytest.mark.parametrize(
    ("choice", "outcome", "problem"),
    [
        (USUAL, REFUSED._replace(code=1), "exit code 1"),
        (USUAL, REFUSED._replace(code=-11), "exit code -11"),
        (USUAL, REFUSED._replace(code=None), "it hung"),
        (INTERRUPTED, REFUSED._replace(code=-15, caught=True, answered=0), "exit code -15"),
        (USUAL, REFUSED._replace(code=0), "exit code 0 without the command"),
        (USUAL, STARTED._replace(command=[ENTRY]), "the command's environment lacks [b'A=b'], and has []"),
        (
            USUAL,
            STARTED._replace(command=[b"A=b", b"A=b", ENTRY]),
            "the command's environment lacks [], and has [b'A=b']",
        ),
        (USUAL._replace(references="invalid"), STARTED, "it started the command without its secrets"),
        (INTERRUPTED, STARTED._replace(caught=True), "it started the command after a signal, which was lost"),
        (INTERRUPTED, STARTED._replace(caught=False), "it started the command after a signal, which was lost"),
        (USUAL, REFUSED._replace(posted=b"internal error: x"), "it says ['internal error: ']"),
        (USUAL, REFUSED._replace(posted=b"hunter2"), "a value shows: ['hunter2', 'hunter2']"),
        (USUAL, STARTED._replace(cmdlines={b"ZXQJ"}), "a value shows: ['ZXQJ', 'ZXQJ']"),
        (USUAL, REFUSED._replace(err=b"warning\n"), "not a line of ours: 'warning'"),
        (
            USUAL,
            REFUSED._replace(err=b"run-lambda-entrypoint: tru"),
            "not a line of ours: 'run-lambda-entrypoint: tru'",
        ),
        (USUAL._replace(log_format="JSON"), REFUSED, "not a line of ours: 'run-lambda-entrypoint: no'"),
        (USUAL, REFUSED._replace(written=["home/.aws"]), "it wrote ['home/.aws']"),
        (USUAL, REFUSED._replace(left=["sleep"]), "processes are left: ['sleep']"),
    ],
)
def test_a_promise_that_was_broken_is_one(choice: Choice, outcome: Outcome, problem: str) -> None:
    assert oracle.problems(choice, outcome) == [problem]


@pytest.mark.parametrize(("waited", "late"), [(0.0, True), (1.4, True), (1.6, False)])
def test_the_time_that_it_waited_for_a_cpu_does_not_count(waited: float, late: bool) -> None:
    outcome = REFUSED._replace(seconds=USUAL.deadline + 2.5, waited=waited)
    assert oracle.late(USUAL, outcome) == late
