"""Replies that bring a secret in any frame that is HTTP's, and those after which a retry brings it.

One run asks for many secrets at once, and the server has a script of replies for each: a start of botocore's takes
as long as all of them. tests/transports/test_faults.py has what fails.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.http_server import (
    CLOSE,
    RESET,
    Reply,
    by_chunks,
    by_close,
    by_length,
    error,
    head,
    http_server,
    secret_body,
)
from tests.transports.runs import run, scripted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.harness.entrypoint import Entrypoint


def document(name: str) -> bytes:
    return secret_body(name, SecretString=json.dumps({name: "value"}))


def chunks(name: str, *headers: str) -> Reply:
    body = document(name)
    return Reply(head(200, *headers) + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")


WELL = {
    "length": by_length(document("length")),
    "length_and_more_than_the_body": Reply(by_length(document("length_and_more_than_the_body")).raw + b"more", CLOSE),
    "chunks": by_chunks(document("chunks")),
    "one_chunk": by_chunks(document("one_chunk"), 10_000),
    "chunks_of_a_byte": by_chunks(document("chunks_of_a_byte"), 1),
    "chunk_extensions": by_chunks(document("chunk_extensions"), extension=';name="value"'),
    "chunk_trailers": by_chunks(document("chunk_trailers"), trailer="X-One: 1\r\nX-Two: 2\r\n"),
    "close": by_close(document("close")),
    "header_names_in_any_case": Reply(
        f"HTTP/1.1 200 OK\r\nCONTENT-LENGTH:{len(document('header_names_in_any_case'))}\r\n\r\n".encode()
        + document("header_names_in_any_case")
    ),
    "http_1_0": Reply(b"HTTP/1.0 200 OK\r\n\r\n" + document("http_1_0"), CLOSE),
    "no_reason": Reply(b"HTTP/1.1 200\r\nConnection: close\r\n\r\n" + document("no_reason"), CLOSE),
    "large_and_escaped": by_length(
        secret_body("large_and_escaped", SecretString=json.dumps({"large_and_escaped": "é" * 65_000}))
    ),
    "after_a_100": Reply(b"HTTP/1.1 100 Continue\r\n\r\n" + by_length(document("after_a_100")).raw),
    "after_two_100": Reply(b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + by_chunks(document("after_two_100")).raw),
    "chunks_and_a_length": chunks("chunks_and_a_length", "Content-Length: 99999", "Transfer-Encoding: chunked"),
    "chunks_after_another_coding": chunks("chunks_after_another_coding", "Transfer-Encoding: gzip, chunked"),
    "one_length_twice": by_length(
        document("one_length_twice"), 200, f"Content-Length: {len(document('one_length_twice'))}"
    ),
}
"""Replies with a secret of the same name as the reply, which has a key of that name too."""

RETRYABLE = {
    "truncated_before_the_head": Reply(b"", CLOSE),
    "truncated_in_the_head": by_length(b"{}").cut(40),
    "truncated_in_the_length": by_length(document("name")).cut(-5),
    "truncated_before_the_body": by_length(document("name")).cut(-len(document("name"))),
    "truncated_in_the_close": by_close(document("name")).cut(-5),
    "truncated_in_a_chunk": by_chunks(document("name"), 30).cut(-12),
    "truncated_in_a_chunks_size": by_chunks(document("name"), 30).cut(-6),
    "truncated_before_the_last_chunk": by_chunks(document("name")).cut(-5),
    "reset_in_the_length": by_length(document("name")).cut(-5, RESET),
    "reset_in_a_chunk": by_chunks(document("name"), 30).cut(-12, RESET),
    "status_500": error(500, "InternalServiceError", "once more"),
    "status_502": by_length(b"<html>Bad Gateway", 502),
    "status_503": by_length(b"", 503),
    "status_504": by_length(b"<html>Gateway Timeout", 504),
    "status_429": by_length(b"", 429),
    "throttled": error(400, "ThrottlingException", "Rate exceeded"),
    "throttled_by_header": by_length(b"{}", 400, "x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/"),
    "too_many_requests": error(400, "com.amazonaws#TooManyRequestsException"),
    "limit_exceeded": error(400, "RequestLimitExceeded"),
}
"""After two of them the secret comes."""


def loaded(entrypoint: Entrypoint, transport: str, script: Mapping[str, Sequence[Reply]]) -> dict[str, str | None]:
    """The value of each secret's key; what is on standard error is one more."""
    with http_server(scripted(script)) as server:
        ended = run(entrypoint, transport, server.url, script)
    return {"standard error": ended.err, **{name: ended.environ.get(name) for name in script}}


def test_a_well_framed_reply_is_read(entrypoint: Entrypoint, transport: str) -> None:
    values = {name: "é" * 65_000 if name == "large_and_escaped" else "value" for name in WELL}
    actual = loaded(entrypoint, transport, {name: [reply] for name, reply in WELL.items()})
    assert actual == {"standard error": "", **values}


def test_a_retryable_error_is_retried_until_the_secret_comes(entrypoint: Entrypoint, transport: str) -> None:
    script = {name: [reply, reply, by_length(document(name))] for name, reply in RETRYABLE.items()}
    assert loaded(entrypoint, transport, script) == {"standard error": "", **dict.fromkeys(RETRYABLE, "value")}
