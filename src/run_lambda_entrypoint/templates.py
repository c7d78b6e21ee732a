"""Values composed of other variables: LAMBDA_ENV_TEMPLATE_NAME. Entered only where there is one."""

from __future__ import annotations

from .errors import INVALID_TEMPLATE, CombinedError, EntrypointError
from .record import Record
from .text import encode, printable
from .variables import TEMPLATE_PREFIX, size_problem, target_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORM = "{NAME}, {NAME:url}, {{ or }}"
SAFE_TO_SHOW = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
MAX_SHOWN = 64  # characters of a name: what is longer, or has others, may be a piece of a password
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3


class Field(Record):
    """A variable's place in a template: the text before it, its name, and whether its value is percent-encoded.

    `position` is that of the opening brace, in bytes from 1. The last one of a template has no name.
    """

    before: str
    name: str = ""
    encoded: bool = False
    position: int = 0

    @property
    def value(self) -> tuple[str, bool]:
        """What the value depends on."""
        return self.name, self.encoded


class Template(Record):
    """What `variable` says that the variable `name` consists of."""

    variable: str
    name: str
    fields: Sequence[Field]

    def __str__(self) -> str:
        return f"template ({printable(self.variable)})"

    def evaluate(self, environ: Mapping[str, str]) -> str:
        """The text with the values of `environ`. Raises CombinedError with an error for each that is not set."""
        missing = [field for field in self.fields if field.name and field.name not in environ]
        if missing:
            raise CombinedError(
                _invalid(
                    self.variable,
                    f": {_shown(field)} is not set; check its name and case; --dry-run without this template lists the "
                    "names",
                )
                for field in missing
            )
        # Each value once, and the sum before the text: a template of 4 KB can name a value of 100 KB a thousand times.
        values = {key: _text(*key, environ) for key in {field.value for field in self.fields}}
        sizes = {key: len(encode(value)) for key, value in values.items()}
        size = sum(len(encode(field.before)) + sizes[field.value] for field in self.fields)
        if problem := size_problem(len(encode(f"{self.name}=")) + size + 1):
            raise _invalid(self.variable, f": {problem}")
        return "".join(field.before + values[field.value] for field in self.fields)


def read(environ: Mapping[str, str]) -> list[Template]:
    """The templates, in byte order of their names. Raises CombinedError with an error for each that is not valid."""
    found, errors = [], []
    for variable in sorted((name for name in environ if name.startswith(TEMPLATE_PREFIX)), key=encode):
        try:
            if environ[variable]:
                found.append(_parse(variable, environ[variable]))
        except EntrypointError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors)
    return found


def _parse(variable: str, text: str) -> Template:
    name = variable.removeprefix(TEMPLATE_PREFIX)
    if problem := target_problem(TEMPLATE_PREFIX, name):
        raise _invalid(variable, f" {problem}")
    fields, before, position, size = [], "", 0, 0  # `size` is that of what is before `position`, in bytes
    while (brace := _next_brace(text, position)) < len(text):
        before += text[position:brace]
        if text[brace] == text[brace + 1 : brace + 2]:
            before += text[brace]
            end = brace + 2
        else:
            at = size + len(encode(text[position:brace])) + 1
            end = text.find("}", brace) + 1
            field, colon, encoding = text[brace + 1 : end - 1].partition(":")
            if problem := _problem(text[brace], field, colon + encoding, closed=end > 0):
                raise _invalid(variable, f" is not a valid template: {problem} at byte {at}; expected {FORM}")
            fields.append(Field(before, field, bool(colon), at))
            before = ""
        size += len(encode(text[position:end]))
        position = end
    return Template(variable, name, [*fields, Field(before + text[position:])])


def _next_brace(text: str, start: int) -> int:
    return min((found for brace in "{}" if (found := text.find(brace, start)) >= 0), default=len(text))


def _problem(brace: str, name: str, encoding: str, *, closed: bool) -> str:
    """What is wrong with what begins with a brace, or nothing; never the text itself: it may be a password."""
    if brace == "}":
        return 'single "}"'
    if not closed:
        return 'unclosed "{"'
    if "{" in name + encoding:
        return '"{" inside the braces that open'
    if not name:
        return "no NAME in the braces that open"
    return 'something other than "url" after the colon in the braces that open' if encoding not in ("", ":url") else ""


def _text(name: str, encoded: bool, environ: Mapping[str, str]) -> str:
    value = environ[name] if name else ""
    return _percent_encoded(value) if encoded else value


def _percent_encoded(value: str) -> str:
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in encode(value))


def _shown(field: Field) -> str:
    """A variable as reports name it: what is no ordinary name may be a piece of a password."""
    ordinary = len(field.name) <= MAX_SHOWN and SAFE_TO_SHOW.issuperset(field.name)
    return f"{field.name} (at byte {field.position})" if ordinary else f"the variable at byte {field.position}"


def _invalid(variable: str, message: str) -> EntrypointError:
    name = printable(variable, 100)
    return EntrypointError(INVALID_TEMPLATE, f"{name}{message}", reference=name)
