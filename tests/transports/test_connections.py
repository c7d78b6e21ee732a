"""Connections that are not made, not trusted, or not answered: both transports report alike."""

from __future__ import annotations

import socket
import ssl
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.entrypoint import TRANSPORTS, Ended, Entrypoint, Words, permitted, shell
from tests.harness.http_server import http_server, listening, secret
from tests.harness.process import wait_until
from tests.transports.runs import PLENTY, SHORT, context, messages, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.http_server import Reply, Request
    from tests.transports.conftest import Authority

WELL = secret('{"key": "value"}')
OWN_MOUNTS = ("/usr/bin/unshare", "--mount")

needs_own_mounts = pytest.mark.skipif(not permitted(OWN_MOUNTS), reason="no mount namespace is permitted here")
needs_ipv6 = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")


def well(_: Request) -> Reply:
    return WELL


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    """A server's, which clients that trust `authority` trust."""
    return context(authority.ca.issue_cert("127.0.0.1", "::1", "localhost"))


def reports(entrypoint: Entrypoint, url: str, *, short: bool = False, before: Words = (), **more: Any) -> set[str]:
    """What both transports report, with HOST for the one in `url`; `short` for a fault that ends at the deadline."""
    found = set()
    for transport in TRANSPORTS:
        seconds = SHORT[transport] if short else PLENTY
        ended = run(entrypoint, transport, url, seconds=seconds, before=before, **more)
        found.add(messages(ended, url.partition("://")[2]).get("name", ended.err))
    return found


def key(ended: Ended) -> tuple[str | None, str]:
    """What the secret set, and standard error."""
    return ended.environ.get("key"), ended.err


# -- TLS


def _old(authority: Authority) -> ssl.SSLContext:
    made = context(authority.ca.issue_cert("127.0.0.1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made


def test_an_old_version_of_tls_is_refused(entrypoint: Entrypoint, authority: Authority) -> None:
    with http_server(well, tls=_old(authority)) as server:
        url = server.url
        [report] = reports(entrypoint, url, AWS_CA_BUNDLE=str(authority.file))
    assert "TLS with HOST failed" in report


def test_a_handshake_that_is_truncated_is_retried(
    entrypoint: Entrypoint, transport: str, authority: Authority, tls: ssl.SSLContext
) -> None:
    left = ["once", "twice"]

    def serve(connection: socket.socket) -> None:
        if left:
            left.pop()
            connection.recv(1)  # and the rest unread: a reset
            return
        with tls.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(65_536)
            wrapped.sendall(WELL.raw)

    with listening(serve) as port:
        ended = run(entrypoint, transport, f"https://127.0.0.1:{port}", AWS_CA_BUNDLE=str(authority.file))
    assert key(ended) == ("value", "")


# -- Connecting


@contextmanager
def _port() -> Iterator[int]:
    """A port on 127.0.0.1 that is taken, but where nobody listens yet."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _failed_attempts() -> int:
    """How many connections were refused on this machine so far (proc_net_snmp(5), RFC 1213 tcpAttemptFails)."""
    names, values = (
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")
    )
    return int(values[names.index("AttemptFails")])


def test_a_refused_connection_is_retried(entrypoint: Entrypoint, transport: str) -> None:
    before = _failed_attempts()
    with _port() as port, ThreadPoolExecutor() as executor:
        running = executor.submit(run, entrypoint, transport, f"http://127.0.0.1:{port}")
        wait_until(lambda: running.done() or _failed_attempts() > before, what="a refused connection")
        with http_server(well, port=port):
            ended = running.result()
    assert key(ended) == ("value", "")


@needs_ipv6
def test_an_ipv6_address_is_reached(entrypoint: Entrypoint, transport: str) -> None:
    with http_server(well, host="::1") as server:
        assert key(run(entrypoint, transport, server.url)) == ("value", "")


@needs_ipv6
def test_an_ipv6_address_is_checked_against_the_certificate(
    entrypoint: Entrypoint, transport: str, authority: Authority, tls: ssl.SSLContext
) -> None:
    with http_server(well, tls=tls, host="::1") as server:
        ended = run(entrypoint, transport, server.url, AWS_CA_BUNDLE=str(authority.file))
    assert key(ended) == ("value", "")


# -- Names


def mounted(**files: Path) -> Words:
    """Words before a command that let it see other files in /etc."""
    mounts = " && ".join(f"mount --bind {file} /etc/{name.replace('_', '.')}" for name, file in files.items())
    return [*OWN_MOUNTS, *shell(mounts)]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@needs_ipv6
@needs_own_mounts
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_addresses_of_a_name_are_tried(
    entrypoint: Entrypoint, transport: str, tmp_path: Path, address: str
) -> None:
    before = mounted(hosts=written(tmp_path / "hosts", "::1 both.example\n127.0.0.1 both.example\n"))
    with http_server(well, host=address) as server:
        ended = run(entrypoint, transport, f"http://both.example:{server.port}", before=before)
    assert key(ended) == ("value", "")


@needs_own_mounts
def test_a_name_that_does_not_exist_is_reported(entrypoint: Entrypoint, tmp_path: Path) -> None:
    before = mounted(nsswitch_conf=written(tmp_path / "nsswitch.conf", "hosts: files\n"))
    [report] = reports(entrypoint, "http://nowhere.example", before=before)
    assert "the name of HOST could not be resolved" in report


@needs_own_mounts
def test_a_resolver_that_fails_is_reported_at_the_deadline(entrypoint: Entrypoint, tmp_path: Path) -> None:
    resolver = written(tmp_path / "resolv.conf", "nameserver 127.0.0.78\n")  # where nobody listens
    before = mounted(resolv_conf=resolver)
    [report] = reports(entrypoint, "http://nowhere.example", short=True, before=before)
    assert "not fetched within N s; the last error: the name of HOST could not be resolved" in report


@needs_own_mounts
def test_a_resolver_that_does_not_answer_is_reported_at_the_deadline(
    entrypoint: Entrypoint, transport: str, tmp_path: Path
) -> None:
    resolver = written(tmp_path / "resolv.conf", "nameserver 127.0.0.77\noptions timeout:30 attempts:5\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mute.bind(("127.0.0.77", 53))
        url, before = "http://nowhere.example", mounted(resolv_conf=resolver)
        ended = run(entrypoint, transport, url, seconds=SHORT[transport], before=before)
    report = messages(ended, "nowhere.example")["name"]
    assert report.startswith("not fetched within N s: no answer from HOST; nothing was sent; ")
