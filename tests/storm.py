"""`make storm`: 200 cold starts at once against a server that throttles at a fixed rate, with figures.

No part of `make test`, since it takes the whole machine. Ends with 1 if a start failed or came late, or if a success
took too many requests.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from tests.harness.entrypoint import Entrypoint, aws

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

ARCHIVE = Path(__file__).resolve().parents[1] / "dist/run-lambda-entrypoint.pyz"
DEADLINE = 8.0
"""The entrypoint's own default, in seconds, here from the moment on when the storm breaks."""

UNTIL_THEN = 300
"""What this machine may take to start all, in seconds."""

STARTING = 8
"""How many are on the way to their first request at one time, so that the processor has its turn for each."""

MOST_REQUESTS = 3.0
"""What a success may take on average."""

WELL = (200, {"SecretString": '{"KEY": "value"}'})
THROTTLED = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})


class Throttling:
    """A Secrets Manager that answers `rate` requests a second, after a second's rest as many at once; it counts.

    It answers nobody before all `processes` have asked, or ended: on Lambda each has a processor of its own and all
    come at the same moment, here they share two.
    """

    def __init__(self, processes: int, rate: float) -> None:
        self.rate = rate
        self.awaited = {f"name-{number}" for number in range(processes)}
        self.starting = asyncio.Semaphore(STARTING)
        self.broken = asyncio.Event()
        self.begin = 0.0
        self.tokens = 0.0
        self.filled = 0.0
        self.requests = 0
        self.allowed: list[float] = []
        """When a request was answered well, in seconds since the storm broke."""

    def came(self, name: str) -> None:
        """This process has asked, or has ended."""
        if name in self.awaited:
            self.awaited.remove(name)
            self.starting.release()
        if not self.awaited and not self.broken.is_set():
            self.begin = self.filled = monotonic()
            self.tokens = self.rate
            self.broken.set()

    def allows(self) -> bool:
        now = monotonic()
        self.tokens = min(self.rate, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        self.requests += 1
        if self.tokens < 1:
            return False
        self.tokens -= 1
        self.allowed.append(now - self.begin)
        return True

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # whose time is up leaves
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            asked = await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            self.came(json.loads(asked)["SecretId"])
            await self.broken.wait()
            status, answer = WELL if self.allows() else THROTTLED
            body = json.dumps(answer).encode()
            writer.write(b"HTTP/1.1 %d Reason\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
            await writer.drain()
        writer.close()


class Ended(NamedTuple):
    well: bool
    error: str


async def start(throttling: Throttling, url: str, name: str, transport: str) -> Ended:
    """One cold start."""
    await throttling.starting.acquire()
    environ = aws(
        url,
        {"SECRETS_MANAGER_ARN": name},
        LAMBDA_ENV_TRANSPORT=transport,
        LAMBDA_ENV_TIMEOUT_SECONDS=f"{UNTIL_THEN + DEADLINE:g}",
    )
    words = (*Entrypoint(ARCHIVE).words, "printenv", "KEY")
    process = await asyncio.create_subprocess_exec(*words, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    throttling.came(name)
    return Ended((process.returncode, out) == (0, b"value\n"), err.decode())


async def storm(processes: int, rate: float, transport: str) -> bool:
    """Whether all went well; prints the figures."""
    throttling = Throttling(processes, rate)
    server = await asyncio.start_server(throttling.serve, "127.0.0.1", 0, backlog=processes)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        starts = [start(throttling, url, name, transport) for name in sorted(throttling.awaited)]
        ended = await asyncio.gather(*starts)
    well, when = sum(each.well for each in ended), throttling.allowed or [0.0]
    each = throttling.requests / max(1, well)
    print(f"{processes} processes at once, {transport} transport, {rate:g} requests a second allowed")
    print(f"got their secret    {well}")
    print(f"requests            {throttling.requests}, of which {throttling.requests - len(when)} throttled")
    print(f"requests a success  {each:.2f} (under {MOST_REQUESTS:g})")
    print(f"seconds to get it   median {when[len(when) // 2]:.1f}, last {when[-1]:.1f} (at most {DEADLINE:g})")
    for error in sorted({each.error for each in ended if not each.well}):
        print(error, file=sys.stderr)
    return well == processes and each < MOST_REQUESTS and when[-1] <= DEADLINE


def main() -> int:
    parser = ArgumentParser(description=__doc__, prog="python -m tests.storm")
    parser.add_argument("--processes", type=int, default=200)
    parser.add_argument("--rate", type=float, default=60.0, help="requests that are allowed in a second")
    parser.add_argument("--transport", choices=("direct", "botocore"), default="direct")
    asked = parser.parse_args()
    return 0 if asyncio.run(storm(asked.processes, asked.rate, asked.transport)) else 1


if __name__ == "__main__":
    sys.exit(main())
