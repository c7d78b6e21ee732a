"""Many calls at once, over a transport that does what a script says: order, retry, deadline, hosts."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.aws import Call
from run_lambda_entrypoint.aws.fetch import AT_ONCE, fetch
from run_lambda_entrypoint.deadline import Deadline
from run_lambda_entrypoint.errors import ConfigurationError, EntrypointError, FetchError, ServiceError
from run_lambda_entrypoint.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from run_lambda_entrypoint.aws import Reply

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
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.prepared = Event()

    def prepare(self) -> None:
        self.prepared.set()

    def send(self, call: Call, seconds: float) -> Reply:
        name = call.parameters["SecretId"]
        steps = self.steps[name]
        step = steps[min(len(self.seconds[name]), len(steps) - 1)]
        self.seconds[name].append(seconds)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def host(self, call: Call) -> str:
        return f"{call.region}.example"


def asks(name: str) -> Call:
    return Call("secretsmanager", "GetSecretValue", {"SecretId": name}, "eu-west-1")


def within(seconds: float) -> Deadline:
    return Deadline(time.monotonic(), seconds)


def told(outcomes: list[Reply | EntrypointError]) -> list[str]:
    return list(map(str, outcomes))


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
    actual = fetch([], Script({}), within(PLENTY), QUIET)
    assert actual == []


def test_outcomes_have_the_order_of_the_calls() -> None:
    names = [f"secret-{number}" for number in range(3 * AT_ONCE)]
    actual = fetch(
        list(map(asks, names)), Script({name: [{"Name": name}] for name in names}), within(PLENTY), QUIET
    )
    assert actual == [{"Name": name} for name in names]


def test_outcomes_have_the_order_of_the_calls_when_the_last_answers_first() -> None:
    answered = Event()

    def first() -> Reply:
        return {"Name": "first", "waited": answered.wait(PLENTY)}

    def last() -> Reply:
        answered.set()
        return {"Name": "last"}

    actual = fetch(
        [asks("first"), asks("last")], Script({"first": [first], "last": [last]}), within(PLENTY), QUIET
    )
    assert actual == [{"Name": "first", "waited": True}, {"Name": "last"}]


def test_calls_are_sent_at_once() -> None:
    everyone = Barrier(AT_ONCE)

    def meet() -> Reply:
        everyone.wait(PLENTY)
        return {}

    actual = fetch([asks("a")] * AT_ONCE, Script({"a": [meet]}), within(PLENTY), QUIET)
    assert actual == [{}] * AT_ONCE


def test_a_call_may_wait_for_what_the_transport_prepares() -> None:
    script = Script({"a": [lambda: {"prepared": script.prepared.wait(PLENTY)}]})
    actual = fetch([asks("a")], script, within(PLENTY), QUIET)
    assert actual == [{"prepared": True}]


def test_one_failure_leaves_the_others_their_replies() -> None:
    error = FetchError("lasting")
    actual = fetch(
        [asks("a"), asks("b"), asks("c")], Script({"a": [{}], "b": [error], "c": [{}]}), within(PLENTY), QUIET
    )
    assert actual == [{}, error, {}]


@pytest.mark.parametrize("faults", [1, 2, 3])
def test_a_passing_fault_is_tried_again(faults: int) -> None:
    fault = FetchError("refused by eu-west-1.example", passing=True)
    script = Script({"a": [*[fault] * faults, {"Name": "a"}]})
    actual = (fetch([asks("a")], script, within(PLENTY), QUIET), len(script.seconds["a"]))
    assert actual == ([{"Name": "a"}], faults + 1)


@pytest.mark.parametrize(
    "fault",
    [
        FetchError("lasting"),
        ServiceError("AccessDeniedException", "no", passing=False),
        ConfigurationError("no credentials"),
    ],
)
def test_a_lasting_fault_is_not_tried_again(fault: EntrypointError) -> None:
    script = Script({"a": [fault, {}]})
    actual = (fetch([asks("a")], script, within(PLENTY), QUIET), len(script.seconds["a"]))
    assert actual == ([fault], 1)


def test_a_lasting_fault_after_a_passing_one_ends_it() -> None:
    passing, lasting = FetchError("throttled", passing=True), FetchError("denied")
    actual = fetch([asks("a")], Script({"a": [passing, lasting, {}]}), within(PLENTY), QUIET)
    assert actual == [lasting]


def test_an_unexpected_error_is_told_without_its_message() -> None:
    (actual,) = told(fetch([asks("a")], Script({"a": [KeyError("correct-horse")]}), within(PLENTY), QUIET))
    assert (actual.partition(" at ")[0], "correct-horse" in actual) == ("internal error: KeyError", False)


def test_each_attempt_may_take_what_is_left_of_the_deadline() -> None:
    fault = FetchError("refused", passing=True)
    script = Script({"a": [fault, fault, fault, {}]})
    fetch([asks("a")], script, within(PLENTY), QUIET)
    left = [PLENTY, *script.seconds["a"], 0.0]
    assert left == sorted(set(left), reverse=True)


def test_a_transport_that_hangs_is_left_behind_at_the_deadline(hang: Callable[[], Reply]) -> None:
    start = time.monotonic()
    actual = told(fetch([asks("a")], Script({"a": [hang]}), within(SHORT), QUIET))
    assert actual == ["not fetched within 0.05 s; the last fault: no answer from eu-west-1.example"]
    assert time.monotonic() - start < PLENTY / 2


def test_a_call_that_hangs_leaves_the_others_their_replies(hang: Callable[[], Reply]) -> None:
    actual = told(fetch([asks("a"), asks("b")], Script({"a": [hang], "b": [{}]}), within(0.5), QUIET))
    assert actual == ["not fetched within 0.5 s; the last fault: no answer from eu-west-1.example", "{}"]


def test_a_call_that_hangs_tells_its_last_fault(hang: Callable[[], Reply]) -> None:
    fault = FetchError("refused by eu-west-1.example", passing=True)
    actual = told(fetch([asks("a")], Script({"a": [fault, hang]}), within(0.5), QUIET))
    assert actual == ["not fetched within 0.5 s; the last fault: refused by eu-west-1.example"]


def test_a_fault_that_never_passes_is_told_with_the_deadline() -> None:
    fault = FetchError("refused by eu-west-1.example", passing=True)
    actual = told(fetch([asks("a")] * AT_ONCE, Script({"a": [fault]}), within(0.5), QUIET))
    assert actual == ["not fetched within 0.5 s; the last fault: refused by eu-west-1.example"] * AT_ONCE


def test_a_call_whose_turn_never_came_names_the_host(hang: Callable[[], Reply]) -> None:
    actual = told(fetch([asks("a")] * (AT_ONCE + 1), Script({"a": [hang]}), within(SHORT), QUIET))
    assert actual == ["not fetched within 0.05 s; the last fault: no answer from eu-west-1.example"] * (
        AT_ONCE + 1
    )


def test_without_time_nothing_is_sent() -> None:
    script = Script({"a": [{}]})
    actual = (told(fetch([asks("a")] * AT_ONCE, script, within(0.0), QUIET)), dict(script.seconds))
    assert actual == (
        ["not fetched within 0 s; the last fault: no answer from eu-west-1.example"] * AT_ONCE,
        {},
    )


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, in whole milliseconds; chance makes each as long as it may be, and nobody waits."""
    made: list[float] = []
    monkeypatch.setattr(
        "run_lambda_entrypoint.aws.fetch.sleep", lambda seconds: made.append(round(1000 * seconds))
    )
    monkeypatch.setattr("run_lambda_entrypoint.aws.fetch.os.urandom", lambda size: size * b"\xff")
    return made


REFUSED = FetchError("refused", passing=True)
THROTTLED = ServiceError("ThrottlingException", "Rate exceeded", passing=True, throttled=True)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([REFUSED] * 7, [100, 200, 400, 800, 1600, 2000, 2000]),
        ([THROTTLED] * 5, [1000, 2000, 4000, 4000, 4000]),
        ([REFUSED, THROTTLED, REFUSED], [100, 2000, 400]),
    ],
    ids=["refused", "throttled", "both"],
)
def test_pauses_grow_and_are_longer_where_aws_throttles(
    pauses: list[float], faults: list[Step], expected: list[float]
) -> None:
    fetch([asks("a")], Script({"a": [*faults, {}]}), within(PLENTY), QUIET)
    assert pauses == expected


def test_a_pause_is_any_part_of_the_longest(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run_lambda_entrypoint.aws.fetch.os.urandom", lambda size: b"\x80" + bytes(size - 1))
    fetch([asks("a")], Script({"a": [REFUSED, REFUSED, {}]}), within(PLENTY), QUIET)
    assert pauses == [50, 100]


def test_a_pause_ends_with_the_deadline(pauses: list[float]) -> None:
    fetch([asks("a")], Script({"a": [THROTTLED, {}]}), within(0.5), QUIET)
    assert max(pauses) <= 500


def test_debug_tells_each_attempt(capfd: pytest.CaptureFixture[str]) -> None:
    script = Script({"a": [FetchError("refused", passing=True), {"SecretString": "battery"}]})
    fetch([asks("a")], script, within(PLENTY), Log(time.monotonic(), "debug"))
    actual = re.sub(r"[0-9.]+ ms", "N ms", capfd.readouterr().err).splitlines()
    assert actual == [
        "run-lambda-entrypoint: debug: N ms: GetSecretValue a: attempt 1 failed: refused; again in N ms",
        "run-lambda-entrypoint: debug: N ms: GetSecretValue a: answered by eu-west-1.example in N ms",
    ]
