"""Which secrets the function wants: from its environment to an ordered list of references."""

from __future__ import annotations

from .errors import CombinedError, EntrypointError, InvalidReferenceError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FIRST = "SECRETS_MANAGER_ARN"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
OURS = "LAMBDA_ENV_"

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html: letters, digits and /_+=.@-,
# up to 512 of them; the managed ones ("rds!cluster-...") also hold an exclamation mark.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_NAME = frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "/_+=.@-!")
_LABEL = frozenset(_LETTERS + _DIGITS + "-")
_LONGEST_NAME = 512
_LONGEST_ARN_NAME = _LONGEST_NAME + len("-AbCdEf")
_FORM = "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, or a secret's name"


class Reference:
    """One secret that one variable asks for.

    `secret` is the ARN or name as AWS takes it; `region` is the ARN's own, None for a name, which is asked for in
    the function's region.
    """

    __slots__ = ("region", "secret", "variable")

    def __init__(self, variable: str, secret: str, region: str | None) -> None:
        self.variable = variable
        self.secret = secret
        self.region = region

    def __str__(self) -> str:
        return f"secret {self.secret} ({printable(self.variable)})"


def read(environ: Mapping[str, str]) -> list[Reference]:
    """The references in merge order: FIRST, then those with PREFIX in byte order of the variable's name.

    Raises CombinedError with an InvalidReferenceError for each malformed reference.
    """
    prefixed = sorted((name for name in environ if name.startswith(PREFIX)), key=_bytes)
    references, errors = [], []
    for variable in [FIRST, *prefixed]:
        value = environ.get(variable, "").strip()
        if not value:
            continue
        try:
            references.append(_reference(variable, value))
        except EntrypointError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors)
    return references


def warnings(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A word on each variable that looks meant for us but is neither a reference nor among `known`."""
    ours = (name for name in environ if name.startswith(OURS) and not name.startswith(PREFIX))
    return [
        f"{printable(name)} is no variable of this program; is it a typing error for {PREFIX}*?"
        for name in sorted(ours, key=_bytes)
        if name not in known
    ]


def _reference(variable: str, value: str) -> Reference:
    parts = value.split(":", 6)
    is_arn = value.startswith("arn:")
    fault = _arn_fault(parts) if is_arn else _name_fault(value)
    if fault:
        # The value is not shown: somebody may have put the secret itself here.
        raise InvalidReferenceError(variable, f"is no reference to a secret: {fault}; write {_FORM}")
    return Reference(variable, value, parts[3] if is_arn else None)


def _arn_fault(parts: list[str]) -> str:
    """What is wrong with an ARN of these parts, or nothing. String methods: compiling a regular expression costs a
    cold start more than all of this."""
    if len(parts) < 7:
        return f"a secret's ARN has 7 parts between colons, this one {len(parts)}"
    _, partition, service, region, account, kind, name = parts
    if not partition.startswith("aws") or not _LABEL.issuperset(partition):
        return f'"{printable(partition, 40)}" is no partition (aws, aws-cn, aws-us-gov, ...)'
    if service != "secretsmanager":
        return f'it names the service "{printable(service, 40)}", not secretsmanager'
    if not region or not _LABEL.issuperset(region):
        return f'"{printable(region, 40)}" is no region'
    if len(account) != 12 or not frozenset(_DIGITS).issuperset(account):
        return f'"{printable(account, 40)}" is no account of 12 digits'
    if kind != "secret":
        return f'it names a "{printable(kind, 40)}", not a secret'
    return _name_fault(name, _LONGEST_ARN_NAME)


def _name_fault(name: str, longest: int = _LONGEST_NAME) -> str:
    if not name:
        return "the secret's name is missing"
    strange = next((character for character in name if character not in _NAME), None)
    if strange is not None:
        return f"a secret's name cannot hold {strange!a}"
    return f"a secret's name has at most {longest} characters here" if len(name) > longest else ""


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
