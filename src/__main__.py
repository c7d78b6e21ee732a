"""What Python runs when it is given the archive: from here on, only it and the standard library are imported.

With the first line's `-IS` nothing else is on `sys.path`. Started as `python3 FILE`, PYTHONPATH and site-packages
are, and a module of the function's must not stand in for one of ours. Every start waits for this file, so it imports
nothing that is not loaded already.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

if sys.version_info < (3, 10):  # noqa: UP036 - an image may have an older one
    sys.stderr.write(
        f"run-lambda-entrypoint: Python 3.10 or newer is needed, this is {sys.version.split()[0]}\n"
    )
    sys.exit(125)

sys.dont_write_bytecode = True

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


class Bytecode:
    """Imports our package from its bytecode for this interpreter, all of it one entry of the archive.

    As `.pyc` entries zipimport would open the archive anew for each module, and read five times as many entries of
    its directory: 5 ms of every start.
    """

    get_data = __loader__.get_data  # type: ignore[name-defined]

    def __init__(self) -> None:
        try:
            entry = self.get_data(f"{archive}/bytecode/{sys.implementation.cache_tag}")
            self.modules = loads(entry)  # noqa: S302 - as trusted as the rest of this file
        except OSError:  # not built for this interpreter: it starts from the source
            self.modules = {}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        is_package, code = self.modules.get(name, (False, b""))
        if code[:4] != MAGIC_NUMBER:
            return None
        path = f"{archive}/site-packages/{name.replace('.', '/')}"
        origin = f"{path}/__init__.py" if is_package else f"{path}.py"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True  # so that modules have a __file__
        if is_package:
            spec.submodule_search_locations = [path]
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(loads(self.modules[module.__name__][1][16:]), module.__dict__)  # noqa: S102, S302


sys.meta_path.insert(0, Bytecode())

from run_lambda_entrypoint.__main__ import main  # noqa: E402

main()
