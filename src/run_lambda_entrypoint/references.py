"""Which secrets the function wants: from its environment to an ordered list of references."""

from __future__ import annotations

from .environment import as_bytes
from .errors import CombinedError, EntrypointError, InvalidReferenceError, printable
from .reserved import reserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

OURS = "LAMBDA_ENV_"
FIRST = "SECRETS_MANAGER_ARN"
PATH_PREFIX = "LAMBDA_ENV_SSM_PATH_"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE_PREFIX = "LAMBDA_ENV_VALUE_FROM_"

SECRET, PARAMETER, PATH = "secret", "parameter", "parameters below"

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html: letters, digits and /_+=.@-,
# up to 512 of them; the managed ones ("rds!cluster-...") also hold an exclamation mark.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_NAME = frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "/_+=.@-!")
_PARAMETER_NAME = frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "/_.-")
_LABEL = frozenset(_LETTERS + _DIGITS + "-")
_LONGEST_NAME = 512
_LONGEST_ARN_NAME = _LONGEST_NAME + len("-AbCdEf")
_FORM = (
    "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME[:KEY:STAGE:VERSION], or NAME[:KEY:STAGE:VERSION]"
)
_PARAMETER_FORM = "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME[:VERSION or LABEL]"
_PATH_FORM = "/a/path/"
# A parameter that shows a secret of Secrets Manager; GetParametersByPath does not know them at all.
_DETOUR = "/aws/reference/secretsmanager/"


class Reference:
    """What one variable asks for.

    `kind` is SECRET, PARAMETER or PATH; `target` is the secret's ARN or name, the parameter's ARN, or the path.
    `region` is the ARN's own, None for what is asked for in the function's region. Of a secret, `key` is the key that
    is wanted ("" for all), `stage` and `version` choose a version. `sets` names the one variable that gets the value,
    "" where each key or parameter sets its own.
    """

    __slots__ = ("key", "kind", "region", "sets", "stage", "target", "variable", "version")

    def __init__(self, variable: str, kind: str, target: str, region: str | None) -> None:
        self.variable = variable
        self.kind = kind
        self.target = target
        self.region = region
        self.key = self.stage = self.version = self.sets = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.target} ({printable(self.variable)})"


def read(environ: Mapping[str, str]) -> list[Reference]:
    """The references in merge order: FIRST, then those with PATH_PREFIX, PREFIX and VALUE_PREFIX, each in byte order.

    Raises CombinedError with an InvalidReferenceError for each malformed reference.
    """
    readers = [(FIRST, _secret)]
    for prefix, reader in ((PATH_PREFIX, _path), (PREFIX, _secret), (VALUE_PREFIX, _value)):
        variables = sorted((name for name in environ if name.startswith(prefix)), key=as_bytes)
        readers += [(variable, reader) for variable in variables]
    references, errors = [], []
    for variable, reader in readers:
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            references.append(reader(variable, text))
        except EntrypointError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors)
    return references


def warnings(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A word on each variable that looks meant for us but is neither a reference nor among `known`."""
    prefixes = (PATH_PREFIX, PREFIX, VALUE_PREFIX)
    ours = (name for name in environ if name.startswith(OURS) and not name.startswith(prefixes))
    return [
        f"{printable(name)} is no variable of this program; is it a typing error for {PREFIX}*?"
        for name in sorted(ours, key=as_bytes)
        if name not in known
    ]


def region_of(arn: str) -> str:
    """The region that an ARN names, "" for what is no ARN."""
    return arn.split(":")[3] if arn.startswith("arn:") and arn.count(":") > 3 else ""


def _secret(variable: str, text: str) -> Reference:
    """A reference as ECS writes it: ARN or name, then up to three parts that may be empty."""
    is_arn = text.startswith("arn:")
    parts = text.split(":")
    size = 7 if is_arn else 1
    fault = _arn_fault(parts, "secretsmanager") or _secret_fault(parts) if is_arn else _name_fault(parts[0])
    if not fault and len(parts) > size + 3:
        fault = "at most three parts follow the secret: KEY, STAGE and VERSION"
    if fault:
        # The value is not shown: somebody may have put the secret itself here.
        raise InvalidReferenceError(variable, f"is no reference to a secret: {fault}; write {_FORM}")
    reference = Reference(variable, SECRET, ":".join(parts[:size]), parts[3] if is_arn else None)
    reference.key, reference.stage, reference.version = (*parts[size:], "", "", "")[:3]
    return reference


def _value(variable: str, text: str) -> Reference:
    sets = variable.removeprefix(VALUE_PREFIX)
    if not sets:
        raise InvalidReferenceError(variable, f"names no variable to set; write {VALUE_PREFIX}NAME")
    if reserved(sets):
        raise InvalidReferenceError(
            variable, f"would set {printable(sets)}, which Lambda reserves to describe the runtime"
        )
    is_parameter = text.startswith("arn:") and text.split(":")[2:3] == ["ssm"]
    reference = (_parameter if is_parameter or text.startswith(_DETOUR) else _secret)(variable, text)
    reference.sets = sets
    return reference


def _parameter(variable: str, text: str) -> Reference:
    parts = text.split(":")
    fault = _parameter_fault(text, []) if text.startswith(_DETOUR) else _arn_fault(parts, "ssm", 6)
    if not fault and (not parts[5].startswith("parameter/") or parts[5] == "parameter/"):
        fault = f'it names "{printable(parts[5], 40)}", not a parameter'
    if not fault:
        fault = _parameter_fault(parts[5].removeprefix("parameter"), parts[6:])
    if fault:
        raise InvalidReferenceError(
            variable, f"is no reference to a parameter: {fault}; write {_PARAMETER_FORM}"
        )
    return Reference(variable, PARAMETER, text, parts[3])


def _path(variable: str, text: str) -> Reference:
    fault = _parameter_fault(text.rstrip("/") + "/", [])
    if fault:
        raise InvalidReferenceError(variable, f"is no path of parameters: {fault}; write {_PATH_FORM}")
    return Reference(variable, PATH, text.rstrip("/") + "/", None)


def _arn_fault(parts: list[str], expected: str, size: int = 7) -> str:
    """What is wrong with the start of an ARN, or nothing. String methods: compiling a regular expression costs a cold
    start more than all of this."""
    if len(parts) > 2 and parts[2] != expected:
        return f'it names the service "{printable(parts[2], 40)}", not {expected}'
    if len(parts) < size:
        return f"such an ARN has {size} parts between colons or more, this one {len(parts)}"
    _, partition, _, region, account = parts[:5]
    if not partition.startswith("aws") or not _LABEL.issuperset(partition):
        return f'"{printable(partition, 40)}" is no partition (aws, aws-cn, aws-us-gov, ...)'
    if not region or not _LABEL.issuperset(region):
        return f'"{printable(region, 40)}" is no region'
    if len(account) != 12 or not frozenset(_DIGITS).issuperset(account):
        return f'"{printable(account, 40)}" is no account of 12 digits'
    return ""


def _secret_fault(parts: list[str]) -> str:
    if parts[5] != "secret":
        return f'it names a "{printable(parts[5], 40)}", not a secret'
    return _name_fault(parts[6], _LONGEST_ARN_NAME)


def _name_fault(name: str, longest: int = _LONGEST_NAME) -> str:
    if not name:
        return "the secret's name is missing"
    strange = next((character for character in name if character not in _NAME), None)
    if strange is not None:
        return f"a secret's name cannot hold {strange!a}"
    return f"a secret's name has at most {longest} characters here" if len(name) > longest else ""


def _parameter_fault(name: str, selector: list[str]) -> str:
    if not name.startswith("/"):
        return "a parameter's name or path follows a slash"
    if name.startswith(_DETOUR):
        return (
            f"it is a secret of Secrets Manager; refer to that itself ({VALUE_PREFIX}NAME=NAME-OF-THE-SECRET)"
        )
    if not _PARAMETER_NAME.issuperset(name):
        return "a parameter's name has letters, digits and /_.- only"
    if len(selector) > 1 or selector == [""]:
        return "one version or label follows the name, behind a colon"
    return ""
