"""What only some starts have to tell: hints for a failure, the report to Lambda, and what goes to standard output."""

from __future__ import annotations

from ..memory import require

# Bytes, less than any of these takes with its imports, some of which log tracebacks where there are fewer (hashlib).
MEMORY = 12_000_000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import dry_run, hints, json_errors, licenses, mistakes, runtime_api, standard_output, version

    __all__ = ["dry_run", "hints", "json_errors", "licenses", "mistakes", "runtime_api", "standard_output", "version"]
else:

    def __getattr__(name):
        """Imports each module on first use (PEP 562): dry_run takes 5 ms, hints 5, json_errors 7, mistakes 7,
        runtime_api 10, licenses 40."""
        if name not in (
            "dry_run",
            "hints",
            "json_errors",
            "licenses",
            "mistakes",
            "runtime_api",
            "standard_output",
            "version",
        ):
            raise AttributeError(name)
        require(MEMORY)
        __import__(f"{__name__}.{name}")
        return globals()[name]
