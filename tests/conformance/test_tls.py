"""TLS as `_ssl` and as `ssl` have it: the same verdict and the same error, in every interpreter that is found."""

from __future__ import annotations

import select
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.cases import (
    ACCEPTED,
    CERTIFICATES,
    FAILED,
    GOOD,
    HOST,
    MODERN,
    NO_NAME,
    OTHER,
    READ,
    ROOT,
    SIZE,
    STORE,
    VERSIONS,
    context,
)
from tests.conformance.conftest import agreed
from tests.conformance.servers import alert, end, plain, reset, serving
from tests.harness.http_server import listening, silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tests.conformance.certificates import Certificate
    from tests.conformance.conftest import Halves

PLENTY = 30.0
"""A time that no answer takes, in seconds."""

SOON = {"nothing was sent": 0.3, "the request was sent": 1.5}
"""What is waited for an answer that never comes, in seconds. It has to leave the time for what comes before."""

TRUNCATED = "the reply from HOST was truncated; failure.retryable=True"
NO_ANSWER = "no answer from HOST; {}; failure.retryable=True"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("certificates")

    def make(certificate: Certificate = GOOD, versions: str = MODERN) -> ssl.SSLContext:
        return context(folder / "server.pem", certificate, versions)

    return make


def outcomes(
    halves: Halves,
    tls: ssl.SSLContext,
    *,
    host: str | None = HOST,
    store: str = STORE,
    phase: str = "end",
    then: Callable[[socket.socket], None] = end,
    seconds: float = PLENTY,
    size: int = SIZE,
    until: int | None = None,
) -> dict[str, tuple[Any, Any]]:
    """What comes of an exchange in each interpreter, over both halves."""
    with listening(serving(tls, size, phase, then)) as port:
        return halves.play("exchange", port, store, host, seconds, size, until)


def check(found: dict[str, tuple[Any, Any]], expected: str) -> None:
    """Both halves agree, have `expected` in what came of it, and have closed the socket."""
    answers = agreed(found).items()
    shown = {version: (expected if expected in text else text, closed) for version, (text, closed) in answers}
    assert shown == dict.fromkeys(found, (expected, True))


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_is_judged_alike(halves: Halves, server: Callable[..., ssl.SSLContext], name: str) -> None:
    case = CERTIFICATES[name]
    check(outcomes(halves, server(case.certificate), host=case.host, store=case.store), case.expected)


@pytest.mark.parametrize("versions", VERSIONS)
def test_a_version_of_tls_is_judged_alike(halves: Halves, server: Callable[..., ssl.SSLContext], versions: str) -> None:
    check(outcomes(halves, server(versions=versions)), VERSIONS[versions])


SINGLE = ("TLSv1_2", "TLSv1_3")
UNENCRYPTED = ("accepted", "hello", "flight")
ENCRYPTED = ("handshake", "reply")


@pytest.mark.parametrize("version", SINGLE)
@pytest.mark.parametrize("phase", [*UNENCRYPTED, *ENCRYPTED])
@pytest.mark.parametrize("then", [end, reset])
def test_an_end_in_any_phase_is_truncation(
    halves: Halves,
    server: Callable[..., ssl.SSLContext],
    version: str,
    phase: str,
    then: Callable[[socket.socket], None],
) -> None:
    check(outcomes(halves, server(versions=f"{version} to {version}"), phase=phase, then=then), TRUNCATED)


@pytest.mark.parametrize("version", SINGLE)
@pytest.mark.parametrize("phase", [*UNENCRYPTED, *ENCRYPTED])
def test_silence_in_any_phase_is_a_timeout(
    halves: Halves, server: Callable[..., ssl.SSLContext], version: str, phase: str
) -> None:
    sent = "nothing was sent" if phase in UNENCRYPTED else "the request was sent"
    tls = server(versions=f"{version} to {version}")
    check(outcomes(halves, tls, phase=phase, then=silent, seconds=SOON[sent]), NO_ANSWER.format(sent))


@pytest.mark.parametrize("version", SINGLE)
@pytest.mark.parametrize("phase", ["accepted", "hello", "handshake"])  # in the others it would be a part of a record
@pytest.mark.parametrize("then", [alert, plain])
def test_what_is_not_encrypted_is_refused_in_any_phase(
    halves: Halves,
    server: Callable[..., ssl.SSLContext],
    version: str,
    phase: str,
    then: Callable[[socket.socket], None],
) -> None:
    check(outcomes(halves, server(versions=f"{version} to {version}"), phase=phase, then=then), FAILED.format(""))


@pytest.mark.parametrize(
    ("then", "until", "expected"), [(plain, select.POLLIN, FAILED.format("")), (reset, 0, TRUNCATED)]
)
def test_without_a_handshake_nothing_is_a_reply(
    halves: Halves,
    server: Callable[..., ssl.SSLContext],
    then: Callable[[socket.socket], None],
    until: int,
    expected: str,
) -> None:
    """CVE-2023-40217: a socket that is not connected any more when its handshake is to begin."""
    check(outcomes(halves, server(), phase="accepted", then=then, until=until, size=0), expected)


@pytest.mark.parametrize("version", SINGLE)
@pytest.mark.parametrize("size", [1, 16_384, 16_385, 3_000_000])
def test_any_size_is_written_and_read(
    halves: Halves, server: Callable[..., ssl.SSLContext], version: str, size: int
) -> None:
    check(outcomes(halves, server(versions=f"{version} to {version}"), size=size), READ.format(size))


@pytest.mark.parametrize("size", [1, 16_000_000])  # the kernel takes a few million at once
def test_any_size_is_written_and_read_without_tls(halves: Halves, size: int) -> None:
    def handle(connection: socket.socket) -> None:
        while not connection.recv(65_536).endswith(b"\n"):
            continue
        connection.sendall(b"." * size)
        end(connection)

    with listening(handle) as port:
        check(halves.play("exchange", port, "", None, PLENTY, size, None), READ.format(size))


@pytest.mark.parametrize("count", [0, 20])
def test_session_tickets_are_read_over(halves: Halves, server: Callable[..., ssl.SSLContext], count: int) -> None:
    tls = server()
    tls.num_tickets = count
    check(outcomes(halves, tls), ACCEPTED)


@pytest.mark.parametrize("attribute", ["check_hostname", "verify_mode"])
def test_a_context_that_verifies_nothing_is_refused(
    halves: Halves, server: Callable[..., ssl.SSLContext], attribute: str
) -> None:
    with listening(serving(server(), SIZE, "end", end)) as port:
        found = agreed(halves.play("unverified", port, STORE, attribute))
    assert found == dict.fromkeys(found, NO_NAME)


def test_contexts_are_set_up_alike(halves: Halves) -> None:
    text = "no certificate"
    stores = [STORE, f"hex:{ROOT.der.hex()}", f"hex:{(ROOT.der + OTHER.der).hex()}", STORE + OTHER.pem]
    found = agreed(halves.play("contexts", [*stores, "", text, "hex:", "hex:00", STORE + text, STORE[:-40]]))
    verified = {(True, ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)}
    assert {tuple(contexts[0][:3]) for contexts in found.values()} == verified
    read = [[each and each[-2] for each in contexts] for contexts in found.values()]
    assert read == [[1, 1, 2, 2, None, None, None, None, 1, None]] * len(found)
