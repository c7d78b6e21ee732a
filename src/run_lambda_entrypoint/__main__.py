"""argv, environ ─ options ─ references ─ fetch ─ documents ─ environment ─ process (exec): the flow, top to bottom.

The only place that touches sys.argv, os.environ and the exit, and the only one that catches everything.
"""

from __future__ import annotations

import os
import sys
import time

from . import environment, options, process, references
from .deadline import Deadline
from .errors import EntrypointError, EnvironmentTooLargeError, internal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # signal.py makes enums out of it: 0.6 ms

SIGNALS: dict[int, str] = {signal.SIGINT: "SIGINT", signal.SIGTERM: "SIGTERM"}


def main() -> NoReturn:
    """Becomes the wrapped command, or ends with a report on standard error and an exit code (see `errors`)."""
    for number in SIGNALS:
        # A handler, since the kernel does not apply the default action to PID 1. Ignored stays ignored.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupted)
    started = time.monotonic()
    environ = environment.pristine()
    try:
        start(sys.argv[1:], environ, started)
    except EntrypointError as error:
        failure = error
    except Exception as error:
        failure = internal(error)
    lines = [str(report) for report in failure.reports()]
    _say(lines)
    runtime_api = environ.get("AWS_LAMBDA_RUNTIME_API")
    if runtime_api:
        from .runtime_api import report_failed_init

        report_failed_init(runtime_api, "\n".join(lines), failure.error_type)
    # Not sys.exit: a thread may hang in a name resolution that nothing can interrupt.
    os._exit(failure.exit_code)


def start(words: list[str], environ: dict[str, str], started: float) -> NoReturn:
    """Starts the command that `words` name with the secrets that `environ` names. Raises EntrypointError."""
    asked = options.parse(words, environ)
    path = environ.get("PATH")
    command = asked.command
    file = process.find(command[0], path)
    if asked.rie_path and not environ.get("AWS_LAMBDA_RUNTIME_API"):
        # The emulator would look its command up again, with the PATH that a secret may have set.
        command = process.emulated(asked.rie_path, environ.get("LOG_LEVEL", ""), [file, *command[1:]])
        file = process.find(asked.rie_path, path, "emulator (--rie-path)")
    wanted = references.read(environ)
    _say(f"warning: {warning}" for warning in references.warnings(environ, options.VARIABLES))
    merged = environ
    origins: dict[str, references.Reference] = {}
    if wanted:
        # Only now: a start without references need not pay for json, ssl or a transport.
        from . import secrets

        loaded = secrets.load(wanted, environ, asked.transport, Deadline(started, asked.timeout))
        merged, origins = environment.merge(environ, wanted, loaded)
        _say(f"warning: {warning}" for warning in environment.warnings(origins))
    try:
        process.replace(file, command, environment.encoded(merged))
    except EnvironmentTooLargeError:
        raise environment.too_large(merged, origins) from None


def _interrupted(number: int, _: FrameType | None) -> None:
    _say([f"interrupted by {SIGNALS[number]} before the command was started"])
    os._exit(128 + number)


def _say(lines: Iterable[str]) -> None:
    text = "".join(f"run-lambda-entrypoint: {line}\n" for line in lines)
    if text and sys.stderr is not None:  # None where descriptor 2 is closed: it may be a socket by now
        try:
            os.write(sys.stderr.fileno(), text.encode("utf-8", "backslashreplace"))
        except OSError:
            return  # nobody is left to tell


if __name__ == "__main__":
    main()
