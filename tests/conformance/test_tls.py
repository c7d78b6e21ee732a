"""TLS as `_ssl` and as `ssl` have it: the same verdict and the same error, in every interpreter that is found."""

from __future__ import annotations

import select
import ssl
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.conformance.certificates import CLIENT, Certificate, authority, leaf, weak_key
from tests.conformance.conftest import agreed
from tests.conformance.servers import alert, end, plain, reset, serving
from tests.harness.http_server import listening, silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from tests.conformance.conftest import Halves

HOST = "name.example"
ROOT = authority("root")
OTHER = authority("other root")
BETWEEN = authority("between", ROOT)
POWERLESS = authority("powerless", ROOT, may_issue=False)
EXPIRED = authority("expired", ROOT, days=(-9, -1))
SELF_SIGNED = leaf(None, HOST)
GOOD = leaf(ROOT, HOST)
STORE = ROOT.pem
PLENTY = 30.0
"""A time that no answer takes, in seconds."""

SOON = {"nothing was sent": 0.3, "the request was sent": 1.5}
"""What is waited for an answer that never comes, in seconds. It has to leave the time for what comes before."""

READ, SIZE = "read {} bytes", 1_000
MISMATCH = "hostname mismatch"
NO_ISSUER = "unable to get local issuer certificate (tried STORE)"
NO_NAME = "no hostname to verify"
TRUNCATED = "the reply from HOST was truncated; failure.retryable=True"
NO_ANSWER = "no answer from HOST; {}; failure.retryable=True"
FAILED = "TLS with HOST failed: {}"


class Case(NamedTuple):
    """A certificate, a hostname, and a part of what comes of them."""

    certificate: Certificate
    expected: str
    host: str | None = HOST
    store: str = STORE


def named(*names: str, common_name: str = "server") -> Certificate:
    return leaf(ROOT, *names, common_name=common_name)


ACCEPTED = READ.format(SIZE)
CERTIFICATES = {
    "good": Case(GOOD, ACCEPTED),
    "good for many names": Case(named("a.example", HOST, "127.0.0.1"), ACCEPTED),
    "expired": Case(leaf(ROOT, HOST, days=(-9, -1)), "certificate has expired"),
    "not yet valid": Case(leaf(ROOT, HOST, days=(1, 9)), "certificate is not yet valid"),
    "self-signed": Case(SELF_SIGNED, "self"),  # "self signed" and "self-signed" are OpenSSL's words
    "self-signed in the store": Case(SELF_SIGNED, ACCEPTED, store=SELF_SIGNED.pem),
    "self-signed in the store for another name": Case(SELF_SIGNED, MISMATCH, "other.example", SELF_SIGNED.pem),
    "another authority": Case(leaf(OTHER, HOST), NO_ISSUER),
    "incomplete chain": Case(leaf(BETWEEN, HOST), NO_ISSUER),
    "complete chain": Case(leaf(BETWEEN, HOST, chain=[BETWEEN]), ACCEPTED),
    "chain with its root": Case(leaf(BETWEEN, HOST, chain=[BETWEEN, ROOT]), ACCEPTED),
    "chain to another root": Case(leaf(BETWEEN, HOST, chain=[BETWEEN, ROOT]), "tried STORE", store=OTHER.pem),
    "chain over one that may not issue": Case(leaf(POWERLESS, HOST, chain=[POWERLESS]), "invalid CA certificate"),
    "chain over an expired one": Case(leaf(EXPIRED, HOST, chain=[EXPIRED]), "certificate has expired"),
    "store with the one between alone": Case(
        leaf(BETWEEN, HOST), "unable to get issuer certificate", store=BETWEEN.pem
    ),
    "for clients": Case(leaf(ROOT, HOST, purpose=CLIENT), "certificate purpose"),
    "weak key": Case(leaf(ROOT, HOST, key=weak_key()), "EE certificate key too weak"),
    # Names
    "another name": Case(named("other.example"), MISMATCH),
    "a part of the name": Case(named("example"), MISMATCH),
    "a name below": Case(named("a." + HOST), MISMATCH),
    "no name": Case(named(), MISMATCH),
    "a name in capitals": Case(GOOD, ACCEPTED, "NAME.Example"),
    "a name with a dot at its end": Case(GOOD, MISMATCH, HOST + "."),
    "wildcard": Case(named("*.name.example"), ACCEPTED, "a.name.example"),
    "wildcard for two labels": Case(named("*.name.example"), MISMATCH, "b.a.name.example"),
    "wildcard below a top-level domain": Case(named("*.example"), MISMATCH),
    "wildcard for no label": Case(named("*.name.example"), MISMATCH),
    "wildcard in a label": Case(named("n*e.example"), MISMATCH),
    "wildcard below a label": Case(named("name.*"), MISMATCH),
    "wildcard alone": Case(named("*"), MISMATCH),
    "name in the subject alone": Case(named(common_name=HOST), ACCEPTED),
    "name in the subject beside another": Case(named("other.example", common_name=HOST), MISMATCH),
    "IPv4 address": Case(named("127.0.0.1"), ACCEPTED, "127.0.0.1"),
    "another IPv4 address": Case(named("127.0.0.1"), "mismatch", "127.0.0.2"),
    "IPv6 address": Case(named("::1"), ACCEPTED, "::1"),
    "IPv6 address, written another way": Case(named("::1"), ACCEPTED, "0:0:0:0:0:0:0:1"),
    "address as a name": Case(named("dns:127.0.0.1"), "mismatch", "127.0.0.1"),
    "address in the subject alone": Case(named(common_name="127.0.0.1"), "mismatch", "127.0.0.1"),
    "name for an address": Case(named("127.0.0.1"), MISMATCH),
    # What is no hostname
    "missing": Case(GOOD, NO_NAME, None),
    "empty": Case(GOOD, NO_NAME, ""),
    "not ASCII": Case(GOOD, NO_NAME, "näme.example"),
    "not ASCII, for the name as IDNA": Case(named("xn--nme-qla.example"), NO_NAME, "näme.example"),
    "lone surrogate": Case(GOOD, NO_NAME, "\udce9.example"),
    "dot alone": Case(GOOD, FAILED.format("invalid hostname"), "."),
    "dot at the start": Case(GOOD, FAILED.format("invalid hostname"), ".name.example"),
    "NUL": Case(GOOD, NO_NAME, "name.example\0.other"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("certificates")

    def make(certificate: Certificate = GOOD, versions: tuple[str, str] = ("TLSv1_2", "TLSv1_3")) -> ssl.SSLContext:
        return context(folder / "server.pem", certificate, versions)

    return make


def context(file: Path, certificate: Certificate, versions: tuple[str, str]) -> ssl.SSLContext:
    file.write_text(certificate.server_pem)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")  # old versions, weak keys
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version, made.maximum_version = (ssl.TLSVersion[version] for version in versions)
    made.load_cert_chain(file)
    return made


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


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("TLSv1", "TLSv1"), FAILED.format("")),
        (("TLSv1_1", "TLSv1_1"), FAILED.format("")),
        (("TLSv1_2", "TLSv1_2"), ACCEPTED),
        (("TLSv1_3", "TLSv1_3"), ACCEPTED),
        (("TLSv1", "TLSv1_3"), ACCEPTED),
    ],
    ids=" to ".join,
)
def test_a_version_of_tls_is_judged_alike(
    halves: Halves, server: Callable[..., ssl.SSLContext], versions: tuple[str, str], expected: str
) -> None:
    check(outcomes(halves, server(versions=versions)), expected)


VERSIONS = ("TLSv1_2", "TLSv1_3")
UNENCRYPTED = ("accepted", "hello", "flight")
ENCRYPTED = ("handshake", "reply")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("phase", [*UNENCRYPTED, *ENCRYPTED])
@pytest.mark.parametrize("then", [end, reset])
def test_an_end_in_any_phase_is_truncation(
    halves: Halves,
    server: Callable[..., ssl.SSLContext],
    version: str,
    phase: str,
    then: Callable[[socket.socket], None],
) -> None:
    check(outcomes(halves, server(versions=(version, version)), phase=phase, then=then), TRUNCATED)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("phase", [*UNENCRYPTED, *ENCRYPTED])
def test_silence_in_any_phase_is_a_timeout(
    halves: Halves, server: Callable[..., ssl.SSLContext], version: str, phase: str
) -> None:
    sent = "nothing was sent" if phase in UNENCRYPTED else "the request was sent"
    tls = server(versions=(version, version))
    check(outcomes(halves, tls, phase=phase, then=silent, seconds=SOON[sent]), NO_ANSWER.format(sent))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("phase", ["accepted", "hello", "handshake"])  # in the others it would be a part of a record
@pytest.mark.parametrize("then", [alert, plain])
def test_what_is_not_encrypted_is_refused_in_any_phase(
    halves: Halves,
    server: Callable[..., ssl.SSLContext],
    version: str,
    phase: str,
    then: Callable[[socket.socket], None],
) -> None:
    check(outcomes(halves, server(versions=(version, version)), phase=phase, then=then), FAILED.format(""))


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


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 16_384, 16_385, 3_000_000])
def test_any_size_is_written_and_read(
    halves: Halves, server: Callable[..., ssl.SSLContext], version: str, size: int
) -> None:
    check(outcomes(halves, server(versions=(version, version)), size=size), READ.format(size))


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
