"""What runs first: finds the bytecode for this interpreter, or the source, and leaves the rest to bytecode.py.

The shebang line executes this file as it stands in the archive, and `c` is all that it has read; in `python3 FILE` it
is runpy that imports it. Every start compiles it, so it is short; a Python that is too old for the rest must
be able to compile it, too.
"""

import posix
import sys
from _signal import SIG_IGN, SIGINT, SIGTERM, getsignal, signal  # type: ignore[import-not-found]

# Until the package has its own handlers: no traceback, and it ends PID 1 too. Nothing of ours runs earlier.
for number in (SIGINT, SIGTERM):
    if getsignal(number) != SIG_IGN:
        signal(number, lambda number, _: posix._exit(128 + number))

from _frozen_importlib_external import MAGIC_NUMBER  # noqa: E402 - importlib.util's, which is not loaded yet
from marshal import loads  # noqa: E402

if sys.version_info < (3, 10):  # noqa: UP036 - an image may have an older one
    sys.stderr.write(
        f"run-lambda-entrypoint: requires Python 3.10 or newer, this is {sys.version.split()[0]}; use a newer image\n"
    )
    sys.exit(125)
PLACES = {}  # type: ignore[var-annotated]  # of each interpreter's bytecode in the file: offset and size
try:
    if "c" in globals():
        archive = sys.argv.pop(1)
        offset, size = PLACES.get(sys.implementation.cache_tag, (0, 0))
        with open(archive, "rb", 0) as file:
            file.seek(offset)
            blob = file.read(size)
            file.seek(-22, 2)
            if file.read(4) != b"PK\5\6":  # the end of a zip archive: nothing behind this entry is missing
                raise EOFError
    else:
        archive = sys.path.pop(0)
        try:
            blob = __loader__.get_data(f"{archive}/bytecode/{sys.implementation.cache_tag}")  # type: ignore[name-defined]
        except OSError:
            blob = b""
    # As trusted as the rest of this file.
    modules, libraries = loads(memoryview(blob)[4:]) if blob.startswith(MAGIC_NUMBER) else ({}, ())  # noqa: S302
    blob = c = b""  # no start needs them in memory twice
    scope = {"__name__": "run_lambda_entrypoint.bytecode"}
    if modules:
        code = loads(modules["run_lambda_entrypoint.bytecode"][1])  # noqa: S302
    else:  # not built for this interpreter: it starts from the source
        from zipimport import zipimporter

        code = zipimporter(f"{archive}/site-packages/run_lambda_entrypoint").get_code("bytecode")
    exec(code, scope)  # noqa: S102
    scope["start"](archive, modules, libraries)  # type: ignore[operator]
except Exception as error:  # its text may contain anything
    if sys.stderr:
        problem = f"cannot start ({type(error).__name__}): the file is damaged, or memory is short"
        sys.stderr.write(f"run-lambda-entrypoint: {problem}\n")
    sys.exit(125)
