"""The servers of a start, with the chosen faults."""

from __future__ import annotations

import itertools
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.behavior.test_leaks import MARKER
from tests.chaos.choices import BLACK_HOLE, NAMES, REFUSED, REPLIES, Choice
from tests.harness.http_server import Reply, Request, Server, black_hole, by_length, http_server, secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

NOWHERE = "127.0.0.1:9"


def value(name: str) -> str:
    """What a secret or a parameter holds."""
    return f"{MARKER} {name}"


def right(request: Request) -> Reply:
    """AWS's reply to a request for secrets or parameters."""
    if request.path != "/" or not request.body.startswith(b"{"):
        return by_length(b"<Error>no XML either", 400)  # STS
    params = request.json
    if "SecretId" in params:
        name = params["SecretId"]
        return secret(json.dumps({name: value(name)}), name, request.region)
    if "Path" in params:
        found = {f"{params['Path']}{name}": name for name in NAMES[:3]}
    else:
        found = {name: name.rpartition("/")[2] for name in params["Names"]}
    parameters = [{"Name": full, "Value": value(name)} for full, name in found.items()]
    if "Path" in params:
        start = f"arn:aws:ssm:{request.region}:123456789012:parameter"
        parameters = [{**each, "ARN": start + each["Name"]} for each in parameters]
    return by_length(json.dumps({"Parameters": parameters}).encode())


@contextmanager
def secrets_server(choice: Choice, tls: ssl.SSLContext) -> Iterator[tuple[str, list[None]]]:
    """URL of the server of the chosen faults, and an entry for each right reply."""
    answered: list[None] = []
    faulty = {"every": range(sys.maxsize), "first": range(1), "second": range(1, 2)}[choice.faulty]
    count = itertools.count()

    def answer(request: Request) -> Reply:
        reply = right(request)
        if next(count) in faulty:
            reply, unchanged = REPLIES[choice.reply](reply), reply
            if reply.body[-5:] != unchanged.body[-5:]:
                return reply
        answered.append(None)
        return reply

    if choice.reply == REFUSED:
        yield f"{choice.scheme}://{NOWHERE}", answered
    elif choice.reply == BLACK_HOLE:
        with black_hole() as port:
            yield f"{choice.scheme}://127.0.0.1:{port}", answered
    else:
        with http_server(answer, tls=tls if choice.scheme == "https" else None) as server:
            yield server.url, answered


@contextmanager
def runtime_api(choice: Choice) -> Iterator[Server | None]:
    """Lambda's Runtime API, None where there is none or it refuses."""
    if choice.runtime_api in ("", REFUSED):
        yield None
    else:
        with http_server(lambda _: REPLIES[choice.runtime_api](by_length(b'{"status":"OK"}', 202))) as server:
            yield server
