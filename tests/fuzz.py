"""`make fuzz SECONDS=60`: random input, guided by coverage, to what reads replies and secrets.

Each target has a process of its own. A target fails if its reader raises an error that it does not document, if it
takes seconds, or if a secret's value is in an error. What failed is kept in a folder that is printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from traceback import format_exception
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
MARKER = "correct-horse-battery-staple"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n"
HANG = 10
"""What one input may take, in seconds."""


class LeakError(Exception):
    """A value is in an error's text."""


def stream(data: bytes) -> None:
    """A whole reply, as bytes off the wire."""
    from run_lambda_entrypoint.aws import replies
    from run_lambda_entrypoint.aws.direct.http import read_reply
    from run_lambda_entrypoint.errors import EntrypointError

    try:
        status, headers, body = read_reply(BytesIO(data), replies.MAX_SIZE + 1)
        replies.read("host", status, headers, body)
    except (EOFError, ValueError, EntrypointError) as error:
        check(error)


def reply(data: bytes) -> None:
    """A reply's body, with the marker somewhere in it, and what its headers may say about it."""
    from run_lambda_entrypoint.aws import replies
    from run_lambda_entrypoint.errors import EntrypointError

    status = (200, 200, 302, 400, 429, 500)[data[0] % 6] if data else 200
    length, _, rest = data[1:].partition(b"\n")
    headers = {"content-length": length.decode("latin-1")} if length else {}
    try:
        replies.read("host", status, headers, marked(rest))
    except EntrypointError as error:
        if status == 200:  # the others show AWS's own message
            check(error)


def secret(data: bytes) -> None:
    """A secret's text, with the marker somewhere in it."""
    from run_lambda_entrypoint import variables
    from run_lambda_entrypoint.errors import EntrypointError
    from run_lambda_entrypoint.loading import json_object

    text = marked(data).decode("utf-8", "surrogateescape")  # so there are lone surrogates too
    try:
        checked = variables.check(json_object.texts(text))
    except EntrypointError as error:
        if not any(MARKER in key for key in keys(text)):  # keys are shown
            check(error)
    else:
        for name, value in checked.items():
            if not name or "=" in name or "\0" in f"{name}{value}" or name == "_HANDLER":
                raise AssertionError("not refused")
            if b64decode(variables.base64(value)) != value.encode():
                raise AssertionError("not its base64")


def references(data: bytes) -> None:
    """A reference of each kind, and a prefix, with the marker in it: what is refused is not shown."""
    from run_lambda_entrypoint import references
    from run_lambda_entrypoint.errors import EntrypointError

    text = marked(data).decode("utf-8", "surrogateescape").replace("\0", "")
    for variable in (*(form.shown for form in references.FORMS), "LAMBDA_ENV_PREFIX_*"):
        try:
            references.read({variable: text})
        except EntrypointError as error:
            check(error)


def template(data: bytes) -> None:
    """A template's text, with the marker at its end, and one variable that it may contain."""
    from run_lambda_entrypoint import templates
    from run_lambda_entrypoint.errors import EntrypointError

    text = data.decode("utf-8", "surrogateescape").replace("\0", "") + MARKER
    try:
        (found,) = templates.read({"LAMBDA_ENV_TEMPLATE_X": text})
        found.evaluate({"A": "a"}).encode("utf-8", "surrogateescape")
    except EntrypointError as error:
        check(error)


def names(data: bytes) -> None:
    """A secret's keys as variables that a shell can read."""
    from run_lambda_entrypoint.errors import EntrypointError
    from run_lambda_entrypoint.naming import Naming

    keys = data.decode("utf-8", "surrogateescape").split("\0")
    try:
        found = Naming("P_", for_shell=True).named(dict.fromkeys(keys, MARKER))
    except EntrypointError as error:
        check(error)
    else:
        if len(found) != len(set(keys)) or not all(name.isascii() and name.isidentifier() for name in found):
            raise AssertionError("not names of a shell")


def required(data: bytes) -> None:
    """The list of required variables, with the marker in an entry that is no name."""
    from run_lambda_entrypoint import required
    from run_lambda_entrypoint.errors import EntrypointError

    try:
        required.read({"LAMBDA_ENV_REQUIRED": f"{data.decode('utf-8', 'surrogateescape')},={MARKER}"})
    except EntrypointError as error:
        check(error)
    else:
        raise AssertionError("not refused")


def marked(data: bytes) -> bytes:
    """`data` with the marker in place of each byte 0x01, or at its end."""
    return data.replace(b"\1", MARKER.encode()) if b"\1" in data else data + MARKER.encode()


def keys(text: str) -> list[str]:
    """The keys in a JSON text, at any depth."""
    found: list[str] = []

    def walked(pairs: list[tuple[str, Any]]) -> None:
        found.extend(key for key, _ in pairs)

    try:
        json.loads(text, object_pairs_hook=walked)
    except (ValueError, RecursionError):
        return []
    return found


def check(error: Exception) -> None:
    """Raises LeakError if anything that a boundary could show of an error has the marker."""
    if MARKER in "".join(format_exception(error)):
        raise LeakError


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    # With inputs to begin with.
    "stream": (
        stream,
        [
            HEAD + b'{"SecretString": "\\u00e9"}',
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n",
            b'HTTP/1.1 400 Bad Request\r\nx-amzn-errortype: ns#Code:http://x\r\n\r\n{"message": "no"}',
        ],
    ),
    "reply": (reply, [b'\x0026\n{"SecretString": "\1"}', b'\3\n{"__type": "ns#Code", "message": "no"}', b"\2\n<html>"]),
    "secret": (
        secret,
        [b'{"KEY": "\1", "N": 1.50, "T": true, "X": null}', b'{"A": [1e400, {"B": "\\ud83d\\ude00\1"}]}', b"\1"],
    ),
    "references": (references, [b"arn:aws:ssm:eu-west-1:123456789012:parameter/a/\1:3", b"\1:KEY:STAGE", b"P_"]),
    "template": (template, [b"<{A}{A:url}{{}}", b"{", b"}", b"{A:"]),
    "names": (names, [b"a-b\0a.b", b"1\0\xc3\xa9"]),
    "required": (required, [b"A, B\nC", b"A="]),
}


def fuzz(name: str, words: list[str]) -> None:
    """Does not return: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["run_lambda_entrypoint", "json"]):
        pass

    atheris.Setup([sys.argv[0], *words], TARGETS[name][0])
    atheris.Fuzz()


def main() -> int:
    parser = ArgumentParser(description=__doc__, prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    processes = {}
    for name, (_, inputs) in TARGETS.items():
        folder = Path(mkdtemp(prefix=f"fuzz-{name}-"))
        for number, data in enumerate(inputs):
            (folder / str(number)).write_bytes(data)
        words = [
            *(f"-max_total_time={options.seconds}", f"-timeout={HANG}", f"-artifact_prefix={folder}/failed-"),
            *("-verbosity=0", "-print_final_stats=1", str(folder)),
        ]
        call = f"from tests.fuzz import fuzz; fuzz({name!r}, {words!r})"
        command = [sys.executable, "-c", f"import sys; sys.path[:0] = ['.', 'src']; {call}"]
        processes[name] = (folder, subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True))
    failed = 0
    for name, (folder, process) in processes.items():
        _, err = process.communicate()
        runs = [line.split()[-1] for line in err.splitlines() if "number_of_executed_units" in line]
        print(f"{name:9} {'well' if process.returncode == 0 else 'FAILED, see ' + str(folder)}: {''.join(runs)} inputs")
        if process.returncode:
            print(err, file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
