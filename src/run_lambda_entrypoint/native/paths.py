"""What os.path adds to the system calls: with os, 0.8 ms of a start."""

from __future__ import annotations

from posix import getuid, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT, REGULAR = 0o170000, 0o100000  # of st_mode (inode(7))
DEFAULT_PATH = "/bin:/usr/bin"  # of execvp(3) where PATH is not set


def is_file(path: str | bytes) -> bool:
    """os.path.isfile."""
    try:
        return stat(path).st_mode & FORMAT == REGULAR
    except (OSError, ValueError):
        return False


def exists(path: str | bytes) -> bool:
    """os.path.exists."""
    try:
        stat(path)
    except (OSError, ValueError):
        return False
    return True


def same_file(path: str | bytes, other: str | bytes) -> bool:
    """os.path.samefile, False if one of them does not exist."""
    try:
        status, others = stat(path), stat(other)
    except (OSError, ValueError):
        return False
    return (status.st_dev, status.st_ino) == (others.st_dev, others.st_ino)


def expand_home(path: str, environ: Mapping[str, str]) -> str:
    """os.path.expanduser, with HOME from `environ`."""
    if not path.startswith("~"):
        return path
    user, slash, rest = path[1:].partition("/")
    home = None if user else environ.get("HOME")
    if home is None:
        try:
            # Saves 0.1 ms on every start with HOME set.
            import pwd  # noqa: PLC0415

            home = (pwd.getpwnam(user) if user else pwd.getpwuid(getuid())).pw_dir
        except (ImportError, KeyError):
            return path
    return home.rstrip("/") + slash + rest or "/"
