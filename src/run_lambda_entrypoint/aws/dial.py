"""Connections to the address of a host that answers first: staggered attempts, as in RFC 8305 ("Happy Eyeballs")."""

from __future__ import annotations

import select
from errno import EMFILE, ENFILE
from time import monotonic

from ..native import sockets
from .call import CONNECT_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..native.sockets import Address, Socket

# Seconds from one attempt to the next, as RFC 8305, section 5, recommends: longer than a handshake takes to anywhere.
ATTEMPT_DELAY = 0.25


class Dialer:
    """Connects to hosts, and remembers which of their addresses answered. Threads may share one."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[str, int], Sequence[Address]] = {}

    def connect(self, host: str, port: int, deadline: float) -> Socket:
        """A connection to an address of `host`: to the one that answered before, otherwise to the one that answers
        first; its timeout ends at `deadline`, a time of time.monotonic(). Raises OSError."""
        addresses = self._addresses.get((host, port)) or interleaved(sockets.resolve(host, port))
        try:
            connection, answered = _Dial(addresses, deadline).first()
        except OSError:
            self._addresses.pop((host, port), None)
            raise
        self._addresses[host, port] = [answered, *(address for address in addresses if address is not answered)]
        connection.settimeout(max(0.001, deadline - monotonic()))
        return connection

    def forget(self, host: str = "") -> None:
        """Resolves the name `host` anew, or all names: an address that accepts connections may still be broken."""
        for key in list(self._addresses):
            if host in ("", key[0]):
                self._addresses.pop(key, None)


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """IPv6 and IPv4 in turn, beginning with the first address's; otherwise in the resolver's order (RFC 8305, 4)."""
    preferred = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    turns = range(len(addresses))
    return [address for turn in turns for address in preferred[turn : turn + 1] + other[turn : turn + 1]]


class _Dial:
    """The attempts to connect to one of `addresses`: the next one begins when the last one has failed, or has not
    succeeded within ATTEMPT_DELAY."""

    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._untried = list(addresses)
        self._deadline = deadline
        self._attempts: dict[int, tuple[Socket, Address, float]] = {}  # by descriptor; the time is their end
        self._poll = select.poll()
        self._next = monotonic()
        self._error: OSError = TimeoutError()

    def first(self) -> tuple[Socket, Address]:
        """The connection that is made first, and its address. Raises OSError: the last error if all attempts failed."""
        try:
            while self._untried or self._attempts:
                self._begin()
                for descriptor, _ in self._poll.poll(self._wait()):
                    connection, address, _ = self._attempts[descriptor]
                    error = sockets.pending_error(connection)
                    if error is None:
                        del self._attempts[descriptor]
                        return connection, address
                    self._end(descriptor, error)
                self._give_up()
        finally:
            for connection, _, _ in self._attempts.values():
                connection.close()
        raise self._error

    def _begin(self) -> None:
        """Begins the next attempt if it is time to."""
        while self._untried and monotonic() >= self._next:
            self._next = monotonic() + ATTEMPT_DELAY
            try:
                connection = sockets.connecting(self._untried[0])
            except OSError as error:
                # The attempts in flight may succeed, or end and free their descriptors: one is enough for a dial.
                if self._attempts and error.errno in (EMFILE, ENFILE):
                    return
                self._untried.pop(0)
                self._fail(error)
                continue
            end = monotonic() + CONNECT_TIMEOUT
            self._attempts[connection.fileno()] = (connection, self._untried.pop(0), end)
            self._poll.register(connection, select.POLLOUT)

    def _wait(self) -> int:
        """Milliseconds until something is to be done."""
        ends = [end for _, _, end in self._attempts.values()]
        begins = [self._next] if self._untried else []
        return max(0, int(1000 * (min(self._deadline, *ends, *begins) - monotonic())) + 1)

    def _give_up(self) -> None:
        now = monotonic()
        if now >= self._deadline:
            raise TimeoutError
        for descriptor, (_, _, end) in list(self._attempts.items()):
            if now >= end:
                self._end(descriptor, TimeoutError())

    def _end(self, descriptor: int, error: OSError) -> None:
        self._poll.unregister(descriptor)
        self._attempts.pop(descriptor)[0].close()
        self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._error = error
        self._next = monotonic()
