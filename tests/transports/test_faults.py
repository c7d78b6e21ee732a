"""Every fault on the way to a secret: when the run fails, and with which message, the same over both transports.

A fault of a connection has a run of its own. Faults of replies that end alike share one, since a start of botocore
takes longer than all of them: each is played for the secret of its name. `-k redirect_302` runs one fault of those
that end a run at once; those that end it at the deadline share a test. Errors after which a retry succeeds are in
tests/transports/test_replies.py.
"""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import trustme
from botocore.session import Session

from run_lambda_entrypoint.errors import MAX_PROBLEMS
from tests.harness.entrypoint import TRANSPORTS, aws
from tests.harness.http_server import (
    CLOSE,
    DRIP,
    MUTE,
    RESET,
    Reply,
    arn,
    black_hole,
    by_chunks,
    by_close,
    by_length,
    error,
    head,
    http_server,
    listening,
    secret_body,
    silent,
)
from tests.transports.runs import context, messages, run, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.harness.entrypoint import Entrypoint
    from tests.transports.conftest import Authority

    Stage = Callable[[Authority], AbstractContextManager[str]]

AT_ONCE, AT_THE_DEADLINE = "at once", "at the deadline"
DEADLINES = {
    # The deadline of a run, in seconds. It has to leave the time to start, beside others, and to try once.
    (AT_ONCE, "direct"): 60,
    (AT_ONCE, "botocore"): 60,
    (AT_THE_DEADLINE, "direct"): 4,
    (AT_THE_DEADLINE, "botocore"): 10,
}
BOUND = 30
"""When every run must have ended, in seconds: a hang, or a fault that is retried for nothing, takes longer."""

NOW = datetime.now(timezone.utc)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
DOCUMENT = secret_body(SecretString='{"key": "value"}')
WELL = by_length(DOCUMENT)


class Fault(NamedTuple):
    """What is played, when a run with it fails, and a part of its message."""

    played: Sequence[Reply] | Stage
    ends: str
    message: str


def lasting(reply: Reply, message: str) -> Fault:
    """A reply that ends the run at once: the next one, which would be well, is never requested."""
    return Fault([reply, WELL], AT_ONCE, message)


def retried(reply: Reply, message: str) -> Fault:
    """A reply after which the same is requested again and again until the deadline."""
    return Fault([reply], AT_THE_DEADLINE, message)


def denied(clause: str, hint: str) -> Fault:
    """AWS's message for denied access, with the clause that names the policy."""
    text = f"{CALLER} is not authorized to perform: secretsmanager:GetSecretValue on resource: name {clause}"
    return lasting(error(400, "AccessDeniedException", text), f"{clause}; {hint}")


def holding(name: str, **fields: Any) -> Reply:
    """Secrets Manager's reply for the secret `name` with these fields; they may replace its ARN and name."""
    return by_length(secret_body(name, **fields))


# -- Stages: connections that misbehave before there is a reply; each yields the endpoint's URL


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
def endless(_: Authority) -> Iterator[str]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head(200, f"Content-Length: {10**15}"))
        while True:
            connection.sendall(bytes(65_536))

    with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def plain_http(_: Authority) -> Iterator[str]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as port:
        yield f"https://127.0.0.1:{port}"


def over(tls: Callable[[Authority], ssl.SSLContext]) -> Stage:
    """Only this TLS is wrong."""

    @contextmanager
    def stage(authority: Authority) -> Iterator[str]:
        with http_server(lambda _: WELL, tls=tls(authority)) as server:
            yield server.url

    return stage


def wrong_name(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("example.com", "*.example.org"))


def expired(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("127.0.0.1", not_after=YESTERDAY))


def not_yet_valid(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("127.0.0.1", not_before=TOMORROW, not_after=TOMORROW + timedelta(days=90)))


def shown(moment: datetime) -> str:
    """As OpenSSL writes it."""
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S %Y} GMT"


def self_signed(_: Authority) -> ssl.SSLContext:
    made, ca = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    with ca.cert_pem.tempfile() as certificate, ca.private_key_pem.tempfile() as private_key:
        made.load_cert_chain(certificate, private_key)
    return made


# -- The table

LATE = "not fetched within N s; the last error: "
NETWORK = "check AWS_ENDPOINT_URL_SECRETS_MANAGER, which names that host, and network access to it"
NO_ANSWER = "no answer from HOST"
NOTHING_SENT = f"not fetched within N s: no answer from HOST; nothing was sent; {NETWORK}"
SENT = f"not fetched within N s: no answer from HOST; the request was sent; {NETWORK}"
TRUNCATED = f"{LATE}the reply from HOST was truncated"
UNTRUSTED = "the certificate of HOST is not trusted: "
EXPIRED = (
    f"certificate has expired (valid until {shown(YESTERDAY)}); whoever runs that host has to renew it, unless the "
    "clock is wrong: this machine's time is NOW"
)
LIMITED = "AWS limits the rate of requests"
MISMATCH = "the reply does not answer the request: "
NO_SECRET = "the reply contains neither SecretString nor SecretBinary"
NOT_AWS = "HOST returned something that is not AWS's JSON; check that it is the endpoint, not a proxy"
NOT_HTTP = "HOST did not return a valid HTTP response"
NO_CODE = "HOST returned no AWS error code"
TOO_LARGE = "the reply from HOST is larger than 1,048,576 bytes"
LARGE = b" " * 10_000_000
CALLER = "User: arn:aws:sts::123456789012:assumed-role/role/session"
ALLOW = '"Effect": "Allow"'
MODELLED = [
    shape.name for shape in Session().get_service_model("secretsmanager").operation_model("GetSecretValue").error_shapes
]

FAULTS: Mapping[str, Fault] = {
    # Connections.
    "refused": Fault(refused, AT_THE_DEADLINE, f"{LATE}could not connect to HOST: Connection refused; {NETWORK}"),
    "black_hole": Fault(no_answer_to_syn, AT_THE_DEADLINE, NO_ANSWER),
    "mute_after_accept": Fault(mute_after_accept, AT_THE_DEADLINE, NOTHING_SENT),
    "mute_after_tls": Fault(mute_after_tls, AT_THE_DEADLINE, SENT),
    "wrong_name": Fault(
        over(wrong_name),
        AT_ONCE,
        f"{UNTRUSTED}hostname mismatch (it is for example.com, *.example.org); check AWS_ENDPOINT_URL_SECRETS_MANAGER, "
        "which names that host, and find out what answers in its place: a proxy that inspects TLS, for instance, or",
    ),
    "expired": Fault(over(expired), AT_ONCE, f"{UNTRUSTED}{EXPIRED}"),
    "not_yet_valid": Fault(
        over(not_yet_valid),
        AT_ONCE,
        f"{UNTRUSTED}certificate is not yet valid (valid from {shown(TOMORROW)}); set the clock: this machine's time "
        "is NOW",
    ),
    "self_signed": Fault(over(self_signed), AT_ONCE, "(tried AWS_CA_BUNDLE="),
    "endless": Fault(endless, AT_ONCE, TOO_LARGE),
    "plain_http": Fault(plain_http, AT_ONCE, "TLS with HOST failed"),
    # Replies that do not come, or not whole.
    "mute_after_the_request": retried(Reply(b"", MUTE), SENT),
    "mute_in_the_head": retried(Reply(head(200)[:20], MUTE), SENT),
    "mute_in_the_body": retried(Reply(head(200, "Content-Length: 9"), MUTE), SENT),
    "drip": retried(Reply(head(200, "Content-Length: 9999"), DRIP), SENT),
    "truncated": retried(by_length(DOCUMENT).cut(-5), TRUNCATED),
    "truncated_at_the_beginning": retried(Reply(b"", CLOSE), TRUNCATED),
    "reset": retried(by_length(DOCUMENT).cut(-5, RESET), TRUNCATED),
    # Replies of a service in trouble.
    "status_429": retried(by_length(b"", 429), f"HTTP 429: {NO_CODE}; {LIMITED}"),
    "status_500": retried(error(500, "InternalServiceError", "once more"), f"{LATE}InternalServiceError: once more"),
    "status_503": retried(by_length(b"<html>", 503), f"{LATE}HTTP 503: {NO_CODE}"),
    "throttled": retried(
        error(400, "ThrottlingException", "Rate exceeded"), f"{LATE}ThrottlingException: Rate exceeded; {LIMITED}"
    ),
    # Replies that are not HTTP, or not AWS's.
    "ssh": lasting(Reply(b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE), NOT_HTTP),
    "status_of_letters": lasting(Reply(b"HTTP/1.1 abc Reason\r\n\r\n", CLOSE), NOT_HTTP),
    "long_line": lasting(Reply(head(200, "X-Long: " + "x" * 70_000), CLOSE), NOT_HTTP),
    "many_headers": lasting(by_length(b"{}", 200, *(f"X-Header-{i}: {i}" for i in range(200))), NOT_HTTP),
    "chunk_without_a_size": lasting(
        Reply(head(200, "Transfer-Encoding: chunked") + b"size\r\n{}\r\n0\r\n\r\n", CLOSE), NOT_HTTP
    ),
    "redirect_302": lasting(
        by_length(b"", 302, "Location: http://127.0.0.1:9/"),
        f"HTTP 302: {NO_CODE}; it redirects, so it is not the endpoint itself",
    ),
    "redirect_307": lasting(by_length(b"", 307, "Location: /elsewhere"), f"HTTP 307: {NO_CODE}; it redirects"),
    "captive_portal": lasting(by_length(b"<html>Please log in"), NOT_AWS),
    "empty": lasting(by_length(b""), NOT_AWS),
    "array": lasting(by_length(b"[]"), NOT_AWS),
    "null": lasting(by_length(b"null"), NOT_AWS),
    "not_json": lasting(by_length(b"no JSON"), NOT_AWS),
    "not_utf8": lasting(by_length(b'{"SecretString": "\xff"}'), NOT_AWS),
    "nested_deeply": lasting(by_length(b"[" * 100_000), NOT_AWS),
    "no_secret": lasting(holding("no_secret"), NO_SECRET),
    "null_for_text": lasting(holding("null_for_text", SecretString=None), NO_SECRET),
    "number_for_text": lasting(holding("number_for_text", SecretString=1), NO_SECRET),
    "object_for_text": lasting(holding("object_for_text", SecretString={"key": "value"}), NO_SECRET),
    "number_for_bytes": lasting(holding("number_for_bytes", SecretBinary=1), NO_SECRET),
    "no_base64_for_bytes": lasting(
        holding("no_base64_for_bytes", SecretBinary="*"),
        "the reply's SecretBinary is not base64; check that the endpoint is Secrets Manager",
    ),
    "ten_megabytes": lasting(by_length(LARGE), TOO_LARGE),
    "ten_megabytes_unframed": lasting(by_close(LARGE), TOO_LARGE),
    "ten_megabytes_by_chunks": lasting(by_chunks(LARGE, 65_536), TOO_LARGE),
    # Replies to another request.
    "another_name": lasting(holding("another_name", Name="name", SecretString="{}"), f"{MISMATCH}the Name differs"),
    "no_name": lasting(holding("no_name", Name=None, SecretString="{}"), f"{MISMATCH}the Name differs"),
    "no_arn": lasting(holding("no_arn", ARN=None, SecretString="{}"), f"{MISMATCH}it contains no ARN"),
    "another_region": lasting(
        holding("another_region", ARN=arn("another_region").replace("eu-west-1", "eu-west-2"), SecretString="{}"),
        f"{MISMATCH}the ARN is in another Region",
    ),
    "another_stage": lasting(
        holding("another_stage", VersionStages=["AWSPREVIOUS"], SecretString="{}"),
        f"{MISMATCH}VersionStages does not contain AWSCURRENT",
    ),
    # AWS's errors.
    **{name: lasting(error(400, name, "it said"), f"{name}: it said") for name in MODELLED},
    "unknown_type": lasting(error(400, "BrandNewException", "it said"), "BrandNewException: it said"),
    "type_with_namespace": lasting(error(400, "com.amazonaws.secretsmanager#AnyException", "no"), "AnyException: no"),
    "type_with_url": lasting(error(400, "AnyException:http://aws/doc", "no"), "AnyException: no"),
    "type_in_a_header": lasting(
        by_length(b'{"Message": "no"}', 400, "X-Amzn-ErrorType: AnyException:http://internal.amazon.com/"),
        "AnyException: no",
    ),
    "header_before_body": lasting(
        by_length(b'{"__type": "Other", "message": "no"}', 400, "x-amzn-errortype: AnyException"), "AnyException: no"
    ),
    "type_as_code": lasting(by_length(b'{"code": "AnyException"}', 400), "AnyException"),
    "control_characters": lasting(error(400, "OddException", "one\x1b[31m\ntwo"), r"OddException: one\x1b[31m\ntwo"),
    "number_for_a_type": lasting(by_length(b'{"__type": 1, "message": []}', 400), f"HTTP 400: {NO_CODE}"),
    "status_400": lasting(by_length(b"<html>Bad Request", 400), f"HTTP 400: {NO_CODE}"),
    "status_403": lasting(by_length(b"", 403), f"HTTP 403: {NO_CODE}"),
    "status_404": lasting(by_length(b"[]", 404), f"HTTP 404: {NO_CODE}"),
    "status_204": lasting(Reply(head(204), CLOSE), f"HTTP 204: {NO_CODE}"),
    "denied": lasting(
        error(400, "AccessDeniedException", "no"), "AccessDeniedException: no; allow it in the role's policy: {"
    ),
    "denied_by_the_role": denied(
        "because no identity-based policy allows it", f"allow it in the role's policy: {{{ALLOW}"
    ),
    "denied_by_the_secret": denied(
        "because no resource-based policy allows it",
        "allow it in the resource policy of the secret, which its owner can change: "
        f'{{{ALLOW}, "Principal": {{"AWS": "arn:aws:iam::123456789012:role/role"}}, ',
    ),
    "denied_by_the_endpoint": denied(
        "because no VPC endpoint policy allows it",
        "allow it in the policy of the VPC endpoint, which the owner of the VPC can change: "
        f'{{{ALLOW}, "Principal": "*", ',
    ),
    "denied_by_the_boundary": denied(
        "because no permissions boundary allows it",
        "allow secretsmanager:GetSecretValue in the role's permissions boundary, which an administrator of the role's "
        "account can change; adding it to the role's policy has no effect",
    ),
    "denied_by_the_organization": denied(
        "with an explicit deny in a service control policy",
        "remove the Deny from a service control policy (SCP), which an administrator of the AWS organization can "
        "change; adding an Allow has no effect",
    ),
    "no_value": lasting(
        error(
            400,
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        ),
        "the secret exists but has no value; store one: aws secretsmanager put-secret-value --region eu-west-1 "
        "--secret-id no_value --secret-string file://FILE",
    ),
    "wrong_clock": lasting(
        by_length(b'{"__type": "InvalidSignatureException", "message": "Signature expired: x"}', 400, f"Date: {DATE}"),
        "InvalidSignatureException: Signature expired: x; set the clock: this machine's time is NOW, AWS's is " + DATE,
    ),
}


class Outcome(NamedTuple):
    code: int
    in_time: bool
    message: str


Outcomes = dict[str, Outcome]
_played: dict[str, Outcomes] = {}


def outcomes(
    entrypoint: Entrypoint, transport: str, authority: Authority, url: str, names: Collection[str], ends: str
) -> Outcomes:
    """How each of the faults `names`, played in one run, ended."""
    begin = monotonic()
    seconds = DEADLINES[ends, transport]
    ended = run(entrypoint, transport, url, names, seconds=seconds, AWS_CA_BUNDLE=str(authority.file))
    in_time = monotonic() - begin < BOUND
    found = dict.fromkeys(names, "") | messages(ended, url.partition("://")[2])
    return {name: Outcome(ended.code, in_time, message) for name, message in found.items()}


def of_stage(entrypoint: Entrypoint, transport: str, authority: Authority, name: str) -> Outcomes:
    fault = FAULTS[name]
    assert callable(fault.played)
    with fault.played(authority) as url:
        return outcomes(entrypoint, transport, authority, url, [name], fault.ends)


def replies(ends: str) -> dict[str, Sequence[Reply]]:
    """What is played for the faults of replies that end so."""
    faults = {name: fault.played for name, fault in FAULTS.items() if fault.ends == ends}
    return {name: played for name, played in faults.items() if not callable(played)}


def of_replies_at_once(entrypoint: Entrypoint, transport: str, authority: Authority) -> Outcomes:
    """How all faults of replies that end at once ended, played once for all tests of this process."""
    if transport not in _played:
        script = replies(AT_ONCE)
        with http_server(scripted(script)) as server:
            found: Outcomes = {}
            for first in range(0, len(script), MAX_PROBLEMS):  # what one report has room for
                names = list(script)[first : first + MAX_PROBLEMS]
                found |= outcomes(entrypoint, transport, authority, server.url, names, AT_ONCE)
            _played[transport] = found
    return _played[transport]


def at_the_deadline(entrypoint: Entrypoint, transport: str, authority: Authority) -> Outcomes:
    """How all faults that end then ended. All runs wait for it at the same time."""
    script = replies(AT_THE_DEADLINE)
    stages = [name for name, fault in FAULTS.items() if fault.ends == AT_THE_DEADLINE and name not in script]
    assert len(script) <= MAX_PROBLEMS
    found: Outcomes = {}
    with http_server(scripted(script)) as server, ThreadPoolExecutor(len(stages) + 1) as executor:
        own = [executor.submit(of_stage, entrypoint, transport, authority, name) for name in stages]
        shared = executor.submit(outcomes, entrypoint, transport, authority, server.url, script, AT_THE_DEADLINE)
        for each in (*own, shared):
            found |= each.result()
    return found


def judged(fault: Fault, actual: Outcome) -> Outcome:
    """What happened, with the table's message where that is a part of the actual one."""
    return actual._replace(message=fault.message) if fault.message in actual.message else actual


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.ends == AT_ONCE])
def test_a_fault_that_lasts_ends_the_run_at_once_as_the_table_says(
    entrypoint: Entrypoint, transport: str, authority: Authority, name: str
) -> None:
    fault = FAULTS[name]
    if callable(fault.played):
        actual = of_stage(entrypoint, transport, authority, name)[name]
    else:
        actual = of_replies_at_once(entrypoint, transport, authority)[name]
    assert judged(fault, actual) == Outcome(125, True, fault.message)


def test_both_transports_report_alike_what_lasts(entrypoint: Entrypoint, authority: Authority) -> None:
    direct, botocore = (of_replies_at_once(entrypoint, transport, authority) for transport in TRANSPORTS)
    assert direct == botocore


def test_faults_that_are_retried_end_the_run_at_the_deadline_as_the_table_says_over_both_transports_alike(
    entrypoint: Entrypoint, authority: Authority
) -> None:
    """One test, so that it waits for the deadline once."""
    direct, botocore = (at_the_deadline(entrypoint, transport, authority) for transport in TRANSPORTS)
    expected = {name: Outcome(125, True, fault.message) for name, fault in FAULTS.items() if fault.ends != AT_ONCE}
    assert {name: judged(FAULTS[name], actual) for name, actual in direct.items()} == expected
    assert direct == botocore


def test_a_denied_reference_that_may_mean_something_else_has_both_meanings(
    entrypoint: Entrypoint, transport: str
) -> None:
    text = f"{CALLER} is not authorized to perform: secretsmanager:GetSecretValue"
    partial = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:my-secret"
    references = {"SECRETS_MANAGER_ARN": partial, "LAMBDA_ENV_VALUE_FROM_P": "/app/p1"}
    with http_server(lambda _: error(400, "AccessDeniedException", text)) as server:
        ended = entrypoint("true", environ=aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport))

    parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/p1"
    whole, name = ended.err.splitlines()
    assert f'"Resource": ["{partial}", "{partial}-??????"]' in whole
    assert f"if it is a parameter, write {parameter}; if it is a secret, allow it in the role's policy: " in name


def test_after_a_304_no_body_is_waited_for(entrypoint: Entrypoint, transport: str) -> None:
    """Alone: a connection that is mute must not serve another call."""
    with http_server(lambda _: Reply(head(304), MUTE)) as server:
        ended = run(entrypoint, transport, server.url)
        assert messages(ended, server.address) == {"name": f"HTTP 304: {NO_CODE}"}
