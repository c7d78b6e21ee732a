"""Whether there is memory for what comes."""

from __future__ import annotations


def require(size: int) -> None:
    """Raises MemoryError if the address space has no room for `size` bytes more, which are mapped and not written to.

    Where memory runs out halfway, OpenSSL crashes while it is loaded, and CPython 3.11 unwinds an exception forever
    (exception_unwind in ceval.c allocates, and starts anew if that fails).
    """
    bytes(size)


def address_space_is_limited() -> bool:
    """Whether this process has a limit (ulimit -v), as proc_pid_limits(5) tells; False where /proc is not mounted."""
    # Not resource.getrlimit: its module takes five times as long.
    try:
        with open("/proc/self/limits", "rb") as limits:
            return b"Max address space         unlimited" not in limits.read()
    except OSError:
        return False
