"""Imports this package from its bytecode, which is a single entry of the archive.

With `.pyc` entries zipimport would open the archive anew for each module and read four times as many entries of its
directory: 5 ms of every start. Executed by the archive's own `__main__`, before the package can be imported.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from zipimport import zipimporter


class Importer:
    """A finder and loader for `modules`: for each name, whether it is a package, and its unchecked `.pyc` (PEP 552).

    `archive` is the path of the archive, `loader` reads its other entries.
    """

    def __init__(self, modules: Mapping[str, tuple[bool, bytes]], archive: str, loader: zipimporter) -> None:
        self.modules = modules
        self.archive = archive
        self.get_data = loader.get_data

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The spec of one of our modules, None for any other."""
        if name not in self.modules:
            return None
        is_package, _ = self.modules[name]
        path = f"{self.archive}/site-packages/{name.replace('.', '/')}"
        origin = f"{path}/__init__.py" if is_package else f"{path}.py"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        if is_package:
            spec.submodule_search_locations = [path]
        spec.has_location = True
        spec.cached = self.archive  # importlib would make a name in __pycache__ of the origin
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """None: the default module will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's code."""
        _, pyc = self.modules[module.__name__]
        exec(loads(pyc[16:]), module.__dict__)  # noqa: S102, S302 - after the 16-byte header of a .pyc
