"""The environment: as the kernel handed it over, merged with the secrets, and as the command gets it.

Names and values are str, see `text.decode`, which keeps every byte.
"""

from __future__ import annotations

import posix
import sys

from .errors import ENVIRONMENT_TOO_LARGE, OVERRIDE_DENIED, CombinedError, EntrypointError
from .record import Record
from .references import PATH
from .text import decode, encode, listed, printable
from .variables import AWS_IDENTITY, Value, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from .references import Reference, Wanted
    from .templates import Template

CONFIGURATION = "the function's configuration"
# Characters in a line of the log: more than an ARN, and than a version's id or a Region, has.
MAX_SOURCE, MAX_VERSION = 1_000, 100


class Origin(Record):
    """Where a variable's value comes from, and what else had set it before: `overrides` is "" if nothing had."""

    reference: Reference | Template
    value: Value
    overrides: str


class Merged(Record):
    """The command's environment, the origin of each variable that is not the function's own, a line for each variable
    that was overridden, the references that set no variable, and the function's own variables that were kept."""

    environ: Mapping[str, str]
    origins: Mapping[str, Origin]
    overridden: Sequence[str]
    empty: Sequence[Reference] = ()
    kept: Collection[str] = ()


class Trait(Record):
    """What may surprise in a variable, `applies` by its name and value, and the level that mentions it."""

    level: str
    description: str
    applies: Callable[[str, str], bool]


TRAITS = (
    Trait(
        "info",
        "variables whose names are not valid in a shell (dash drops them)",
        lambda name, _: not (name.isascii() and name.isidentifier()),
    ),
    Trait("debug", "variables whose values end with a line break", lambda _, text: text.endswith(("\n", "\r"))),
    Trait("debug", "variables whose values start with a byte order mark", lambda _, text: text.startswith("\ufeff")),
)


def initial_environ() -> dict[str, str]:
    """The environment that the process was started with. If a name occurs twice, the first one counts, as in
    getenv(3); an entry without a name or "=" is dropped, since execve cannot pass it on.
    """
    environ: dict[str, str] = {}
    for entry in _entries():
        name, equals, value = decode(entry).partition("=")
        if name and equals:
            environ.setdefault(name, value)
    return environ


def _entries() -> list[bytes]:
    """The environment block. Under a C locale CPython adds LC_CTYPE to posix.environ (PEP 538), even with -I, and only
    /proc/self/environ still has the original. Where /proc is not mounted, posix.environ has to do. The executable's own
    interpreter adds nothing."""
    if getattr(sys, "frozen", False):
        return _pythons_entries()
    try:
        with open("/proc/self/environ", "rb") as block:
            return block.read().split(b"\0")
    except OSError:
        return _pythons_entries()


def _pythons_entries() -> list[bytes]:
    return [name + b"=" + value for name, value in posix.environ.items()]


def merge(
    environ: Mapping[str, str], wanted: Wanted, loaded: Sequence[Mapping[str, Value]], *, keep: bool = False
) -> Merged:
    """`environ` plus the variables that each reference loaded, and then those of the templates; a later one takes
    precedence. With `keep`, what `environ` has stays as it is, unless it is empty.

    Raises CombinedError with the errors of all templates.
    """
    merged = dict(environ)
    origins: dict[str, Origin] = {}
    overridden: list[str] = []
    kept: dict[str, None] = {}

    def put(name: str, value: Value, reference: Reference | Template) -> None:
        if keep and environ.get(name):
            kept[name] = None
            return
        overrides = str(origins[name].reference) if name in origins else CONFIGURATION if name in merged else ""
        origins[name] = Origin(reference, value, overrides)
        merged[name] = value.text
        if overrides:
            overridden.append(f"{reference} overrides {printable(name)}, which {overrides} sets")

    empty = [reference for reference, variables in zip(wanted.references, loaded, strict=True) if not variables]
    for reference, variables in zip(wanted.references, loaded, strict=True):
        for name, value in variables.items():
            put(name, value, reference)
    for template, text in _evaluated(wanted.templates, merged, environ if keep else {}):
        put(template.name, Value(text, "template", "", ""), template)
    return Merged(merged, origins, overridden, empty, kept)


def _evaluated(
    templates: Sequence[Template], merged: Mapping[str, str], kept: Mapping[str, str]
) -> list[tuple[Template, str]]:
    """Each template's text, all from the same values; "" for one whose variable stays as it is in `kept`."""
    texts, errors = [], []
    for template in templates:
        try:
            texts.append((template, "" if kept.get(template.name) else template.evaluate(merged)))
        except EntrypointError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors)
    return texts


def warnings(merged: Merged, on_override: str) -> list[str]:
    """What the user should know about the merged environment: references that set no variable, variables that change as
    whom, or where, the function talks to AWS, and with `on_override` "warn" those that were overridden.

    Raises CombinedError if any was overridden and `on_override` is "deny".
    """
    overridden = merged.overridden if on_override in ("warn", "deny") else ()
    if overridden and on_override == "deny":
        raise CombinedError(
            EntrypointError(OVERRIDE_DENIED, f"{line}; LAMBDA_ENV_ON_OVERRIDE=deny forbids this") for line in overridden
        )
    empty = [f"{reference} sets no variable: it has no keys, or all of them are null" for reference in merged.empty]
    identities = [
        f"{origin.reference} sets {name}; the function uses it, run-lambda-entrypoint does not"
        for name, origin in merged.origins.items()
        if name in AWS_IDENTITY
    ]
    return [*empty, *identities, *overridden]


def notes(merged: Merged, wanted: Wanted, *, whole: bool = False) -> list[tuple[str, str]]:
    """What the user may want to know about the variables that are set: level and line, with all names if `whole`."""

    def shown(names: Iterable[str]) -> str:
        return ", ".join(map(quoted, names)) if whole else listed(map(quoted, names), ", ")

    found = [] if wanted.references else [("debug", "no reference found")]
    if merged.kept:
        kept = f"variables that stay as {CONFIGURATION} sets them (LAMBDA_ENV_ON_OVERRIDE=keep)"
        found.append(("debug", f"{kept}: {shown(merged.kept)}"))
    for trait in TRAITS:
        names = [name for name, origin in merged.origins.items() if trait.applies(name, origin.value.text)]
        if names:
            found.append((trait.level, f"{trait.description}: {shown(names)}"))
    return found


def sources(references: Sequence[Reference], loaded: Sequence[Mapping[str, Value]]) -> list[dict[str, str]]:
    """Which secrets, parameters and paths the variables come from, in which version and Region."""
    found: dict[tuple[str, ...], None] = {}
    for reference, variables in zip(references, loaded, strict=True):
        for value in list(variables.values())[:1]:
            version = "" if reference.kind == PATH else value.version  # each of its parameters has one of its own
            target, version = printable(reference.target, MAX_SOURCE), printable(version, MAX_VERSION)
            found[reference.kind, target, version, printable(value.region, MAX_VERSION)] = None
    return [dict(zip(("kind", "source", "version", "region"), each, strict=True)) for each in found]


def encoded(environ: Mapping[str, str]) -> dict[bytes, bytes]:
    """`environ` as execve takes it, byte for byte what `initial_environ` read."""
    return {encode(name): encode(value) for name, value in environ.items()}


def too_large(merged: Merged) -> EntrypointError:
    """The error for an environment that the kernel rejected (E2BIG); it names what each reference adds."""
    message = f"the kernel rejects the arguments and {_size(merged.environ):,} bytes of environment (E2BIG)"
    sizes: dict[Reference | Template, dict[str, int]] = {}
    for name, origin in merged.origins.items():
        sizes.setdefault(origin.reference, {})[name] = _size({name: origin.value.text})
    shares = sorted(sizes.items(), key=lambda share: sum(share[1].values()), reverse=True)
    if shares:
        message += f"; {listed(_share(*share) for share in shares)}"
    return EntrypointError(
        ENVIRONMENT_TOO_LARGE, message + "; load less, or raise the stack limit (ulimit -s), which bounds both"
    )


def _share(reference: Reference | Template, sizes: Mapping[str, int]) -> str:
    largest = max(sizes, key=sizes.__getitem__)
    variables = f"{len(sizes):,} variable{'s' * (len(sizes) > 1)}"
    return (
        f"{reference} adds {sum(sizes.values()):,} bytes in {variables}, the largest is {printable(largest, 80)} "
        f"({sizes[largest]:,} bytes)"
    )


def _size(environ: Mapping[str, str]) -> int:
    return sum(len(encode(name)) + len(encode(value)) + 2 for name, value in environ.items())
