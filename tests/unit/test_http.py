"""The direct transport's HTTP: framing of replies, and what is not HTTP. Bytes from memory, no connection."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.aws.direct.http import read_reply

LIMIT = 1000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def reply(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    return read_reply(io.BytesIO(raw), LIMIT)


@pytest.mark.parametrize(
    "head",
    [
        *(b"Content-Length:2", b"Content-Length:02", b"content-length:  2 "),
        b"Content-Length: 2\r\ncontent-length: 2",  # twice the same
    ],
)
def test_a_length_frames_the_body(head: bytes) -> None:
    assert reply(OK + head + b"\r\n\r\n{}more")[2] == b"{}"


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"gzip, chunked", b"gzip,chunked"])
def test_chunks_frame_the_body_and_override_a_length(coding: bytes) -> None:
    head = b"Content-Length: 99999\r\nTransfer-Encoding: " + coding
    assert reply(OK + head + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n")[2] == b"{}"


NOT_NUMBERS = ("", "-1", "+2", "1_0", "0x2", "2 2", "2" * 17)


@pytest.mark.parametrize(
    "raw",
    [
        *(f"Content-Length: {length}\r\n\r\n{{}}" for length in (*NOT_NUMBERS, "2.0", "2, 2", "a", "²", "½")),
        *(f"Transfer-Encoding: chunked\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n" for size in (*NOT_NUMBERS, "g")),
        "Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}",
    ],
)
def test_a_wrong_framing_is_not_http(raw: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the transport reports all of them alike
        reply(OK + raw.encode())


@pytest.mark.parametrize(
    "before", [b"HTTP/1.1 100 Continue\r\n\r\n" * 3, b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"]
)
def test_informational_replies_are_skipped(before: bytes) -> None:
    assert reply(before + OK + b"Content-Length: 2\r\n\r\n{}") == (200, {"content-length": "2"}, b"{}")


@pytest.mark.parametrize(
    "head",
    [OK + b"Content-Length: 999999999\r\n\r\n", OK + b"\r\n", CHUNKED + b"3B9AC9FF\r\n"],
    ids=["length", "connection's end", "chunk"],
)
def test_no_more_than_the_limit_is_read_of_a_body(head: bytes) -> None:
    stream = io.BytesIO(head + b" " * (2 * LIMIT))
    _, _, body = read_reply(stream, LIMIT)
    assert (len(body), stream.tell()) == (LIMIT, len(head) + LIMIT)


@given(st.binary(max_size=200), st.sampled_from([b"", OK]))
def test_any_bytes_are_a_reply_or_refused(raw: bytes, start: bytes) -> None:
    with suppress(EOFError, ValueError):
        reply(start + raw)
