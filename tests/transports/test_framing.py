"""Replies in frames that are odd, but HTTP's: both transports read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.fault_server import Reply, by_chunks, by_length, fault_server, head, secret
from tests.transports.runs import run, scripted

if TYPE_CHECKING:
    from tests.harness.entrypoint import Entrypoint


def document(name: str) -> bytes:
    return secret(json.dumps({name: "value"}))


def chunks(name: str, *headers: str) -> Reply:
    body = document(name)
    return Reply(head(200, *headers) + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")


WELL = {
    "behind_a_100": Reply(b"HTTP/1.1 100 Continue\r\n\r\n" + by_length(document("behind_a_100")).raw),
    "behind_two_100": Reply(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + by_chunks(document("behind_two_100")).raw),
    "chunks_and_a_length": chunks("chunks_and_a_length", "Content-Length: 99999", "Transfer-Encoding: chunked"),
    "chunks_behind_another_coding": chunks("chunks_behind_another_coding", "Transfer-Encoding: gzip, chunked"),
    "one_length_twice": by_length(
        document("one_length_twice"), 200, f"Content-Length: {len(document('one_length_twice'))}"
    ),
}


def test_a_reply_in_an_odd_frame_is_read(entrypoint: Entrypoint, transport: str) -> None:
    with fault_server(scripted({name: [reply] for name, reply in WELL.items()})) as port:
        ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", WELL)
    actual = (ended.err, {name: ended.environ.get(name) for name in WELL})
    assert actual == ("", dict.fromkeys(WELL, "value"))
