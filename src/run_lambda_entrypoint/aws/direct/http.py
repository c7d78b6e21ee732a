"""HTTP/1.1: a request as bytes, and the reply in a stream of bytes.

Not http.client: it imports email, 8 ms of every cold start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

MAX_LINE_LENGTH = 16_384
MAX_HEADERS = 100
MAX_NUMBER_LENGTH = 16
WITHOUT_BODY = (204, 304)  # statuses (RFC 9112, 6.3)
DIGITS = {10: frozenset("0123456789"), 16: frozenset("0123456789abcdefABCDEF")}


def request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request after which the connection is closed."""
    framed = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in framed.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def read_reply(stream: BinaryIO, max_size: int) -> tuple[int, dict[str, str], bytes]:
    """One reply: its status, headers with names in lower case, and body, of one over `max_size` bytes the beginning.

    Raises EOFError if the reply is truncated, ValueError if it is not HTTP, OSError.
    """
    status = 100
    while 100 <= status < 200:  # RFC 9110, 15.2: any number of these may come before the reply
        version, code, *_ = _line(stream).split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError
        status = _number(code, 10)
        headers = _headers(stream)
    if status in WITHOUT_BODY:  # whatever the headers say
        return status, {**headers, "content-length": "0"}, b""
    return status, headers, _body(stream, headers, max_size)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := _line(stream):
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        # RFC 9112, 6.3: two different lengths are invalid.
        if len(headers) == MAX_HEADERS or (name == "content-length" and headers.get(name, value) != value):
            raise ValueError
        headers[name] = value
    return headers


def _body(stream: BinaryIO, headers: Mapping[str, str], max_size: int) -> bytes:
    """The body as framed by chunks, by length, or by the connection's end."""
    if headers.get("transfer-encoding", "").lower().split(",")[-1].strip() == "chunked":
        return _chunks(stream, max_size)
    length = headers.get("content-length")
    return stream.read(max_size) if length is None else _exactly(stream, min(max_size, _number(length, 10)))


def _chunks(stream: BinaryIO, max_size: int) -> bytes:
    body = b""
    while len(body) < max_size and (size := _number(_line(stream).partition(";")[0].strip(), 16)):
        body += _exactly(stream, min(max_size, size))
        if size < max_size and _line(stream):
            raise ValueError
    return body


def _number(text: str, base: int) -> int:
    """int() alone would accept "-1", "+1", "1_000" and "0x1"."""
    if not text or len(text) > MAX_NUMBER_LENGTH or not DIGITS[base].issuperset(text):
        raise ValueError
    return int(text, base)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _line(stream: BinaryIO) -> str:
    line = stream.readline(MAX_LINE_LENGTH)
    if len(line) == MAX_LINE_LENGTH:
        raise ValueError
    if not line.endswith(b"\n"):
        raise EOFError
    return line.decode("latin-1").rstrip("\r\n")
