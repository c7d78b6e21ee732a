"""Many calls at once, over a transport that does what a script says: order, retries, deadline, hosts."""

from __future__ import annotations

import errno
import posix
import re
import time
from _thread import start_new_thread
from collections import defaultdict
from itertools import count
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.aws import send
from run_lambda_entrypoint.aws.call import Call
from run_lambda_entrypoint.aws.send import MAX_PAGES, MAX_SIZE, MAX_THREADS, send_all
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER
from run_lambda_entrypoint.deadline import Deadline
from run_lambda_entrypoint.errors import FAILED, THROTTLED, UNAVAILABLE, UNREACHABLE, EntrypointError
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

    A step is a reply of `size` bytes, an exception to raise, or what is called for a reply. `preparing` is called, or
    raised, when it is to prepare.
    """

    def __init__(
        self, steps: dict[str, list[Step]], preparing: Callable[[], object] | Exception | None = None, size: int = 2
    ) -> None:
        self.steps = steps
        self.preparing = preparing
        self.size = size
        self.sent: list[Call] = []
        self.timeouts: dict[str, list[float]] = defaultdict(list)
        self.prepared = Event()

    def prepare(self) -> None:
        self.prepared.set()
        if isinstance(self.preparing, Exception):
            raise self.preparing
        if self.preparing:
            self.preparing()

    def send(self, call: Call, timeout: float) -> tuple[Reply, int]:
        name = call.params["SecretId"]
        steps = self.steps[name]
        step = steps[min(len(self.timeouts[name]), len(steps) - 1)]
        self.timeouts[name].append(timeout)
        self.sent.append(call)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step, self.size

    def region(self, call: Call) -> str:
        return call.region

    def waiting(self, call: Call) -> EntrypointError:
        return EntrypointError(UNREACHABLE, f"no answer from {self.host(call)}")

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


LATE = "not fetched within {} s: no answer from eu-west-1.example"


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


def test_an_error_that_the_deadline_itself_causes_is_not_the_last_one() -> None:
    deadline = Deadline(time.monotonic(), SHORT)

    def wait() -> Reply:
        while deadline.remaining():
            time.sleep(SHORT / 10)
        raise REFUSED

    sending = send._Sending(Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": "a"}, "eu-west-1"))
    outcome = send._outcome(sending, Script({"a": [wait]}), deadline, QUIET)
    assert (outcome, sending.last_error) == (None, None)


def test_an_error_that_stays_is_reported_at_the_deadline_with_its_kind() -> None:
    (actual,) = outcomes(["a"], Script({"a": [RATE_EXCEEDED]}), 0.5)
    assert isinstance(actual, EntrypointError)
    expected = f"not fetched within 0.5 s; the last error: {RATE_EXCEEDED}"
    assert (str(actual), actual.kind) == (expected, THROTTLED)


def test_a_transport_that_is_not_prepared_in_time_is_left_behind_at_the_deadline(hang: Callable[[], Reply]) -> None:
    begin = time.monotonic()
    script = Script({"a": [lambda: {"prepared": hang()}]}, preparing=hang)
    assert texts(outcomes(["a"], script, SHORT)) == [LATE.format(SHORT)]
    assert time.monotonic() - begin < PLENTY / 2


@pytest.mark.parametrize("error", [DENIED, REFUSED])
def test_what_cannot_be_prepared_is_every_calls_failure(hang: Callable[[], Reply], error: EntrypointError) -> None:
    assert outcomes(["a", "b"], Script({"a": [hang], "b": [hang]}, preparing=error)) == [error, error]


def test_an_unexpected_error_of_preparing_is_reported_once_without_its_message(hang: Callable[[], Reply]) -> None:
    with pytest.raises(EntrypointError) as caught:
        outcomes(["a", "b"], Script({"a": [hang], "b": [hang]}, preparing=KeyError("correct-horse")))
    actual = str(caught.value)
    assert (actual.partition(" at ")[0], "correct-horse" in actual) == ("internal error: KeyError", False)


# -- Threads


@pytest.mark.parametrize(("openable", "most"), [(1000, MAX_THREADS), (9, 4), (6, 1), (0, 1)])
def test_fewer_calls_are_sent_at_once_where_few_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, openable: int, most: int
) -> None:
    real = posix.open
    attempts = count(1)

    def limited(path: str, flags: int) -> int:
        if next(attempts) > openable:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(path, flags)

    monkeypatch.setattr("posix.open", limited)
    at_once, highest = [0], [0]
    everyone = Barrier(most)

    def meet() -> Reply:
        at_once[0] += 1
        highest[0] = max(highest[0], at_once[0])
        everyone.wait(PLENTY)
        at_once[0] -= 1
        everyone.wait(PLENTY)
        return {}

    outcomes(["a"] * MAX_THREADS, Script({"a": [meet]}))
    assert highest == [most]


@pytest.mark.parametrize("possible", range(4))
def test_a_limit_of_threads_leaves_fewer_or_is_reported(monkeypatch: pytest.MonkeyPatch, possible: int) -> None:
    started: list[object] = []

    def limited(run: Callable[[], None], arguments: tuple[()]) -> int:
        if len(started) == possible:
            raise RuntimeError("can't start new thread")
        started.append(run)
        return start_new_thread(run, arguments)

    monkeypatch.setattr(send, "start_new_thread", limited)
    try:
        actual: object = outcomes(["a", "a", "a"], Script({"a": [{}]}))
    except EntrypointError as error:
        actual = error.kind
    assert actual == (FAILED if possible < 2 else [{}, {}, {}])


# -- Pages


def paged(*pages: Step, size: int = 2) -> tuple[Outcome, list[str]]:
    """The outcome of a call whose reply comes in these pages, and the tokens of its requests."""
    script = Script({"a": list(pages)}, size=size)
    call = Call(SECRETS_MANAGER, "GetPages", {"SecretId": "a", "MaxResults": MOST}, "eu-west-1", result_key="Items")
    (found,) = send_all([call], script, Deadline(time.monotonic(), PLENTY), QUIET)
    return found, [sent.params.get("NextToken", "") for sent in script.sent]


MOST = 3  # items that a page may have


def page(items: object, token: object = None) -> Reply:
    return {"Items": items, "NextToken": token}


@pytest.mark.parametrize("last", [{"Items": [3]}, page([3], ""), page([3])])
def test_the_pages_of_a_reply_are_one(last: Reply) -> None:
    assert paged(page([1, 2], "x"), page([], "y"), last) == ({"Items": [1, 2, 3]}, ["", "x", "y"])


def test_a_page_is_retried_by_itself() -> None:
    assert paged(page([1], "x"), REFUSED, page([2])) == ({"Items": [1, 2]}, ["", "x", "x"])


INVALID_PAGES: list[Reply] = [
    *({}, {"NextToken": "z"}, {"__type": "InternalServerError", "message": "correct-horse"}),
    *(page(items) for items in (None, "correct-horse", {"Name": "correct-horse"}, 0)),
    page([{}] * (MOST + 1)),
    *(page([2], token) for token in (0, False, True, 1, ["x"], {"x": "y"}, [])),
]


@pytest.mark.parametrize("invalid", INVALID_PAGES)
@pytest.mark.parametrize("before", [[], [page([1], "x")]], ids=["first", "later"])
def test_a_page_that_is_not_valid_is_a_failure(before: list[Step], invalid: Reply) -> None:
    found, _ = paged(*before, invalid, page([3]))
    assert isinstance(found, EntrypointError)
    expected = f"page {len(before) + 1} of the reply is not valid; check that the endpoint is AWS's"
    assert (found.kind, str(found)) == (UNAVAILABLE, expected)


@pytest.mark.parametrize("pages", [[page([1], "x")], [page([1], "x"), page([1], "y")]])
def test_a_token_that_comes_twice_is_a_failure(pages: list[Step]) -> None:
    found, tokens = paged(*pages, page([1], "x"))
    expected = "two pages of the reply have the same NextToken; check that the endpoint is AWS's"
    assert (str(found), len(tokens)) == (expected, len(pages) + 1)


TOO_LARGE = "the reply is larger than 1,000 pages or 8,000,000 bytes; request fewer at once"


def test_there_are_a_thousand_pages_at_most() -> None:
    pages = [page([number], str(number)) for number in range(MAX_PAGES)]
    found, tokens = paged(*pages)
    assert (str(found), len(tokens)) == (TOO_LARGE, MAX_PAGES)


def test_a_thousand_pages_are_read() -> None:
    pages = [page([number], str(number)) for number in range(MAX_PAGES - 1)]
    found, _ = paged(*pages, page([MAX_PAGES - 1]))
    assert found == {"Items": list(range(MAX_PAGES))}


def test_the_pages_have_a_size_in_all() -> None:
    pages = [page([], str(number)) for number in range(20)]
    found, tokens = paged(*pages, size=MAX_SIZE // 8)
    assert (str(found), len(tokens)) == (TOO_LARGE, 9)


def test_a_reply_without_pages_has_no_next_one() -> None:
    script = Script({"a": [{"NextToken": "x"}]})
    assert (outcomes(["a"], script), len(script.sent)) == ([{"NextToken": "x"}], 1)


def test_without_time_nothing_is_sent() -> None:
    script = Script({"a": [{}]})
    assert (texts(outcomes(["a"], script, 0.0)), dict(script.timeouts)) == ([LATE.format(0)], {})


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, in whole milliseconds; chance makes each as long as it may be, and nobody waits."""
    made: list[float] = []
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.sleep", lambda seconds: made.append(round(1000 * seconds)))
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.posix.urandom", lambda size: size * b"\xff")
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
    monkeypatch.setattr("run_lambda_entrypoint.aws.send.posix.urandom", lambda size: b"\x80" + bytes(size - 1))
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
