"""The built archive with something changed."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def rewritten(archive: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Writes `archive` to `target` with what `change` makes of each entry's name and content; None leaves it out."""
    with zipfile.ZipFile(archive) as read, zipfile.ZipFile(target, "w") as written:
        for entry in read.infolist():
            if (content := change(entry.filename, read.read(entry))) is not None:
                written.writestr(entry, content, entry.compress_type)
    return target


def with_shebang_line(archive: Path, target: Path, line: str) -> Path:
    """Writes `archive` to `target`, executable, with another first line."""
    _, _, rest = archive.read_bytes().partition(b"\n")
    target.write_bytes(line.encode() + b"\n" + rest)
    target.chmod(0o755)
    return target
