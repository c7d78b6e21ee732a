"""How the direct transport reads a reply: its framing, and what is no HTTP. Bytes out of memory, no connection."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.aws.direct import _receive
from run_lambda_entrypoint.aws.replies import SIZE_LIMIT

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def body(raw: bytes) -> bytes:
    return _receive(io.BytesIO(raw))[2]


@pytest.mark.parametrize("length", [b"2", b"02", b" 2 "])
def test_a_length_frames_the_body(length: bytes) -> None:
    assert body(OK + b"Content-Length:" + length + b"\r\n\r\n{}more") == b"{}"


@pytest.mark.parametrize(
    "length", ["", "-1", "+2", "1_0", "2.0", "0x2", "2, 2", "2 2", "2" * 17, "a", "²", "½"]
)
def test_a_length_that_is_no_number_is_no_http(length: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the transport tells all of them alike
        body(OK + f"Content-Length: {length}\r\n\r\n{{}}".encode())


@pytest.mark.parametrize("size", ["", "-1", "+2", "1_0", "0x2", "2 2", "2" * 17, "g"])
def test_a_chunks_size_that_is_no_number_is_no_http(size: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        body(CHUNKED + f"{size}\r\n{{}}\r\n0\r\n\r\n".encode())


def test_two_different_lengths_are_no_http() -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        body(OK + b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}")


def test_one_length_said_twice_is_one_length() -> None:
    assert body(OK + b"Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}") == b"{}"


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"gzip, chunked", b"gzip,chunked"])
def test_chunks_come_last_of_the_codings(coding: bytes) -> None:
    assert body(OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n") == b"{}"


def test_chunks_override_a_length() -> None:
    raw = OK + b"Content-Length: 99999\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert body(raw) == b"{}"


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    ],
)
def test_what_comes_before_the_reply_is_passed_over(before: bytes) -> None:
    assert _receive(io.BytesIO(before + OK + b"Content-Length: 2\r\n\r\n{}")) == (
        200,
        {"content-length": "2"},
        b"{}",
    )


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 999999999\r\n\r\n",
        OK + b"\r\n",
        CHUNKED + b"3B9AC9FF\r\n",
    ],
    ids=["length", "connection's end", "chunk"],
)
def test_of_a_body_over_the_limit_no_more_is_read(raw: bytes) -> None:
    stream = io.BytesIO(raw + b" " * (2 * SIZE_LIMIT))
    _, _, read = _receive(stream)
    assert (len(read), stream.tell()) == (SIZE_LIMIT + 1, len(raw) + SIZE_LIMIT + 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_told(raw: bytes) -> None:
    with suppress(EOFError, ValueError):
        _receive(io.BytesIO(raw))


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_status_are_a_reply_or_told(raw: bytes) -> None:
    try:
        status, _, _ = _receive(io.BytesIO(OK + raw))
    except (EOFError, ValueError):
        return
    assert status == 200
