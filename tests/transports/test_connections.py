"""Connections that are not made, not trusted, or not answered: both transports report alike."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import socket
import ssl
import subprocess
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from run_lambda_entrypoint.aws.send import MAX_THREADS
from tests.harness.entrypoint import KEY_ID, SECRET_KEY, TRANSPORTS, Ended, Entrypoint, Words, permitted, shell
from tests.harness.http_server import black_hole, by_close, by_length, http_server, listening, secret
from tests.harness.process import wait_until
from tests.transports.runs import PLENTY, SHORT, context, messages, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.harness.http_server import Reply, Request
    from tests.transports.conftest import Authority

Result = TypeVar("Result")

WELL = secret('{"key": "value"}')
OWN_MOUNTS = ("/usr/bin/unshare", "--mount")
OWN_NETWORK = ("/usr/bin/unshare", "--net")
CLONE_NEWNET = 0x40000000  # unshare(2)
IP = shutil.which("ip") or ""
CREDENTIALS = {
    "AccessKeyId": KEY_ID,
    "SecretAccessKey": SECRET_KEY,
    "Token": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}

needs_own_network = pytest.mark.skipif(
    not (IP and permitted(OWN_NETWORK)), reason="no network namespace is permitted here"
)
needs_own_mounts = pytest.mark.skipif(not permitted(OWN_MOUNTS), reason="no mount namespace is permitted here")
needs_ipv6 = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")


def well(request: Request) -> Reply:
    return secret('{"key": "value"}', request.json["SecretId"])


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    """A server's, which clients that trust `authority` trust."""
    return context(authority.ca.issue_cert("127.0.0.1", "::1", "localhost"))


def reports(entrypoint: Entrypoint, url: str, *, before: Words = (), **more: Any) -> set[str]:
    """What both transports report, with HOST for the one in `url`."""
    found = set()
    for transport in TRANSPORTS:
        ended = run(entrypoint, transport, url, before=before, **more)
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

SIX_DEAD = [f"127.0.0.{number}" for number in range(2, 8)]  # the resolver sorts what is nearer to 127.0.0.1 first
GOOD = "127.0.0.128"


def mounted(**files: Path) -> Words:
    """Words before a command that let it see other files in /etc."""
    mounts = " && ".join(f"mount --bind {file} /etc/{name.replace('_', '.')}" for name, file in files.items())
    return [*OWN_MOUNTS, *shell(mounts)]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def hosts(folder: Path, name: str, *addresses: str) -> Words:
    """Words before a command for which `name` has these addresses."""
    lines = [f"{address} {name}\n" for address in addresses]
    return mounted(hosts=written(folder / "hosts", "".join(lines)))


@needs_ipv6
@needs_own_mounts
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_addresses_of_a_name_are_tried(
    entrypoint: Entrypoint, transport: str, tmp_path: Path, address: str
) -> None:
    before = hosts(tmp_path, "both.example", "::1", "127.0.0.1")
    with http_server(well, host=address) as server:
        ended = run(entrypoint, transport, f"http://both.example:{server.port}", before=before)
    assert key(ended) == ("value", "")


@pytest.mark.slow
@needs_own_mounts
def test_many_secrets_load_through_a_few_dead_addresses(entrypoint: Entrypoint, transport: str, tmp_path: Path) -> None:
    before = hosts(tmp_path, "many.example", *SIX_DEAD, GOOD)
    with http_server(well, host=GOOD) as server, black_hole(*SIX_DEAD, port=server.port):
        url, names = f"http://many.example:{server.port}", map(str, range(49))
        # With 2 s for each address in turn, no connection would be made by then.
        ended = run(entrypoint, transport, url, names, seconds=2 * len(SIX_DEAD), before=before)
    assert key(ended) == ("value", "")


@pytest.mark.slow
@needs_own_mounts
def test_few_descriptors_are_enough_for_dead_addresses(entrypoint: Entrypoint, transport: str, tmp_path: Path) -> None:
    before = [*hosts(tmp_path, "few.example", *SIX_DEAD, GOOD), *shell("ulimit -n 16")]
    with http_server(well, host=GOOD) as server, black_hole(*SIX_DEAD, port=server.port):
        ended = run(entrypoint, transport, f"http://few.example:{server.port}", map(str, range(20)), before=before)
    assert key(ended) == ("value", "")


@pytest.mark.slow
@needs_own_mounts
def test_a_proxy_is_reached_through_a_few_dead_addresses(entrypoint: Entrypoint, tmp_path: Path) -> None:
    before = hosts(tmp_path, "proxy.example", *SIX_DEAD, GOOD)
    with http_server(well, host=GOOD) as proxy, black_hole(*SIX_DEAD, port=proxy.port):
        seconds, http_proxy = 2 * len(SIX_DEAD), f"http://proxy.example:{proxy.port}"
        ended = run(entrypoint, "botocore", "http://aws.example", seconds=seconds, before=before, http_proxy=http_proxy)
    assert (key(ended), [request.path for request in proxy.requests]) == (("value", ""), ["http://aws.example/"])


@pytest.mark.slow
@needs_own_mounts
def test_credentials_are_reached_through_a_few_dead_addresses(entrypoint: Entrypoint, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        return by_length(json.dumps(CREDENTIALS).encode()) if request.method == "GET" else well(request)

    before = hosts(tmp_path, "localhost", *SIX_DEAD, GOOD)
    with http_server(answer, host=GOOD) as server, black_hole(*SIX_DEAD, port=server.port):
        source = f"http://localhost:{server.port}"
        more = {"AWS_ACCESS_KEY_ID": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": source}
        ended = run(entrypoint, "botocore", server.url, seconds=2 * len(SIX_DEAD), before=before, **more)
    assert key(ended) == ("value", "")


@needs_own_mounts
def test_the_address_that_answered_first_serves_the_rest(
    entrypoint: Entrypoint, transport: str, tmp_path: Path
) -> None:
    """The address before it refuses until every thread has its first connection, and would answer from then on."""
    before = hosts(tmp_path, "two.example", SIX_DEAD[0], GOOD)
    numbers, connected, others = count(1), Event(), []

    def answer(request: Request) -> Reply:
        if next(numbers) == MAX_THREADS:
            others.append(stack.enter_context(http_server(well, host=SIX_DEAD[0], port=server.port)))
            connected.set()
        connected.wait(PLENTY)
        return by_close(well(request).body)

    with ExitStack() as stack, http_server(answer, host=GOOD) as server:
        url = f"http://two.example:{server.port}"
        ended = run(entrypoint, transport, url, map(str, range(3 * MAX_THREADS)), before=before)
    served = [len(each.requests) for each in (server, *others)]
    assert (key(ended), served) == (("value", ""), [3 * MAX_THREADS, 0])


@needs_own_mounts
def test_a_name_is_resolved_anew_after_a_broken_connection(
    entrypoint: Entrypoint, transport: str, tmp_path: Path
) -> None:
    before = hosts(tmp_path, "one.example", SIX_DEAD[0])

    def broken(connection: socket.socket) -> None:
        connection.recv(1)  # and the rest unread: a reset
        hosts(tmp_path, "one.example", GOOD)

    with http_server(well, host=GOOD) as server, listening(broken, SIX_DEAD[0], server.port):
        ended = run(entrypoint, transport, f"http://one.example:{server.port}", before=before)
    assert key(ended) == ("value", "")


def in_own_network(body: Callable[[], Result], addresses: Sequence[str]) -> Result:
    """What `body` returns, called in a thread with a network of its own, in which loopback has `addresses` too."""

    def unshared() -> Result:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        lines = ["link set lo up", *(f"addr add {address} dev lo nodad" for address in addresses)]
        subprocess.run([IP, "-batch", "-"], input="\n".join(lines), text=True, check=True)
        return body()

    with ThreadPoolExecutor() as executor:
        return executor.submit(unshared).result()


@needs_own_network
@needs_own_mounts
def test_dead_ipv6_addresses_do_not_hold_up_ipv4(entrypoint: Entrypoint, transport: str, tmp_path: Path) -> None:
    dead = [f"2001:db8::{number}" for number in range(1, 48)]  # musl takes no more than 48 addresses of a name
    before = hosts(tmp_path, "both.example", *dead, GOOD)

    def ended() -> Ended:
        with http_server(well, host=GOOD) as server, black_hole(*dead, port=server.port):
            url = f"http://both.example:{server.port}"
            # The last attempt would begin after 11.75 s if all IPv6 addresses came first.
            return run(entrypoint, transport, url, seconds=10, before=before)

    assert key(in_own_network(ended, dead)) == ("value", "")


@needs_own_mounts
def test_a_name_that_does_not_exist_is_reported(entrypoint: Entrypoint, tmp_path: Path) -> None:
    before = mounted(nsswitch_conf=written(tmp_path / "nsswitch.conf", "hosts: files\n"))
    [report] = reports(entrypoint, "http://nowhere.example", before=before)
    assert "the name of HOST could not be resolved" in report


@needs_own_mounts
def test_a_resolver_that_fails_is_reported_at_the_deadline(
    entrypoint: Entrypoint, transport: str, tmp_path: Path
) -> None:
    # Where nobody listens. musl does not look whether that is so: it waits for an answer.
    resolver = written(tmp_path / "resolv.conf", "nameserver 127.0.0.78\noptions timeout:1 attempts:1\n")
    url, before = "http://nowhere.example", mounted(resolv_conf=resolver)
    ended = run(entrypoint, transport, url, seconds=SHORT["botocore"], before=before)
    report = messages(ended, "nowhere.example")["name"]
    assert report.startswith("not fetched within N s; the last error: the name of HOST could not be resolved")


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
