"""Starts the package, from its bytecode where the archive has some for this interpreter.

The bytecode of all of the package's modules is one entry of the archive, that of its dependencies another: with `.pyc`
entries zipimport would open the archive anew for each module and read a directory of five times as many entries.
Executed by the archive's own `__main__`, before the package can be imported; so it imports only what is loaded already.
"""

import gc
import sys
from _frozen_importlib import ModuleSpec  # importlib.machinery's
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from importlib.abc import ResourceReader
    from types import ModuleType
    from typing import NoReturn

    Modules = dict[str, tuple[bool, bytes]]


class Importer:
    """A finder and loader for `modules`: for each name, whether it is a package, and its code, marshaled.

    Another entry of `archive` has those that are needed where one of `libraries` is.
    """

    def __init__(self, archive: "str", modules: "Modules", libraries: "Collection[str]") -> None:
        self._archive = archive
        self._modules = modules
        self._libraries = libraries

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """The spec of one of our modules, None for any other."""
        if name in self._libraries:
            self._libraries = ()
            more = self.get_data(f"{self._archive}/libraries/{sys.implementation.cache_tag}")
            self._modules.update(loads(more))  # noqa: S302 - as trusted as the rest of this file
        if name not in self._modules:
            return None
        is_package, _ = self._modules[name]
        path = f"{self._archive}/site-packages/{name.replace('.', '/')}"
        origin = f"{path}/__init__.py" if is_package else f"{path}.py"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        if is_package:
            spec.submodule_search_locations = [path]
        spec.has_location = True
        spec.cached = self._archive  # importlib would make a name in __pycache__ of the origin
        return spec

    def create_module(self, _spec: "ModuleSpec") -> None:
        """None: the default module will do."""

    def exec_module(self, module: "ModuleType") -> None:
        """Runs the module's code."""
        _, code = self._modules[module.__name__]
        exec(loads(code), module.__dict__)  # noqa: S102, S302 - as trusted as the rest of this file

    def get_data(self, path: str) -> bytes:
        """The bytes of a file in the archive. Raises OSError if there is no such file, or no archive to read."""
        from zipimport import zipimporter  # noqa: PLC0415 - most starts need no file

        try:
            return zipimporter(self._archive).get_data(path)
        except ImportError as error:  # zipimport's own for any OSError: no descriptor is left, for instance
            raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None

    def get_resource_reader(self, name: str) -> "ResourceReader | None":
        """For importlib.resources: reads the files of a package."""
        from zipimport import zipimporter  # noqa: PLC0415 - most starts need no file

        folder, _, _ = f"{self._archive}/site-packages/{name.replace('.', '/')}".rpartition("/")
        return zipimporter(folder).get_resource_reader(name)


def start(archive: str, modules: "Modules", libraries: "Collection[str]") -> "NoReturn":
    """Becomes the command; without `modules` from the source in `archive`."""
    sys.dont_write_bytecode = True
    gc.disable()  # a start takes milliseconds, and makes hardly any cycles: collections would only delay it
    # Of a thread without memory, for instance: who waits for that reports it. Python would show an error's text. A
    # function of ours would need memory itself; `callable` does nothing.
    sys.unraisablehook = callable
    sys.path[:] = [*_library(), f"{archive}/site-packages"]
    if modules:
        sys.meta_path.insert(0, Importer(archive, modules, libraries))
    from run_lambda_entrypoint.__main__ import main  # noqa: PLC0415 - this could not be imported before

    main()


def _library() -> "list[str]":
    """Where the standard library is. Started as `python3 FILE`, PYTHONPATH and site-packages are on sys.path too, and
    one of the function's own modules must not replace one of ours."""
    if sys.flags.isolated and sys.flags.no_site:
        return sys.path
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = {
        f"{prefix}/{sys.platlibdir}/{version}{folder}"
        for prefix in (sys.base_prefix, sys.base_exec_prefix)
        for folder in ("", "/lib-dynload")
    }
    return [path for path in sys.path if path in own]
