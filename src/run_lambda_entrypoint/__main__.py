"""argv, environ - options - command (look-up) - references - loading - environment - command (exec), top to bottom.

The only module that reads sys.argv, and the error boundary of the main thread; `aws/send.py` has that of the others.
"""

from __future__ import annotations

import posix
import sys
import time

from . import children, command, environment, errors, loading, options, references, reporting
from .deadline import Deadline
from .errors import EntrypointError
from .log import Log
from .text import decode, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping
    from types import FrameType
    from typing import NoReturn

    from .options import Options
else:
    import _signal as signal  # signal.py makes enums of it: 0.6 ms

SIGNALS: dict[int, EntrypointError] = {
    signal.SIGINT: EntrypointError(errors.INTERRUPTED, "interrupted by SIGINT before the command was started"),
    signal.SIGTERM: EntrypointError(errors.TERMINATED, "interrupted by SIGTERM before the command was started"),
}


def main() -> NoReturn:
    """Becomes the wrapped command, or ends with a report on standard error and an exit code (see `errors`)."""
    started = time.monotonic()
    environ = environment.initial_environ()
    # Set and not empty exactly in Lambda, as AWS's own entrypoint scripts decide.
    runtime_api = environ.get("AWS_LAMBDA_RUNTIME_API", "")
    log = Log(started, as_json=environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON")
    end_on_signals(log)
    requested: Options | None = None
    try:
        encoding = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()  # as os.fsencode has them
        argv = [decode(word.encode(*encoding)) for word in sys.argv[1:]]
        requested = options.parse(argv, environ, in_lambda=bool(runtime_api))
        start(requested, environ, started, log)
        posix._exit(0)
    except EntrypointError as error:
        failure = error
    except Exception as error:
        failure = errors.internal(error)
    try:
        children.end_all()
        log.failure(errors.first(failure.reports()))
        if runtime_api:
            reporting.runtime_api.report_failed_init(
                runtime_api, failure.reports(), in_full=options.tells_callers(environ)
            )
        if requested and requested.dry_run and requested.format == "json":
            reporting.dry_run.show_problems(failure.reports())
    finally:
        # Whatever fails on the way out, for want of memory, threads or descriptors: the exit code holds. Not sys.exit:
        # a thread may hang in a name resolution that nothing can interrupt.
        posix._exit(failure.kind.exit_code)


def start(requested: Options, environ: Mapping[str, str], started: float, log: Log) -> None:
    """Executes the command with the secrets that `environ` refers to; returns after a dry run only.

    Raises EntrypointError.
    """
    log.level = requested.log_level
    wrapped = command.resolve(requested.command, requested.exec_wrapper, requested.rie_path, environ, sys.argv[0])
    wanted = references.read(environ)
    log.warnings(references.unrecognized(environ, options.VARIABLES))
    log.notes(references.misnamed(environ, wanted.references, doubtful=log.level == "debug"))
    deadline = Deadline(started, requested.timeout)
    loaded = loading.load(wanted.references, environ, requested.transport, deadline, log)
    merged = environment.merge(environ, wanted, loaded, keep=requested.on_override == "keep")
    log.warnings(environment.warnings(merged, requested.on_override))
    if wanted.required:
        wanted.required.check(merged.environ)
    log.origins(merged.origins)
    notes: list[tuple[str, str]] = []
    if requested.dry_run or log.tells_all:
        notes = environment.notes(merged, wanted, whole=requested.format == "json")
    log.notes(notes)
    if log.tells_all:
        log.summary(len(merged.origins), environment.sources(wanted.references, loaded))
    if requested.dry_run:
        reporting.dry_run.show(requested.format, wrapped, merged, [note for _, note in notes])
    else:
        log.debug(f"start {printable(wrapped.file)}")
        command.become(wrapped, merged)


def end_on_signals(log: Log) -> None:
    """Makes SIGINT and SIGTERM end the process at once, with a report."""

    def interrupted(number: int, _: FrameType | None) -> None:
        error = SIGNALS[number]
        children.end_all()
        log.failure([error])
        posix._exit(error.kind.exit_code)

    for number in SIGNALS:
        # A handler, since the kernel does not apply the default action to PID 1. What was ignored stays ignored.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupted)


if __name__ == "__main__":
    main()
