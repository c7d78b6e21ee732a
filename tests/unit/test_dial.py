"""Staggered attempts to connect, with real sockets at addresses of loopback that a name stands for."""

from __future__ import annotations

import os
import resource
import socket
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.aws.dial import Dialer, interleaved
from run_lambda_entrypoint.native import sockets
from tests.harness.http_server import black_hole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HOST = "name.example"
DEAD = [f"127.0.0.{number}" for number in range(2, 10)]
FIRST, SECOND = "127.0.0.101", "127.0.0.102"
BROADCAST = "255.255.255.255"  # which the kernel refuses to connect to
PLENTY = 60.0
"""A deadline that no test waits for, in seconds from now."""


class Resolver:
    """Resolves every name to `addresses`, and counts how often."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.count = 0

    def getaddrinfo(self, host: bytes, port: int, **_: Any) -> list[Any]:
        assert host == HOST.encode()
        self.count += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in self.addresses]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(sockets, "getaddrinfo", made.getaddrinfo)
    return made


@contextmanager
def listener(host: str, port: int = 0) -> Iterator[int]:
    """A port where the kernel accepts."""
    with socket.create_server((host, port)) as made:
        yield made.getsockname()[1]


@contextmanager
def dead_before_good() -> Iterator[int]:
    """A port that is dead on DEAD and good on FIRST."""
    with listener(FIRST) as port, black_hole(*DEAD, port=port):
        yield port


def address(dialer: Dialer, port: int, seconds: float = PLENTY) -> str:
    """The address that a new connection is to."""
    with closing(dialer.connect(HOST, port, monotonic() + seconds)) as connection:
        return str(connection.getpeername()[0])


def descriptors() -> list[str]:
    return sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


@pytest.mark.parametrize(
    ("families", "expected"),
    [
        ("4", "4a"),
        ("444", "4a 4b 4c"),
        ("6664", "6a 4d 6b 6c"),
        ("4666", "4a 6b 6c 6d"),
        ("664444", "6a 4c 6b 4d 4e 4f"),
    ],
)
def test_families_take_turns_and_keep_their_order(families: str, expected: str) -> None:
    numbers = {"4": socket.AF_INET, "6": socket.AF_INET6}
    resolved = [
        (numbers[family], 0, 0, f"{family}{letter}", None) for family, letter in zip(families, "abcdef", strict=False)
    ]
    assert " ".join(name for _, _, _, name, _ in interleaved(resolved)) == expected


def test_a_connection_ends_at_the_deadline_and_does_not_wait_for_acks(resolver: Resolver) -> None:
    resolver.addresses = [FIRST]
    with listener(FIRST) as port, closing(Dialer().connect(HOST, port, monotonic() + PLENTY)) as connection:
        timeout, without_delay = connection.gettimeout(), connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert (timeout is not None and PLENTY / 2 < timeout <= PLENTY, without_delay) == (True, 1)


@pytest.mark.slow
def test_dead_addresses_do_not_take_their_time_one_after_the_other(resolver: Resolver) -> None:
    resolver.addresses = [*DEAD, FIRST]
    with dead_before_good() as port:
        assert address(Dialer(), port, seconds=2.0 * len(DEAD)) == FIRST


def test_the_next_address_follows_a_refused_one_at_once(resolver: Resolver) -> None:
    resolver.addresses = [*(f"127.0.1.{number}" for number in range(100)), FIRST]
    with listener(FIRST) as port:
        assert address(Dialer(), port, seconds=20) == FIRST


def test_no_attempt_begins_after_the_deadline(resolver: Resolver) -> None:
    resolver.addresses = [*DEAD, FIRST]
    with dead_before_good() as port, pytest.raises(TimeoutError):
        address(Dialer(), port, seconds=0.3)


@pytest.mark.slow
def test_a_dead_address_is_given_up_before_the_deadline(resolver: Resolver) -> None:
    resolver.addresses = DEAD[:1]
    begin = monotonic()
    with black_hole(*DEAD[:1]) as port, pytest.raises(TimeoutError):
        address(Dialer(), port)
    assert monotonic() - begin < PLENTY / 2


def test_the_last_error_is_raised(resolver: Resolver) -> None:
    resolver.addresses = [FIRST, SECOND]
    with listener(FIRST) as port:
        pass
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        address(Dialer(), port)


def test_the_next_address_follows_one_that_the_kernel_refuses(resolver: Resolver) -> None:
    resolver.addresses = [BROADCAST, FIRST]
    with listener(FIRST) as port:
        assert address(Dialer(), port) == FIRST


def test_the_address_that_answered_serves_the_rest(resolver: Resolver) -> None:
    resolver.addresses = [FIRST, SECOND]
    dialer = Dialer()
    with listener(SECOND) as port:
        found = [address(dialer, port)]
        with listener(FIRST, port):
            found.append(address(dialer, port))
    assert (found, resolver.count) == ([SECOND, SECOND], 1)


def test_the_others_follow_where_it_answers_no_more(resolver: Resolver) -> None:
    resolver.addresses = [FIRST, SECOND]
    dialer = Dialer()
    with listener(SECOND) as port:
        found = [address(dialer, port)]
    with listener(FIRST, port):
        found.append(address(dialer, port))
    assert (found, resolver.count) == ([SECOND, FIRST], 1)


def test_a_name_is_resolved_anew_when_all_its_addresses_have_failed(resolver: Resolver) -> None:
    resolver.addresses = [FIRST]
    dialer = Dialer()
    with listener(FIRST) as port:
        found = [address(dialer, port)]
    with pytest.raises(ConnectionRefusedError):
        address(dialer, port)
    resolver.addresses = [SECOND]
    with listener(SECOND, port):
        found.append(address(dialer, port))
    assert found == [FIRST, SECOND]


def test_a_name_that_is_forgotten_is_resolved_anew(resolver: Resolver) -> None:
    resolver.addresses = [FIRST]
    dialer = Dialer()
    with listener(FIRST) as port, listener(SECOND, port):
        found = [address(dialer, port)]
        resolver.addresses = [SECOND]
        dialer.forget()
        found.append(address(dialer, port))
    assert found == [FIRST, SECOND]


def test_one_name_is_resolved_anew(resolver: Resolver) -> None:
    resolver.addresses = [FIRST]
    dialer = Dialer()
    with listener(FIRST) as port, listener(SECOND, port):
        found = [address(dialer, port)]
        resolver.addresses = [SECOND]
        dialer.forget("other.example")
        found.append(address(dialer, port))
        dialer.forget(HOST)
        found.append(address(dialer, port))
    assert found == [FIRST, FIRST, SECOND]


def test_ports_are_remembered_apart(resolver: Resolver) -> None:
    resolver.addresses = [FIRST, SECOND]
    dialer = Dialer()
    with listener(FIRST) as port, listener(SECOND) as other:
        assert [address(dialer, port), address(dialer, other)] == [FIRST, SECOND]


@pytest.mark.slow
def test_no_descriptor_is_left(resolver: Resolver) -> None:
    before = descriptors()
    with dead_before_good() as port:
        begun = descriptors()
        resolver.addresses = [*DEAD[:2], FIRST]
        address(Dialer(), port)
        after = {"success": descriptors()}
        resolver.addresses = [BROADCAST, *DEAD[:2], SECOND]
        with pytest.raises(TimeoutError):
            address(Dialer(), port, seconds=0.7)  # when all three have begun
        after["deadline"] = descriptors()
        with pytest.raises(TimeoutError):
            address(Dialer(), port)
        after["failure"] = descriptors()
    assert after == dict.fromkeys(after, begun)
    assert descriptors() == before


@contextmanager
def one_descriptor_left() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.slow
def test_one_descriptor_is_enough(resolver: Resolver) -> None:
    resolver.addresses = [*DEAD[:1], FIRST]
    with dead_before_good() as port, one_descriptor_left():
        assert address(Dialer(), port) == FIRST
