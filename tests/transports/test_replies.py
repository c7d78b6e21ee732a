"""Replies, well and faulty, beside those in test_faults.py: both transports read them alike.

One run asks for many secrets at once, and the server has a script of replies for each: a start of botocore's takes
as long as all of them.
"""

from __future__ import annotations

import json

from tests.harness.entrypoint import TRANSPORTS, Entrypoint
from tests.harness.fault_server import (
    CLOSE,
    RESET,
    Reply,
    by_chunks,
    by_close,
    by_length,
    error,
    fault_server,
    head,
    secret,
)
from tests.transports.runs import run, scripted, told, worded

LIMIT = 1_048_576


def document(name: str) -> bytes:
    return secret(json.dumps({name: "value"}))


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
    "large_and_escaped": by_length(b'{"SecretString": "{\\"large_and_escaped\\": \\"%s\\"}"}' % (b"\\u00e9" * 65_000)),
}
"""Replies with a secret of the same name as the reply, which has a key of that name too."""

PASSING = {
    "cut_before_the_head": Reply(b"", CLOSE),
    "cut_in_the_head": by_length(b"{}").cut(40),
    "cut_in_the_length": by_length(document("name")).cut(-5),
    "cut_before_the_body": by_length(document("name")).cut(-len(document("name"))),
    "cut_in_the_close": by_close(document("name")).cut(-5),
    "cut_in_a_chunk": by_chunks(document("name"), 30).cut(-12),
    "cut_in_a_chunks_size": by_chunks(document("name"), 30).cut(-6),
    "cut_before_the_last_chunk": by_chunks(document("name")).cut(-5),
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
"""Faults that pass: after three of them the secret comes."""

NOT_JSON = "HOST answered with something that is not AWS's JSON"
NO_SECRET = "the reply holds neither SecretString nor SecretBinary"
TOO_LARGE = "the reply of HOST is over 1,048,576 bytes"
NOT_HTTP = "HOST does not answer in HTTP"
LASTING: dict[str, tuple[Reply, str]] = {
    "not_json": (by_length(b"no JSON"), NOT_JSON),
    "not_utf8": (by_length(b'{"SecretString": "\xff"}'), NOT_JSON),
    "nested_deeply": (by_length(b"[" * 100_000), NOT_JSON),
    "null": (by_length(b"null"), NOT_JSON),
    "no_secret": (by_length(b"{}"), NO_SECRET),
    "null_secret": (by_length(b'{"SecretString": null}'), NO_SECRET),
    "large_by_chunks": (by_chunks(b" " * (LIMIT + 1), 65_536), TOO_LARGE),
    "redirect_307": (
        by_length(b"", 307, "Location: /elsewhere"),
        "HTTP 307: HOST answered without an error of AWS's; it redirects",
    ),
    "not_found": (error(400, "com.amazonaws.secretsmanager#ResourceNotFoundException", "no"), "tFoundException: no"),
    "with_url": (error(400, "InvalidRequestException:http://aws/doc", "no"), "InvalidRequestException: no"),
    "by_header": (
        by_length(b'{"Message": "no"}', 400, "X-Amzn-ErrorType: DecryptionFailure:http://internal.amazon.com/"),
        "DecryptionFailure: no",
    ),
    "header_wins": (
        by_length(b'{"__type": "Other", "message": "no"}', 400, "x-amzn-errortype: DecryptionFailure"),
        "DecryptionFailure: no",
    ),
    "by_code": (by_length(b'{"code": "InvalidParameterException"}', 400), "InvalidParameterException"),
    "control_characters": (error(400, "OddException", "one\x1b[31m\ntwo"), "OddException: one\\x1b[31m\\ntwo"),
    "numeric_code": (by_length(b'{"__type": 1}', 400), "HTTP 400: HOST answered without an error of AWS's"),
    "status_400": (by_length(b"<html>Bad Request", 400), "HTTP 400: HOST answered without an error of AWS's"),
    "status_403": (by_length(b"", 403), "HTTP 403: HOST answered without an error of AWS's"),
    "status_404": (by_length(b"[]", 404), "HTTP 404: HOST answered without an error of AWS's"),
    "status_204": (Reply(head(204), CLOSE), "HTTP 204: HOST answered without an error of AWS's"),
}
"""Faults that stay, and words that tell them."""

NO_HTTP = {
    "ssh": Reply(b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE),
    "status_of_letters": Reply(b"HTTP/1.1 abc Reason\r\n\r\n", CLOSE),
    "long_line": Reply(head(200, "X-Long: " + "x" * 70_000), CLOSE),
    "many_headers": by_length(b"{}", 200, *(f"X-Header-{i}: {i}" for i in range(200))),
    "chunk_of_no_size": Reply(head(200, "Transfer-Encoding: chunked") + b"size\r\n{}\r\n0\r\n\r\n", CLOSE),
}
"""What is no HTTP as AWS speaks it."""


def test_a_well_framed_reply_is_read(entrypoint: Entrypoint, transport: str) -> None:
    with fault_server(scripted({name: [reply] for name, reply in WELL.items()})) as port:
        ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", WELL)
    values = {name: "é" * 65_000 if name == "large_and_escaped" else "value" for name in WELL}
    assert (ended.err, {name: ended.environ.get(name) for name in WELL}) == ("", values)


def test_a_passing_fault_is_retried_until_it_has_passed(entrypoint: Entrypoint, transport: str) -> None:
    script = {name: [reply, reply, reply, by_length(document(name))] for name, reply in PASSING.items()}
    with fault_server(scripted(script)) as port:
        ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", PASSING)
    expected = ("", dict.fromkeys(PASSING, "value"))
    assert (ended.err, {name: ended.environ.get(name) for name in PASSING}) == expected


def test_a_lasting_fault_is_told_and_not_retried(entrypoint: Entrypoint, transport: str) -> None:
    script = {name: [reply, by_length(document(name))] for name, (reply, _) in LASTING.items()}
    with fault_server(scripted(script)) as port:
        ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", LASTING)
    words = {name: words for name, (_, words) in LASTING.items()}
    assert worded(told(ended, f"127.0.0.1:{port}"), words) == words


def test_what_is_no_http_is_told_and_not_retried(entrypoint: Entrypoint, transport: str) -> None:
    script = {name: [reply, by_length(document(name))] for name, reply in NO_HTTP.items()}
    with fault_server(scripted(script)) as port:
        ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", NO_HTTP)
    words = dict.fromkeys(NO_HTTP, NOT_HTTP)
    assert worded(told(ended, f"127.0.0.1:{port}"), words) == words


def test_a_lasting_fault_has_the_same_words_with_either_transport(entrypoint: Entrypoint) -> None:
    messages = []
    for transport in TRANSPORTS:
        with fault_server(scripted({name: [reply] for name, (reply, _) in LASTING.items()})) as port:
            ended = run(entrypoint, transport, f"http://127.0.0.1:{port}", LASTING)
        messages.append(told(ended, f"127.0.0.1:{port}"))
    assert messages[0] == messages[1]
