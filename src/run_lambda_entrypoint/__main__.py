"""argv, environ ─ options ─ references ─ fetch ─ documents ─ environment ─ process (exec): the flow, top to bottom.

The only place that touches sys.argv, os.environ and the exit, and the only one that catches everything.
"""

from __future__ import annotations

import os
import sys
import time

from . import environment, options, process, references
from .deadline import Deadline
from .errors import (
    CombinedError,
    EntrypointError,
    EnvironmentTooLargeError,
    InterruptedBySignalError,
    OverrideError,
    internal,
    printable,
)
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
        # As bytes whatever the locale says, like the environment.
        words = [os.fsencode(word).decode("utf-8", "surrogateescape") for word in sys.argv[1:]]
        start(words, environ, started, log)
        os._exit(0)
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


def start(words: list[str], environ: dict[str, str], started: float, log: Log) -> None:
    """Starts the command that `words` name with the secrets that `environ` names; returns after a dry run only.

    Raises EntrypointError.
    """
    asked = options.parse(words, environ)
    log.level = asked.log_level
    emulator = None if environ.get("AWS_LAMBDA_RUNTIME_API") else asked.rie_path
    file, command = process.found(asked.command, emulator, environ)
    wanted = references.read(environ)
    log.warnings(references.warnings(environ, options.VARIABLES))
    merged = environ
    origins: dict[str, environment.Origin] = {}
    if wanted:
        # Only now: a start without references need not pay for json, ssl or a transport.
        from . import secrets

        loaded = secrets.load(wanted, environ, asked.transport, Deadline(started, asked.timeout), log)
        merged, origins, overridden = environment.merge(environ, wanted, loaded)
        if overridden and asked.on_override == options.DENY:
            raise CombinedError(
                OverrideError(f"{line}, which {options.ON_OVERRIDE_VARIABLE}=deny forbids")
                for line in overridden
            )
        log.warnings(
            environment.warnings(origins) + (overridden if asked.on_override == options.WARN else [])
        )
        for name, origin in origins.items():
            log.debug(f"{printable(name)} from {origin}")
    handed_on = environment.encoded(merged)
    try:
        if not asked.dry_run:
            log.debug(f"start {printable(file)}")
            process.replace(file, command, handed_on)
        process.check(file, command, handed_on)
    except EnvironmentTooLargeError:
        raise environment.too_large(merged, origins) from None
    from . import dry_run

    try:
        print(dry_run.report(asked.dry_run, origins, command, emulated=bool(emulator)), flush=True)
    except BrokenPipeError:
        return  # the reader has seen enough


if __name__ == "__main__":
    main()
