"""One half of `native`, as a program: `client.py FOLDER HALF` plays what standard input says, and answers, by marshal.

FOLDER is the one that our package is in. Started by every interpreter that is found, so it imports no other package,
and as in a start nothing imports what is above a C module.
"""

from __future__ import annotations

import importlib
import marshal
import select
import sys
from io import BufferedReader
from time import monotonic
from typing import Any

C, PUBLIC, LACKING = "c", "public", "lacking"
"""Halves: the C modules where the interpreter is known; never; the C modules, of which each lacks something."""

LACKED = {"_socket": "gaierror", "_ssl": "PROTO_TLSv1_2", "_json": "make_scanner", "_hashlib": "openssl_sha256"}


def main(folder: str, half: str) -> None:
    sys.path.insert(0, folder)
    native = importlib.import_module("run_lambda_entrypoint.native")
    if half == PUBLIC:
        native.KNOWN = False  # type: ignore[attr-defined]
    if half == LACKING:
        for public in ("socket", "ssl", "json", "hashlib", "hmac"):  # which have taken what they need
            importlib.import_module(public)
        for module, name in LACKED.items():
            delattr(sys.modules[module], name)
    while True:
        try:
            play, *arguments = marshal.load(sys.stdin.buffer)  # noqa: S302 - our own
        except EOFError:
            return
        marshal.dump(globals()[play](*arguments), sys.stdout.buffer, 2)  # a format that all versions read
        sys.stdout.buffer.flush()


def halves() -> dict[str, str]:
    """The module that each class or function is from."""
    names = {"sockets": "getaddrinfo", "tls": "SSLContext", "json": "encode_basestring_ascii", "hashes": "hmac_digest"}
    found = {
        module: getattr(importlib.import_module(f"run_lambda_entrypoint.native.{module}"), name)
        for module, name in names.items()
    }
    return {module: str(each.__module__) for module, each in found.items()}


def exchange(
    port: int, certificates: str, host: str | None, seconds: float, size: int, until: int | None
) -> list[object]:
    """Sends `size` bytes and reads until the end: what came of it, and whether the socket is closed. Without
    `certificates` that is done without TLS.

    With `until` the handshake begins when there is one of these events of poll(2), or an error, which is taken.
    """
    from run_lambda_entrypoint.aws import classify, dial  # noqa: PLC0415
    from run_lambda_entrypoint.native import sockets, tls  # noqa: PLC0415

    context = tls.context(certificates)
    connected, sent = None, False
    try:
        connected = dial.Dialer().connect("127.0.0.1", port, monotonic() + seconds)
        if until is not None:
            poll = select.poll()
            poll.register(connected, until)
            poll.poll()
            sockets.pending_error(connected)
        with tls.secure(connected, context, host) if certificates else sockets.plain(connected) as stream:  # type: ignore[arg-type]
            if size:
                stream.send_all(b"." * (size - 1) + b"\n")
                sent = True
            body = BufferedReader(stream).read()
            outcome = f"read {len(body)} bytes"
    except Exception as error:
        failure = classify.connection_error("HOST", error, ["STORE"], sent=sent)
        outcome = f"{failure.kind.error_type}: {failure}; {failure.retryable=}"
    return [outcome, connected is None or connected.fileno() == -1]


def unverified(port: int, certificates: str, attribute: str) -> str:
    """What happens with a context that does not verify everything."""
    from run_lambda_entrypoint.aws import dial  # noqa: PLC0415
    from run_lambda_entrypoint.native import tls  # noqa: PLC0415

    context: Any = tls.context(certificates)
    context.check_hostname = False
    if attribute == "verify_mode":
        context.verify_mode = 0
    try:
        tls.secure(dial.Dialer().connect("127.0.0.1", port, monotonic() + 20), context, "name.example")
    except OSError as error:
        return str(error)
    return "accepted"


def contexts(certificates: list[str]) -> list[object]:
    """What a context is set to, or None, for each of these stores; with "hex:" before it one is in DER."""
    from run_lambda_entrypoint.native import tls  # noqa: PLC0415

    made = [tls.context(bytes.fromhex(each[4:]) if each[:4] == "hex:" else each) for each in certificates]
    return [
        each
        and [
            *(int(getattr(each, name)) for name in ("check_hostname", "verify_mode", "minimum_version", "options")),
            *(int(getattr(each, name)) for name in ("maximum_version", "verify_flags", "_host_flags", "protocol")),
            *(len(each.get_ca_certs()), [cipher["name"] for cipher in each.get_ciphers()]),
        ]
        for each in made
    ]


def parsed(texts: list[str]) -> list[object]:
    """What each text is, as str and as bytes (of which each character is one), with and without `number`."""
    from run_lambda_entrypoint.native import json as ours  # noqa: PLC0415

    def one(text: str | bytes, number: type[Any] | None) -> object:
        try:
            return _shown(ours.loads(text, number))
        except ValueError as error:
            return f"{type(error).__name__}{error.args}"
        except RecursionError:
            return "RecursionError"

    def forms(text: str) -> list[str | bytes]:
        encodings = ["utf-8", "latin-1"] if max(text, default="") <= "\xff" else ["utf-8"]
        return [text, *(text.encode(encoding, "surrogatepass") for encoding in encodings)]

    return [[one(each, number) for each in forms(text) for number in (None, ours.Number)] for text in texts]


def _shown(value: Any) -> str:
    """A value with its types, and with its keys in order."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return f"{type(value).__name__}({value!a})"


def written(values: list[Any]) -> list[object]:
    """Each value as JSON: ours, and what json makes of it."""
    import json  # noqa: PLC0415

    from run_lambda_entrypoint.native import json as ours  # noqa: PLC0415

    return [
        [
            ours.dumps(value) == json.dumps(value),
            ours.compact(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")),
            ours.dumps(value),
        ]
        for value in values
    ]


def hashed(pairs: list[list[str]]) -> list[object]:
    """The hashes of pairs of a key and a text."""
    from run_lambda_entrypoint.native import hashes  # noqa: PLC0415

    return [
        [hashes.sha256(text.encode()), hashes.hmac_sha256(key.encode(), text.encode()).hex()] for key, text in pairs
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
