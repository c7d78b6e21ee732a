"""Files of a package, which may be in a zip archive, read without importing the package."""

from __future__ import annotations

from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.abc import ResourceLoader


def data(package: str, name: str) -> bytes:
    """The bytes of a file of `package`. importlib.resources would import the package, 10 ms for botocore's, and itself.

    Raises OSError if there is no such file.
    """
    spec = find_spec(package)
    if spec is None or spec.loader is None or not spec.submodule_search_locations:
        raise FileNotFoundError(package)
    loader: ResourceLoader = spec.loader  # type: ignore[assignment]  # of files and of zip archives: both have it
    return loader.get_data(f"{spec.submodule_search_locations[0]}/{name}")
