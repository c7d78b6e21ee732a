"""Every fault on the way to a secret: how the run ends, when, and in which words. Both transports tell it alike.

Faults of connections have a run of their own. Faults of replies share one, since a start of botocore's takes longer
than all of them: each is played for the secret of its name.
"""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import trustme
from botocore.session import Session

from tests.harness.fault_server import (
    CLOSE,
    DRIP,
    MUTE,
    RESET,
    Reply,
    black_hole,
    by_close,
    by_length,
    error,
    fault_server,
    head,
    listening,
    secret,
    silent,
)
from tests.transports.runs import context, run, scripted, told, worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.harness.entrypoint import Entrypoint
    from tests.transports.conftest import Authority

    Stage = Callable[[Authority], AbstractContextManager[str]]

AT_ONCE, AT_THE_DEADLINE = "at once", "at the deadline"
DEADLINES = {
    # Which deadline a run is given, in seconds. It has to leave the time to start and to try once.
    (AT_ONCE, "direct"): 60,
    (AT_ONCE, "botocore"): 60,
    (AT_THE_DEADLINE, "direct"): 2,
    (AT_THE_DEADLINE, "botocore"): 8,
}
BOUND = 30
"""When every run must have ended, in seconds: a hang, or a fault that is tried again for nothing, takes longer."""

YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
DOCUMENT = secret('{"key": "value"}')
WELL = by_length(DOCUMENT)


class Fault(NamedTuple):
    """What is played, when a run with it ends, with which exit code and which words on standard error."""

    played: Sequence[Reply] | Stage
    ends: str
    words: str
    code: int = 125


# -- Stages: connections that misbehave before there is a reply; each yields the URL to ask


@contextmanager
def refused(_: Authority) -> Iterator[str]:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def no_answer_to_syn(_: Authority) -> Iterator[str]:
    with black_hole() as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def mute_after_accept(_: Authority) -> Iterator[str]:
    with listening(silent) as port:
        yield f"https://127.0.0.1:{port}"


@contextmanager
def mute_after_tls(authority: Authority) -> Iterator[str]:
    tls = context(authority.ca.issue_cert("127.0.0.1"))

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as wrapped:
            silent(wrapped)

    with listening(serve) as port:
        yield f"https://127.0.0.1:{port}"


@contextmanager
def plain_http(_: Authority) -> Iterator[str]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as port:
        yield f"https://127.0.0.1:{port}"


def over(tls: Callable[[Authority], ssl.SSLContext]) -> Stage:
    """All is well but for this TLS."""

    @contextmanager
    def stage(authority: Authority) -> Iterator[str]:
        with fault_server(lambda _: WELL, tls=tls(authority)) as port:
            yield f"https://127.0.0.1:{port}"

    return stage


def wrong_name(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("example.com"))


def expired(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("127.0.0.1", not_after=YESTERDAY))


def self_signed(_: Authority) -> ssl.SSLContext:
    made, ca = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with ca.cert_pem.tempfile() as certificate, ca.private_key_pem.tempfile() as private_key:
        made.load_cert_chain(certificate, private_key)
    return made


# -- The table

NO_SECRET = "the reply holds neither SecretString nor SecretBinary"
NOT_AWS = "HOST answered with something that is not AWS's JSON; is it the right endpoint, and no proxy?"
NO_ANSWER = "not fetched within N s; the last fault: no answer from HOST"
CUT = "not fetched within N s; the last fault: the reply of HOST was cut short"
UNTRUSTED = "the certificate of HOST is not trusted: "
LIMITED = "AWS limits how often it may be asked"
MODELLED = [
    shape.name for shape in Session().get_service_model("secretsmanager").operation_model("GetSecretValue").error_shapes
]

FAULTS: Mapping[str, Fault] = {
    # Connections.
    "refused": Fault(
        refused,
        AT_THE_DEADLINE,
        "not fetched within N s; the last fault: could not talk to HOST: Connection refused; is there a way to that "
        "host? A function in a VPC reaches it through a VPC endpoint for the service or a NAT gateway",
    ),
    "black_hole": Fault(no_answer_to_syn, AT_THE_DEADLINE, NO_ANSWER),
    "mute_after_accept": Fault(mute_after_accept, AT_THE_DEADLINE, NO_ANSWER),
    "mute_after_tls": Fault(mute_after_tls, AT_THE_DEADLINE, NO_ANSWER),
    "wrong_name": Fault(over(wrong_name), AT_ONCE, f"{UNTRUSTED}it is for another name"),
    "expired": Fault(over(expired), AT_ONCE, f"{UNTRUSTED}certificate has expired"),
    "self_signed": Fault(over(self_signed), AT_ONCE, "(tried AWS_CA_BUNDLE="),
    "plain_http": Fault(plain_http, AT_ONCE, "TLS with HOST failed"),
    # Replies.
    "mute_after_the_request": Fault([Reply(b"", MUTE)], AT_THE_DEADLINE, NO_ANSWER),
    "mute_in_the_head": Fault([Reply(head(200)[:20], MUTE)], AT_THE_DEADLINE, NO_ANSWER),
    "mute_in_the_body": Fault([Reply(head(200, "Content-Length: 9"), MUTE)], AT_THE_DEADLINE, NO_ANSWER),
    "drip": Fault([Reply(head(200, "Content-Length: 9999"), DRIP)], AT_THE_DEADLINE, NO_ANSWER),
    "cut": Fault([by_length(DOCUMENT).cut(-5)], AT_THE_DEADLINE, CUT),
    "cut_at_the_beginning": Fault([Reply(b"", CLOSE)], AT_THE_DEADLINE, CUT),
    "reset": Fault([by_length(DOCUMENT).cut(-5, RESET)], AT_THE_DEADLINE, CUT),
    "status_429": Fault(
        [by_length(b"", 429)],
        AT_THE_DEADLINE,
        f"the last fault: HTTP 429: HOST answered without an error of AWS's; {LIMITED}",
    ),
    "status_500": Fault(
        [error(500, "InternalServiceError", "once more")],
        AT_THE_DEADLINE,
        "the last fault: InternalServiceError: once more",
    ),
    "status_503": Fault(
        [by_length(b"<html>", 503)], AT_THE_DEADLINE, "the last fault: HTTP 503: HOST answered without"
    ),
    "throttled": Fault(
        [error(400, "ThrottlingException", "Rate exceeded")],
        AT_THE_DEADLINE,
        f"the last fault: ThrottlingException: Rate exceeded; {LIMITED}",
    ),
    "redirect": Fault(
        [by_length(b"", 302, "Location: http://127.0.0.1:9/"), WELL],
        AT_ONCE,
        "HTTP 302: HOST answered without an error of AWS's; it redirects, so it is not the endpoint itself",
    ),
    "captive_portal": Fault([by_length(b"<html>Please log in"), WELL], AT_ONCE, NOT_AWS),
    "empty": Fault([by_length(b""), WELL], AT_ONCE, NOT_AWS),
    "array": Fault([by_length(b"[]"), WELL], AT_ONCE, NOT_AWS),
    "number_for_text": Fault([by_length(b'{"SecretString": 1}'), WELL], AT_ONCE, NO_SECRET),
    "object_for_text": Fault([by_length(b'{"SecretString": {"key": "value"}}'), WELL], AT_ONCE, NO_SECRET),
    "number_for_bytes": Fault([by_length(b'{"SecretBinary": 1}'), WELL], AT_ONCE, NO_SECRET),
    "no_base64_for_bytes": Fault(
        [by_length(b'{"SecretBinary": "*"}'), WELL], AT_ONCE, "the secret is binary and no UTF-8 text"
    ),
    "number_for_an_errors_type": Fault(
        [by_length(b'{"__type": 1, "message": []}', 400), WELL], AT_ONCE, "HTTP 400: HOST answered without"
    ),
    "ten_megabytes": Fault([by_length(b" " * 10_000_000), WELL], AT_ONCE, "the reply of HOST is over 1,048,576 bytes"),
    "ten_megabytes_unframed": Fault(
        [by_close(b" " * 10_000_000), WELL], AT_ONCE, "the reply of HOST is over 1,048,576 bytes"
    ),
    **{name: Fault([error(400, name, "it said"), WELL], AT_ONCE, f"{name}: it said") for name in MODELLED},
    "unknown_type": Fault([error(400, "BrandNewException", "it said"), WELL], AT_ONCE, "BrandNewException: it said"),
    "denied": Fault(
        [error(400, "AccessDeniedException", "no"), WELL],
        AT_ONCE,
        "AccessDeniedException: no; allow it in the role's policy: {",
    ),
    "wrong_clock": Fault(
        [
            by_length(
                b'{"__type": "InvalidSignatureException", "message": "Signature expired: x"}', 400, f"Date: {DATE}"
            ),
            WELL,
        ],
        AT_ONCE,
        "InvalidSignatureException: Signature expired: x; set the clock: this machine's says NOW, AWS's " + DATE,
    ),
    # Faults that pass: the command starts.
    "throttled_twice": Fault(
        [error(400, "ThrottlingException"), error(400, "ThrottlingException"), WELL], AT_ONCE, "", code=0
    ),
    "status_503_twice": Fault([by_length(b"", 503), by_length(b"", 503), WELL], AT_ONCE, "", code=0),
    "cut_and_reset": Fault(
        [by_length(DOCUMENT).cut(-5), by_length(DOCUMENT).cut(-5, RESET), WELL], AT_ONCE, "", code=0
    ),
}


class Outcome(NamedTuple):
    code: int
    in_time: bool
    words: str


def outcomes(
    entrypoint: Entrypoint, transport: str, authority: Authority, url: str, names: Sequence[str]
) -> dict[str, Outcome]:
    """How each of the faults `names`, played in one run, ended; its whole message where it lacks the words."""
    begin = monotonic()
    seconds = DEADLINES[FAULTS[names[0]].ends, transport]
    ended = run(entrypoint, transport, url, names, seconds=seconds, AWS_CA_BUNDLE=str(authority.file))
    messages = dict.fromkeys(names, "") | told(ended, url.partition("://")[2])
    shown = worded(messages, {name: FAULTS[name].words for name in names})
    return {name: Outcome(ended.code, monotonic() - begin < BOUND, words) for name, words in shown.items()}


def test_every_fault_ends_as_the_table_says(entrypoint: Entrypoint, transport: str, authority: Authority) -> None:
    def on_stage(name: str) -> dict[str, Outcome]:
        stage = FAULTS[name].played
        assert callable(stage)
        with stage(authority) as url:
            return outcomes(entrypoint, transport, authority, url, [name])

    def in_replies(names: Sequence[str]) -> dict[str, Outcome]:
        replies = {name: played for name in names if not callable(played := FAULTS[name].played)}
        with fault_server(scripted(replies)) as port:
            return outcomes(entrypoint, transport, authority, f"http://127.0.0.1:{port}", names)

    stages = [name for name, fault in FAULTS.items() if callable(fault.played)]
    together: dict[tuple[str, int], list[str]] = {}
    for name in FAULTS.keys() - set(stages):
        together.setdefault((FAULTS[name].ends, FAULTS[name].code), []).append(name)
    actual: dict[str, Outcome] = {}
    # Few at once: a start must not take longer than the deadline.
    with ThreadPoolExecutor(3) as executor:
        for played in (executor.map(in_replies, together.values()), executor.map(on_stage, stages)):
            for outcome in played:
                actual |= outcome
    assert actual == {name: Outcome(fault.code, True, fault.words) for name, fault in FAULTS.items()}
