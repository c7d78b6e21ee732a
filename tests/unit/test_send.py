"""Many calls at once, over a transport that does what a script says: order, retries, deadline, hosts."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.aws.call import Call
from run_lambda_entrypoint.aws.send import MAX_THREADS, send_all
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER
from run_lambda_entrypoint.deadline import Deadline
from run_lambda_entrypoint.errors import THROTTLED, UNAVAILABLE, EntrypointError
from run_lambda_entrypoint.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from run_lambda_entrypoint.aws.call import Reply
    from run_lambda_entrypoint.aws.send import Outcome

    Step = Callable[[], Reply] | Reply | Exception

PLENTY = 60.0  # seconds that no test needs
SHORT = 0.05
QUIET = Log(0.0)


class Script:
    """A transport that takes, for each name that it is asked for, one step after the other; the last one stays.

    A step is a reply, an exception to raise, or what is called for a reply.
    """

    def __init__(self, steps: dict[str, list[Step]]) -> None:
        self.steps = steps
        self.timeouts: dict[str, list[float]] = defaultdict(list)
        self.prepared = Event()

    def prepare(self) -> None:
        self.prepared.set()

    def send(self, call: Call, timeout: float) -> Reply:
        name = call.params["SecretId"]
        steps = self.steps[name]
        step = steps[min(len(self.timeouts[name]), len(steps) - 1)]
        self.timeouts[name].append(timeout)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def host(self, call: Call) -> str:
        return f"{call.region}.example"


REFUSED = EntrypointError(UNAVAILABLE, "refused by eu-west-1.example", retryable=True)
RATE_EXCEEDED = EntrypointError(THROTTLED, "ThrottlingException: Rate exceeded", retryable=True)
DENIED = EntrypointError(UNAVAILABLE, "denied")


def outcomes(names: list[str], script: Script, seconds: float = PLENTY, log: Log = QUIET) -> list[Outcome]:
    calls = [Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": name}, "eu-west-1") for name in names]
    return send_all(calls, script, Deadline(time.monotonic(), seconds), log)


def texts(found: list[Outcome]) -> list[str]:
    return list(map(str, found))


@pytest.fixture
def hang() -> Iterator[Callable[[], Reply]]:
    """Something that does not return while the test runs, as a name resolution may."""
    over = Event()

    def wait() -> Reply:
        over.wait()
        return {}

    yield wait
    over.set()


def test_no_calls_have_no_outcomes() -> None:
    assert outcomes([], Script({})) == []


def test_outcomes_have_the_order_of_the_calls() -> None:
    names = [f"secret-{number}" for number in range(3 * MAX_THREADS)]
    assert outcomes(names, Script({name: [{"Name": name}] for name in names})) == [{"Name": name} for name in names]


def test_calls_are_sent_at_once() -> None:
    everyone = Barrier(MAX_THREADS)

    def meet() -> Reply:
        everyone.wait(PLENTY)
        return {}

    assert outcomes(["a"] * MAX_THREADS, Script({"a": [meet]})) == [{}] * MAX_THREADS


def test_a_call_may_wait_for_what_the_transport_prepares() -> None:
    script = Script({"a": [lambda: {"prepared": script.prepared.wait(PLENTY)}]})
    assert outcomes(["a"], script) == [{"prepared": True}]


def test_one_failure_leaves_the_others_their_replies() -> None:
    assert outcomes(["a", "b", "c"], Script({"a": [{}], "b": [DENIED], "c": [{}]})) == [{}, DENIED, {}]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_retryable_error_is_retried(count: int) -> None:
    script = Script({"a": [*[REFUSED] * count, {"Name": "a"}]})
    assert (outcomes(["a"], script), len(script.timeouts["a"])) == ([{"Name": "a"}], count + 1)


@pytest.mark.parametrize("before", [[], [REFUSED]])
def test_any_other_error_is_not_retried(before: list[Step]) -> None:
    script = Script({"a": [*before, DENIED, {}]})
    assert (outcomes(["a"], script), len(script.timeouts["a"])) == ([DENIED], len(before) + 1)


def test_an_unexpected_error_is_reported_without_its_message() -> None:
    (actual,) = texts(outcomes(["a"], Script({"a": [KeyError("correct-horse")]})))
    assert (actual.partition(" at ")[0], "correct-horse" in actual) == ("internal error: KeyError", False)


def test_each_attempt_may_take_what_remains_of_the_deadline() -> None:
    script = Script({"a": [REFUSED, REFUSED, REFUSED, {}]})
    outcomes(["a"], script)
    remaining = [PLENTY, *script.timeouts["a"], 0.0]
    assert remaining == sorted(set(remaining), reverse=True)


LATE = "not fetched within {} s; the last error: no answer from eu-west-1.example"


def test_a_transport_that_hangs_is_left_behind_at_the_deadline(hang: Callable[[], Reply]) -> None:
    begin = time.monotonic()
    names = ["a"] * (MAX_THREADS + 1)  # the last one's turn never comes
    assert texts(outcomes(names, Script({"a": [hang]}), SHORT)) == [LATE.format(SHORT)] * len(names)
    assert time.monotonic() - begin < PLENTY / 2


def test_a_call_that_hangs_leaves_the_others_their_replies(hang: Callable[[], Reply]) -> None:
    assert texts(outcomes(["a", "b"], Script({"a": [hang], "b": [{}]}), 0.5)) == [LATE.format(0.5), "{}"]


def test_a_call_that_hangs_is_reported_with_its_last_error(hang: Callable[[], Reply]) -> None:
    actual = texts(outcomes(["a"], Script({"a": [REFUSED, hang]}), 0.5))
    assert actual == ["not fetched within 0.5 s; the last error: refused by eu-west-1.example"]


def test_an_error_that_stays_is_reported_at_the_deadline_with_its_kind() -> None:
    (actual,) = outcomes(["a"], Script({"a": [RATE_EXCEEDED]}), 0.5)
    assert isinstance(actual, EntrypointError)
    expected = f"not fetched within 0.5 s; the last error: {RATE_EXCEEDED}"
    assert (str(actual), actual.kind) == (expected, THROTTLED)


def test_without_time_nothing_is_sent() -> None:
    script = Script({"a": [{}]})
    assert (texts(outcomes(["a"], script, 0.0)), dict(script.timeouts)) == ([LATE.format(0)], {})


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, in whole milliseconds; chance makes each as long as it may be, and nobody waits."""
    made: list[float] = []
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.sleep", lambda seconds: made.append(round(1000 * seconds)))
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.os.urandom", lambda size: size * b"\xff")
    return made


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([REFUSED] * 7, [100, 200, 400, 800, 1600, 2000, 2000]),
        ([RATE_EXCEEDED] * 5, [1000, 2000, 4000, 4000, 4000]),
        ([REFUSED, RATE_EXCEEDED, REFUSED], [100, 2000, 400]),
    ],
    ids=["refused", "throttled", "both"],
)
def test_pauses_grow_and_are_longer_where_aws_throttles(
    pauses: list[float], errors: list[Step], expected: list[float]
) -> None:
    outcomes(["a"], Script({"a": [*errors, {}]}))
    assert pauses == expected


def test_a_pause_is_any_part_of_the_longest(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.os.urandom", lambda size: b"\x80" + bytes(size - 1))
    outcomes(["a"], Script({"a": [REFUSED, REFUSED, {}]}))
    assert pauses == [50, 100]


def test_a_pause_ends_with_the_deadline(pauses: list[float]) -> None:
    outcomes(["a"], Script({"a": [RATE_EXCEEDED, {}]}), 0.5)
    assert max(pauses) <= 500


def test_debug_logs_each_attempt(capfd: pytest.CaptureFixture[str]) -> None:
    script = Script({"a": [REFUSED, {"SecretString": "battery"}]})
    outcomes(["a"], script, log=Log(time.monotonic(), "debug"))
    assert re.sub(r"[0-9.]+ ms", "N ms", capfd.readouterr().err).splitlines() == [
        f"run-lambda-entrypoint: debug: N ms: GetSecretValue a: attempt 1 failed: {REFUSED}; retrying in N ms",
        "run-lambda-entrypoint: debug: N ms: GetSecretValue a: eu-west-1.example answered in N ms",
    ]
