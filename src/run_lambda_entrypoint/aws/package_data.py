"""Files of a package, which may be in a zip archive, read without importing the package."""

from __future__ import annotations


def data(package: str, name: str) -> bytes:
    """The bytes of a file of `package`. importlib.resources would import the package, 10 ms for botocore's, and itself.

    Raises OSError if there is no such file.
    """
    packages, _, _, _ = __file__.rsplit("/", 3)
    try:
        return bytes(__loader__.get_data(f"{packages}/{package.replace('.', '/')}/{name}"))  # type: ignore[name-defined]
    except OSError:
        # From source the dependencies are elsewhere; in the archive this only raises once more.
        import pkgutil  # noqa: PLC0415

        found = pkgutil.get_data(package, name)
        if found is None:
            raise
        return found
