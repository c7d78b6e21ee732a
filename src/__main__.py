"""What Python runs when it is given the archive: from here on, only the archive and the standard library are imported.

With the shebang line's `-ISB` nothing else is on `sys.path`, and no bytecode is written. Started as `python3 FILE`,
PYTHONPATH and site-packages are, and one of the function's own modules must not replace one of ours. Every start waits
for this file, so it imports only what is loaded already.
"""

import _signal  # type: ignore[import-not-found]
import gc
import posix
import sys
from importlib.util import MAGIC_NUMBER
from marshal import loads

sys.dont_write_bytecode = True

if sys.version_info < (3, 10):  # noqa: UP036 - an image may have an older one
    sys.stderr.write(
        f"run-lambda-entrypoint: requires Python 3.10 or newer, this is {sys.version.split()[0]}; use a newer image\n"
    )
    sys.exit(125)

gc.disable()  # a start takes milliseconds, and makes hardly any cycles: collections would only delay it


def report(kind, *_):  # type: ignore[no-untyped-def]
    """Reports what no other boundary did: Python would show an error's text, which may contain anything."""
    try:
        posix.write(2, f"run-lambda-entrypoint: cannot start: {kind.__name__}\n".encode())
    finally:
        posix._exit(125)


sys.excepthook = report
sys.unraisablehook = lambda _: None  # of a thread without memory, for instance: who waits for that reports it

# Until main has its own handler: no traceback, and it ends PID 1 too.
for signal in (_signal.SIGINT, _signal.SIGTERM):
    if _signal.getsignal(signal) != _signal.SIG_IGN:
        _signal.signal(signal, lambda number, _: posix._exit(128 + number))

archive, *library = sys.path
if not (sys.flags.isolated and sys.flags.no_site):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = {
        f"{prefix}/{sys.platlibdir}/{version}{folder}"
        for prefix in (sys.base_prefix, sys.base_exec_prefix)
        for folder in ("", "/lib-dynload")
    }
    library = [path for path in library if path in own]

sys.path[:] = [*library, f"{archive}/site-packages"]

try:
    entry = __loader__.get_data(f"{archive}/bytecode/{sys.implementation.cache_tag}")  # type: ignore[name-defined]
except OSError:  # not built for this interpreter: it starts from the source
    pass
else:
    modules = loads(entry)  # noqa: S302 - as trusted as the rest of this file
    # What imports our bytecode is bytecode itself: to compile it would cost every start 1 ms.
    _, importer = modules["run_lambda_entrypoint.bytecode"]
    if importer.startswith(MAGIC_NUMBER):
        scope = {"__name__": "run_lambda_entrypoint.bytecode"}
        exec(loads(importer[16:]), scope)  # noqa: S102, S302
        sys.meta_path.insert(0, scope["Importer"](modules, archive, __loader__))  # type: ignore[name-defined, operator]

from run_lambda_entrypoint.__main__ import main  # noqa: E402

main()
