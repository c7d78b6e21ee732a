"""What the environment asks for: which secrets and parameters, in which order, and what is made of their values."""

from __future__ import annotations

from . import reporting
from .errors import CombinedError, EntrypointError, invalid_reference
from .record import Record
from .text import encode, printable
from .variables import NAMES_VARIABLE, PREFIX_VARIABLE, REQUIRED_VARIABLE, TEMPLATE_PREFIX, is_prefix, target_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from .naming import Naming
    from .required import Required
    from .templates import Template

NAMESPACE = "LAMBDA_ENV_"
PRIMARY_VARIABLE = "SECRETS_MANAGER_ARN"
PATH_PREFIX = "LAMBDA_ENV_SSM_PATH_"
SECRET_PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE_PREFIX = "LAMBDA_ENV_VALUE_FROM_"
BASE64_PREFIX = "LAMBDA_ENV_BASE64_FROM_"

SECRET, PARAMETER, PATH = "secret", "parameter", "parameters below"
CURRENT_STAGE = "AWSCURRENT"  # of the version that Secrets Manager returns if the request names none

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html: letters, digits and /_+=.@-,
# up to 512 of them; names of managed secrets ("rds!cluster-...") also contain an exclamation mark.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = frozenset("0123456789")
_ALPHANUMERIC = _DIGITS.union(_LETTERS, _LETTERS.upper())
_SECRET_NAME = _ALPHANUMERIC.union("/_+=.@-!")
_PARAMETER_NAME = _ALPHANUMERIC.union("/_.-")
_LABEL = _DIGITS.union(_LETTERS, "-")
# VERSION: ClientRequestToken in the API reference. STAGE: AWS publishes no pattern; without "/" and "@" no URL is one.
# A parameter's label: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html
_SELECTOR = _ALPHANUMERIC.union("-_.")
_MAX_NAME_LENGTH = 512
_MAX_ARN_NAME_LENGTH = _MAX_NAME_LENGTH + len("-AbCdEf")
_SECRET_FORM = (
    "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME[:KEY:STAGE:VERSION], or NAME[:KEY:STAGE:VERSION]"
)
_PARAMETER_FORM = "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME[:VERSION or LABEL]"
_PATH_FORM = "/a/path/ or arn:PARTITION:ssm:REGION:ACCOUNT:parameter/a/path/"
# A parameter that refers to a secret of Secrets Manager; GetParametersByPath does not return these at all.
_SECRET_VIA_SSM = "/aws/reference/secretsmanager/"
# What other tools put before a name, and a colon: CloudFormation, Serverless, vals, teller, external-secrets, ...
_PREFIXES = {
    **dict.fromkeys(("secretsmanager", "secrets-manager", "aws-secretsmanager", "aws-secrets-manager"), SECRET),
    **dict.fromkeys(("awssecretsmanager", "aws_secretsmanager", "awssecrets", "awssecret", "aws-sm", "awssm"), SECRET),
    **dict.fromkeys(("ref+awssecrets", "aws-secret", "aws-secrets"), SECRET),
    **dict.fromkeys(("ssm", "ssm-secure", "aws-ssm", "awsssm", "aws_ssm", "awsps", "ref+awsssm"), PARAMETER),
    **dict.fromkeys(("parameterstore", "parameter-store", "aws-parameter-store", "aws-ps"), PARAMETER),
}
_DYNAMIC = "{{resolve:"  # of CloudFormation


class Reference(Record):
    """What one variable asks for.

    `kind` is SECRET, PARAMETER or PATH; `target` is the secret's ARN or name, the parameter's ARN, or the path.
    `region` is the ARN's own, "" for the function's Region; `account` is that of a path's ARN. Of a secret, `key` is
    the requested key ("" for all), `stage` and `version` choose a version. `name` is the one variable that gets the
    value, as base64 if `binary`; "" where each key or parameter sets its own, as `naming` maps it (None: not at all).
    """

    variable: str
    kind: str
    target: str
    region: str = ""
    key: str = ""
    stage: str = ""
    version: str = ""
    name: str = ""
    binary: bool = False
    account: str = ""
    naming: Naming | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.target} ({printable(self.variable)})"


class Form(Record):
    """A variable, or with `prefix` all variables whose names begin with it. `shown` is how documentation names it.

    Of those that contain a reference, `read` parses the text, and `kind` is the place in the order of precedence;
    within a kind, the rest of the name is.
    """

    variable: str
    prefix: bool
    shown: str
    help: str
    kind: int = 0
    read: Callable[[str, str, Naming | None], Reference] = NotImplemented


class Wanted(Record):
    """What the environment asks for."""

    references: Sequence[Reference]
    templates: Sequence[Template] = ()
    required: Required | None = None


def read(environ: Mapping[str, str]) -> Wanted:
    """The references, a later one of which takes precedence, and what is made of their values.

    Raises CombinedError with an error for each malformed reference, prefix, template or name.
    """
    errors: list[EntrypointError] = []

    def collected(read: Callable[..., Any], *arguments: object) -> Any:
        try:
            return read(*arguments)
        except EntrypointError as error:
            errors.append(error)
            return ()

    ours = [name for name in environ if name.startswith(NAMESPACE)]
    # Each saves what its module takes on every start that does not use it.
    namings: Mapping[str, Naming] = {}
    if any(name.startswith((PREFIX_VARIABLE, NAMES_VARIABLE)) for name in ours):
        from . import naming  # noqa: PLC0415

        namings = collected(naming.read, environ) or {}
    references = [collected(*each) for each in _texts(environ, ours, namings)]
    templates_: Sequence[Template] = ()
    if any(name.startswith(TEMPLATE_PREFIX) for name in ours):
        from . import templates  # noqa: PLC0415

        templates_ = collected(templates.read, environ)
    required_: Required | None = None
    if environ.get(REQUIRED_VARIABLE):
        from . import required  # noqa: PLC0415

        required_ = collected(required.read, environ)
    if errors:
        raise CombinedError(errors)
    return Wanted(references, templates_, required_)


def _texts(
    environ: Mapping[str, str], ours: Sequence[str], namings: Mapping[str, Naming]
) -> list[tuple[Callable[..., Reference], str, str, Naming | None]]:
    """What parses each reference, its variable, its text, and how it names variables, in order."""
    found: dict[tuple[int, bytes], tuple[Callable[..., Reference], str, str, Naming | None]] = {}
    for form in FORMS:
        for variable in [name for name in ours if name.startswith(form.variable)] if form.prefix else [form.variable]:
            text, rest = environ.get(variable, "").strip(), variable.removeprefix(form.variable)
            if text:
                naming = namings.get(f"{PREFIX_VARIABLE}_{rest}" if form.prefix else PREFIX_VARIABLE)
                place = form.kind, encode(rest)
                read = form.read
                if place in found:
                    read, text = _twice, found[place][1]
                found[place] = read, variable, text, naming or namings.get("")
    return [found[place] for place in sorted(found)]


def unrecognized(environ: Mapping[str, str], settings: Collection[str]) -> list[str]:
    """A warning for each variable in our namespace that is neither one of ours nor one of `settings`, and for each
    prefix without a reference."""
    names = {*settings, *(form.variable for form in MODIFIERS if not form.prefix)}
    prefixes = tuple(form.variable for form in (*FORMS, *MODIFIERS) if form.prefix)
    ours = [name for name in environ if name.startswith(NAMESPACE)]
    unknown = [name for name in ours if name not in names and not name.startswith(prefixes)]
    return [*_suggestions(unknown, names), *_without_effect(environ, ours)]


def _without_effect(environ: Mapping[str, str], ours: Sequence[str]) -> list[str]:
    warnings = []
    for variable in sorted((name for name in ours if is_prefix(name) and environ[name].strip()), key=encode):
        rest = variable.removeprefix(PREFIX_VARIABLE).removeprefix("_")
        references = [f"{prefix}{rest}" for prefix in (SECRET_PREFIX, PATH_PREFIX)]
        if variable == PREFIX_VARIABLE:
            references = [PRIMARY_VARIABLE]
        if not any(environ.get(name, "").strip() for name in references):
            warnings.append(f"{printable(variable)} has no effect without {printable(' or '.join(references))}")
    return warnings


def misnamed(
    environ: Mapping[str, str], references: Sequence[Reference], *, doubtful: bool = True
) -> list[tuple[str, str]]:
    """A line, and its level, for each variable outside our namespace that may have been meant for us: a warning if
    `references` is empty, or if it contains a reference while SECRETS_MANAGER_ARN does not. The others only with
    `doubtful`."""
    # On every start: no more than a look at each name.
    names = [
        name for name in environ if name[:3] in ("SEC", "sec") and all(part in name.upper() for part in ("MAN", "ARN"))
    ]
    found = [name for name in names if name != PRIMARY_VARIABLE and environ[name].strip()]
    if not found:
        return []
    is_missing = not environ.get(PRIMARY_VARIABLE, "").strip()
    likely = [name for name in found if not references or (is_missing and _is_secret(environ[name].strip()))]
    others = [name for name in found if name not in likely] if doubtful else []
    return [
        *(("warning", line) for line in _suggestions(likely, [PRIMARY_VARIABLE])),
        *(("debug", line) for line in _suggestions(others, [PRIMARY_VARIABLE])),
    ]


def _suggestions(names: Collection[str], variables: Collection[str]) -> list[str]:
    forms = [form for form in (*FORMS, *MODIFIERS) if form.prefix]
    return reporting.mistakes.unrecognized(names, sorted(variables), forms, NAMESPACE) if names else []


def _is_secret(text: str) -> bool:
    # Not by `_secret`, whose error imports `mistakes`: 7 ms of a good start.
    return not _reference_problem(text)


def arn_account(arn: str) -> str:
    """The account in an ARN, "" if the text is not an ARN."""
    return arn.split(":")[4] if arn.startswith("arn:") and arn.count(":") > 4 else ""


def arn_region(arn: str) -> str:
    """The Region in an ARN, "" if the text is not an ARN."""
    return arn.split(":")[3] if arn.startswith("arn:") and arn.count(":") > 3 else ""


def _secret(variable: str, text: str, naming: Naming | None, name: str = "", *, binary: bool = False) -> Reference:
    """A reference as in ECS: an ARN or a name, then up to three fields that may be empty."""
    is_arn = text.startswith("arn:")
    fields = text.split(":")
    size = 7 if is_arn else 1
    problem = _reference_problem(text)
    if problem:
        raise _invalid(variable, "is not a valid secret reference", text, problem, _SECRET_FORM)
    region = fields[3] if is_arn else ""
    key, stage, version = (*fields[size:], "", "", "")[:3]
    target = ":".join(fields[:size])
    return Reference(variable, SECRET, target, region, key, stage, version, name, binary, naming=naming)


def _value(variable: str, text: str, _: Naming | None, *, prefix: str = VALUE_PREFIX) -> Reference:
    name = variable.removeprefix(prefix)
    if problem := target_problem(prefix, name):
        raise invalid_reference(variable, problem)
    is_parameter = text.startswith("arn:") and text.split(":")[2:3] == ["ssm"]
    is_parameter = is_parameter or text.startswith(_SECRET_VIA_SSM) or _PREFIXES.get(_prefix(text)) == PARAMETER
    if is_parameter:
        return _parameter(variable, text, name, binary=prefix == BASE64_PREFIX)
    return _secret(variable, text, None, name, binary=prefix == BASE64_PREFIX)


def _base64(variable: str, text: str, naming: Naming | None) -> Reference:
    return _value(variable, text, naming, prefix=BASE64_PREFIX)


def _twice(variable: str, other: str, _: Naming | None) -> Reference:
    raise invalid_reference(variable, f"and {printable(other, 100)} set the same variable; remove one of them")


def _parameter(variable: str, text: str, name: str, *, binary: bool) -> Reference:
    fields = text.split(":")
    if text.startswith(_SECRET_VIA_SSM):
        problem = _parameter_problem(text)
    else:
        problem = _prefix_problem(text, PARAMETER) or _arn_problem(fields, "ssm", 6) or _parameter_arn_problem(fields)
    if problem:
        raise _invalid(variable, "is not a valid parameter reference", text, problem, _PARAMETER_FORM)
    return Reference(variable, PARAMETER, text, fields[3], name=name, binary=binary)


def _path(variable: str, text: str, naming: Naming | None) -> Reference:
    fields = text.split(":") if text.startswith("arn:") else []
    problem = (_arn_problem(fields, "ssm", 6) or _path_arn_problem(fields)) if fields else ""
    path = (fields[5].removeprefix("parameter") if fields and not problem else text).rstrip("/") + "/"
    problem = problem or _parameter_problem(path)
    if problem:
        problem = _prefix_problem(text, PATH) or problem
        raise _invalid(variable, "is not a valid parameter path", text, problem, _PATH_FORM)
    region, account = fields[3:5] if fields else ("", "")
    return Reference(variable, PATH, path, region, account=account, naming=naming)


def _invalid(variable: str, message: str, text: str, problem: str, form: str) -> EntrypointError:
    mistake = "" if _prefix(text) in _PREFIXES else reporting.mistakes.recognized(text)
    return invalid_reference(variable, f"{message}: {mistake or problem}; expected {form}")


FORMS = (
    Form(PRIMARY_VARIABLE, False, PRIMARY_VARIABLE, "a secret: each of its keys", 0, _secret),
    Form(PATH_PREFIX, True, f"{PATH_PREFIX}*", "a path: each parameter below it", 1, _path),
    Form(SECRET_PREFIX, True, f"{SECRET_PREFIX}*", "a secret: each of its keys", 2, _secret),
    Form(VALUE_PREFIX, True, f"{VALUE_PREFIX}NAME", "one value of a secret, or a parameter", 3, _value),
    Form(BASE64_PREFIX, True, f"{BASE64_PREFIX}NAME", "the same, as base64 of its bytes", 3, _base64),
)
MODIFIERS = (
    Form(PREFIX_VARIABLE, False, PREFIX_VARIABLE, f"prefix of the variables that {PRIMARY_VARIABLE} sets"),
    Form(f"{PREFIX_VARIABLE}_", True, f"{PREFIX_VARIABLE}_*", "the same for references with the same ending"),
    Form(NAMES_VARIABLE, False, NAMES_VARIABLE, "how keys become names: exact, or shell (A-Z, 0-9 and _)"),
    Form(TEMPLATE_PREFIX, True, f"{TEMPLATE_PREFIX}NAME", "a value composed of others: text with {NAME} or {NAME:url}"),
    Form(REQUIRED_VARIABLE, False, REQUIRED_VARIABLE, "names of variables without which nothing starts"),
)


# What is wrong with a text, or nothing; of the text itself at most one character: somebody may have typed a secret into
# the wrong place. String methods: compiling a regular expression costs a cold start more than all of this.


def _reference_problem(text: str) -> str:
    """Of a reference to a secret."""
    fields = text.split(":")
    if text.startswith("arn:"):
        problem = _arn_problem(fields, "secretsmanager") or _secret_problem(fields)
        return problem or _selection_problem(fields[7:])
    return _prefix_problem(text, SECRET) or _name_problem(fields[0]) or _selection_problem(fields[1:])


def _arn_problem(fields: list[str], service: str, size: int = 7) -> str:
    if len(fields) > 2 and fields[2] == "ssm" != service:
        return f"it is the ARN of a parameter; use {VALUE_PREFIX}NAME for that"
    if len(fields) > 2 and fields[2] != service:
        return f"the service in the ARN is not {service}"
    if len(fields) < size:
        return f"incomplete ARN: expected at least {size} colon-separated fields, got {len(fields)}"
    _, partition, _, region, account = fields[:5]
    if not partition.startswith("aws") or not _LABEL.issuperset(partition):
        return "the ARN does not have a valid partition (aws, aws-cn, aws-us-gov, ...)"
    if not region or not _LABEL.issuperset(region):
        return "the ARN does not have a valid Region"
    if len(account) != 12 or not _DIGITS.issuperset(account):
        return "the ARN does not have a valid account ID (12 digits)"
    return ""


def _prefix(text: str) -> str:
    """What is before the first colon, in lower case; "" if there is none."""
    prefix, colon, _ = text.removeprefix(_DYNAMIC).partition(":")
    return prefix.lower() if colon else ""


def _prefix_problem(text: str, kind: str) -> str:
    prefix = _prefix(text)
    if prefix not in _PREFIXES:
        return ""
    if text.startswith(_DYNAMIC):
        problem = "{{resolve:...}} is a dynamic reference, which only CloudFormation resolves"
    else:
        problem = f"the prefix {prefix}: is not supported"
    if kind == SECRET and _PREFIXES[prefix] == PARAMETER:
        return f"{problem}; for a parameter use {VALUE_PREFIX}NAME={_PARAMETER_FORM}"
    return problem


def _path_arn_problem(fields: list[str]) -> str:
    kind, slash, _ = fields[5].partition("/")
    if kind != "parameter" or not slash or len(fields) > 6:
        return "the ARN is not that of a path"
    return ""


def _secret_problem(fields: list[str]) -> str:
    if fields[5] != "secret":
        return "the ARN is not that of a secret"
    return _name_problem(fields[6], _MAX_ARN_NAME_LENGTH)


def _name_problem(name: str, max_length: int = _MAX_NAME_LENGTH) -> str:
    if not name:
        return "the secret name is missing"
    invalid = next((character for character in name if character not in _SECRET_NAME), None)
    if invalid is not None:
        return f"the secret name contains the invalid character {invalid!a}"
    return f"the secret name is longer than {max_length} characters" if len(name) > max_length else ""


def _selection_problem(fields: list[str]) -> str:
    if len(fields) > 3:
        return "at most three fields may follow the secret: KEY, STAGE and VERSION"
    key, stage, version = (*fields, "", "", "")[:3]
    if key.startswith("//") or any(map(_is_control, key)):
        return "KEY must not start with // or contain a control character"
    if len(stage) > 256 or not _SELECTOR.issuperset(stage):
        return "STAGE must be at most 256 letters, digits, hyphens, underscores and periods"
    if version and (not 32 <= len(version) <= 64 or not _SELECTOR.issuperset(version)):
        return "VERSION must be 32 to 64 letters, digits, hyphens, underscores and periods"
    return ""


def _is_control(character: str) -> bool:
    """The C0 and C1 controls, which have no name in Unicode but a category of their own (Cc)."""
    return character < " " or "\x7f" <= character <= "\x9f"


def _parameter_arn_problem(fields: list[str]) -> str:
    kind, slash, name = fields[5].partition("/")
    if kind != "parameter":
        return "the ARN is not that of a parameter"
    return (
        _parameter_problem(slash + name) or _selector_problem(fields[6:]) if name else "the parameter name is missing"
    )


def _parameter_problem(name: str) -> str:
    if not name.startswith("/"):
        return "a parameter name starts with a slash"
    if name.startswith(_SECRET_VIA_SSM):
        return f"it refers to a secret of Secrets Manager; use {VALUE_PREFIX}NAME=NAME-OF-THE-SECRET instead"
    return "" if _PARAMETER_NAME.issuperset(name) else "a parameter name contains only letters, digits and /_.-"


def is_parameter_name(text: str) -> bool:
    """Whether a parameter may have this name, slash included."""
    return not _parameter_problem(text)


def _selector_problem(fields: list[str]) -> str:
    if len(fields) > 1 or fields == [""]:
        return "only one version or label may follow the name, after a colon"
    if fields and (len(fields[0]) > 100 or not _SELECTOR.issuperset(fields[0])):
        return "a version or label must be at most 100 letters, digits, hyphens, underscores and periods"
    return ""
