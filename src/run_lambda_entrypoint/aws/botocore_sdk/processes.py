"""The credential_process of a profile: it gets no standard input, and ends with us."""

from __future__ import annotations

import os
from json import loads
from subprocess import Popen

from ... import children
from ...errors import EntrypointError, misconfigured
from . import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CREDENTIAL_PROCESS = "credential_process"


class CredentialProcess(Popen[bytes]):
    """What botocore starts. Of its output only valid credentials are used, and nothing is ever shown."""

    def __init__(self, argv: Sequence[str], **pipes: Any) -> None:
        self._exchange = wire.current()
        self._exchange.begin(CREDENTIAL_PROCESS)
        if not argv:
            raise _failed("is empty; set it to a program, or remove it")
        stdin = _no_input()
        children.add(self)
        try:
            super().__init__(argv, stdin=stdin, start_new_session=True, **pipes)
        except (OSError, ValueError) as error:
            self._done()
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise _failed(f"could not be started ({reason}); check its path") from None
        finally:
            os.close(stdin)

    def communicate(self, *arguments: Any, **named: Any) -> tuple[Any, Any]:
        """Standard output and error; raises EntrypointError if the process fails, or prints something else."""
        try:
            output = super().communicate(*arguments, **named)
        finally:
            self._done()
        if self.returncode:
            raise _failed(f"ended with {_status(self.returncode)}; run it in the image to see why")
        _check(output[0])
        return output

    def _done(self) -> None:
        children.remove(self)
        self._exchange.end()


def _check(printed: bytes) -> None:
    """Raises EntrypointError if that is not what botocore expects; it judges the Expiration itself."""
    try:
        found = loads(printed.decode())
    except (ValueError, RecursionError):
        raise _failed("did not print JSON; run it in the image to see what it prints") from None
    if not isinstance(found, dict):
        raise _failed("must print a JSON object")
    if found.get("Version") != 1:
        raise _failed('must print "Version": 1 beside the credentials, and in the same object')
    for key in ("AccessKeyId", "SecretAccessKey"):
        if not isinstance(found.get(key), str) or not found[key]:
            raise _failed(f"must print {key}, a text that is not empty")


def _no_input() -> int:
    """A descriptor with nothing to read."""
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:  # an image without it
        reader, writer = os.pipe()
        os.close(writer)
        return reader


def _status(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"signal {-code}"


def _failed(reason: str) -> EntrypointError:
    return misconfigured(f"{CREDENTIAL_PROCESS} {reason}")
