"""Copies an interpreter into a folder, where a test may change its standard library."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.process import run

LEFT_OUT = ("__pycache__", "*-packages", "test*")
PLACES = """
import os, sys
print(os.path.realpath(sys.executable), sys.base_prefix, os.path.dirname(os.__file__), sep="\\n")
"""


@contextmanager
def copied_without_bytecode(python: str) -> Iterator[Path]:
    """A folder with a copy of an interpreter, bin/python3, and of its standard library without bytecode."""
    executable, prefix, library = run([python, "-ISc", PLACES]).stdout.decode().splitlines()
    # Links will do: bytecode is written beside the link. But a link to the executable would lead it to its own library.
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    with TemporaryDirectory() as folder:
        copied_library = Path(folder, Path(library).relative_to(prefix))
        shutil.copytree(library, copied_library, copy_function=os.symlink, ignore=ignore)
        Path(folder, "bin").mkdir()
        copy = shutil.copy(executable, f"{folder}/bin/python3")
        assert run([copy, "-ISBc", PLACES]).stdout.decode().splitlines() == [copy, folder, str(copied_library)]
        yield Path(folder)
