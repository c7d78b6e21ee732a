"""argv, environ ─ options ─ references ─ fetch ─ documents ─ environment ─ process (exec): the flow, top to bottom.

The only place that touches sys.argv, os.environ and the exit, and the only one that catches everything.
"""

from __future__ import annotations

import os
import sys
import time

from . import environment, options, process, references
from .deadline import Deadline
from .errors import EntrypointError, EnvironmentTooLargeError, InterruptedBySignalError, internal, printable
from .log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # signal.py makes enums out of it: 0.6 ms

SIGNALS: dict[int, str] = {signal.SIGINT: "SIGINT", signal.SIGTERM: "SIGTERM"}


def main() -> NoReturn:
    """Becomes the wrapped command, or ends with a report on standard error and an exit code (see `errors`)."""
    started = time.monotonic()
    environ = environment.pristine()
    log = Log(started, as_json=environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON")

    def interrupted(number: int, _: FrameType | None) -> None:
        log.failure([InterruptedBySignalError(SIGNALS[number])])
        os._exit(128 + number)

    for number in SIGNALS:
        # A handler, since the kernel does not apply the default action to PID 1. Ignored stays ignored.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupted)
    try:
        start(sys.argv[1:], environ, started, log)
    except EntrypointError as error:
        failure = error
    except Exception as error:
        failure = internal(error)
    reports = failure.reports()
    log.failure(reports)
    runtime_api = environ.get("AWS_LAMBDA_RUNTIME_API")
    if runtime_api:
        from .runtime_api import report_failed_init

        report_failed_init(runtime_api, "\n".join(map(str, reports)), failure.error_type)
    # Not sys.exit: a thread may hang in a name resolution that nothing can interrupt.
    os._exit(failure.exit_code)


def start(words: list[str], environ: dict[str, str], started: float, log: Log) -> NoReturn:
    """Starts the command that `words` name with the secrets that `environ` names. Raises EntrypointError."""
    asked = options.parse(words, environ)
    log.level = asked.log_level
    path = environ.get("PATH")
    command = asked.command
    file = process.find(command[0], path)
    if asked.rie_path and not environ.get("AWS_LAMBDA_RUNTIME_API"):
        # The emulator would look its command up again, with the PATH that a secret may have set.
        command = process.emulated(asked.rie_path, environ.get("LOG_LEVEL", ""), [file, *command[1:]])
        file = process.find(asked.rie_path, path, "emulator (--rie-path)")
    wanted = references.read(environ)
    log.warnings(references.warnings(environ, options.VARIABLES))
    merged = environ
    origins: dict[str, environment.Origin] = {}
    if wanted:
        # Only now: a start without references need not pay for json, ssl or a transport.
        from . import secrets

        loaded = secrets.load(wanted, environ, asked.transport, Deadline(started, asked.timeout), log)
        merged, origins = environment.merge(environ, wanted, loaded)
        log.warnings(environment.warnings(origins))
        for name, origin in origins.items():
            log.debug(f"{printable(name)} from {origin}")
    log.debug(f"start {printable(file)}")
    try:
        process.replace(file, command, environment.encoded(merged))
    except EnvironmentTooLargeError:
        raise environment.too_large(merged, origins) from None


if __name__ == "__main__":
    main()
