"""From keys to names of variables: LAMBDA_ENV_PREFIX* and LAMBDA_ENV_NAMES. Entered only where one of these is set."""

from __future__ import annotations

from .errors import INVALID_SECRET, INVALID_SETTING, CombinedError, EntrypointError
from .record import Record
from .text import encode, listed, printable
from .variables import NAMES_VARIABLE, is_prefix, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES = ("exact", "shell")


class Naming(Record):
    """`prefix` is in front of every name; with `for_shell`, a key is mapped to what a shell can read."""

    prefix: str
    for_shell: bool

    def name(self, key: str) -> str:
        """The name of the variable that `key` sets."""
        if not self.for_shell:
            return self.prefix + key
        name = self.prefix + "".join(
            character.upper() if character.isascii() and character.isalnum() else "_" for character in key
        )
        return f"_{name}" if name[:1].isdigit() else name

    def named(self, texts: Mapping[str, str | None]) -> dict[str, str | None]:
        """Those of `texts`, by key, that have a value, by name. Raises EntrypointError where two keys get one name."""
        keys: dict[str, str] = {}
        problems = []
        for key in (key for key, text in texts.items() if text is not None):
            name = self.name(key)
            if keys.setdefault(name, key) != key:
                problems.append(
                    f"keys {quoted(keys[name])} and {quoted(key)} map to the same variable, {printable(name)}"
                )
        if problems:
            raise EntrypointError(INVALID_SECRET, listed(problems))
        return {name: texts[key] for name, key in keys.items()}


def read(environ: Mapping[str, str]) -> dict[str, Naming]:
    """The naming by the variable of its prefix, under "" that without one.

    Raises CombinedError with an error for each variable that is not valid.
    """
    errors = []
    names = environ.get(NAMES_VARIABLE, "").strip() or CHOICES[0]
    if names.lower() not in CHOICES:
        message = f'{NAMES_VARIABLE} is "{printable(names, 80)}"; must be one of {", ".join(CHOICES)}'
        errors.append(EntrypointError(INVALID_SETTING, message, reference=NAMES_VARIABLE))
    for_shell = names.lower() == "shell"
    namings = {"": Naming("", for_shell)} if for_shell else {}
    for variable in sorted(filter(is_prefix, environ), key=encode):
        prefix = environ[variable].strip()
        if prefix and not (prefix.isascii() and prefix.isidentifier()):
            name = printable(variable, 100)
            message = f"{name} must be a letter or an underscore, followed by letters, digits and underscores"
            errors.append(EntrypointError(INVALID_SETTING, message, reference=name))
        if prefix:
            namings[variable] = Naming(prefix, for_shell)
    if errors:
        raise CombinedError(errors)
    return namings
