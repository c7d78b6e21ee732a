"""Variables without which nothing starts: LAMBDA_ENV_REQUIRED. Entered only where that is set."""

from __future__ import annotations

from .errors import INVALID_SETTING, MAX_PROBLEMS, REQUIRED_MISSING, CombinedError, EntrypointError
from .record import Record
from .text import similar
from .variables import REQUIRED_VARIABLE, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LENGTH = 128
CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


class Required(Record):
    """The names of variables without which nothing starts."""

    names: Sequence[str]

    def check(self, environ: Mapping[str, str]) -> None:
        """Raises CombinedError with an error for each name that `environ` does not have, or has as empty."""
        missing = [name for name in dict.fromkeys(self.names) if not environ.get(name)]
        if missing:
            # Comparing a name with a thousand others takes 10 ms: no more than a report shows.
            raise CombinedError(
                EntrypointError(
                    REQUIRED_MISSING,
                    f"{REQUIRED_VARIABLE}: {_missing(name, environ, compared=index < MAX_PROBLEMS)}",
                    reference=REQUIRED_VARIABLE,
                )
                for index, name in enumerate(missing)
            )


def read(environ: Mapping[str, str]) -> Required:
    """The names. Raises CombinedError with an error for each that is not valid, by its position: it may be a secret."""
    names = environ.get(REQUIRED_VARIABLE, "").replace(",", " ").split()
    invalid = [
        position for position, name in enumerate(names, 1) if len(name) > MAX_LENGTH or not CHARACTERS.issuperset(name)
    ]
    if invalid:
        raise CombinedError(
            EntrypointError(
                INVALID_SETTING,
                f"{REQUIRED_VARIABLE}: entry {position} of {len(names)} is not a valid name; expected names of 1 to "
                f"{MAX_LENGTH} letters, digits, underscores, periods and hyphens, with commas between them",
                reference=REQUIRED_VARIABLE,
            )
            for position in invalid
        )
    return Required(names)


def _missing(name: str, environ: Mapping[str, str], *, compared: bool) -> str:
    if name in environ:
        return f"{name} is empty"
    if nearest := similar(name, environ) if compared else "":
        return f"{name} is not set; did you mean {quoted(nearest)}?"
    return f"{name} is not set; check the keys of the secrets; --dry-run without {REQUIRED_VARIABLE} lists them"
