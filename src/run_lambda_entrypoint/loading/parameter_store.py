"""Parameters of AWS Systems Manager's Parameter Store."""

from __future__ import annotations

from .. import variables
from ..aws.call import Call
from ..aws.services import SSM
from ..errors import INVALID_SECRET, PARAMETER_NOT_FOUND, UNAVAILABLE, EntrypointError
from ..references import PATH, VALUE_PREFIX, arn_account, arn_region
from ..text import listed, printable
from ..variables import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..aws.call import Reply
    from ..references import Reference

    Parameter = dict[str, Any]

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
BATCH_SIZE = 10
OPTIONAL_FIELDS = {"ARN": str, "Selector": str, "Version": int}  # of a parameter in a reply


def plan(references: Sequence[Reference], region: str) -> dict[Reference, Call]:
    """The call that answers each reference: one for a path, one for up to ten parameters of a Region."""
    planned = {
        reference: Call(
            SSM,
            "GetParametersByPath",
            {"Path": reference.target, "Recursive": True, "WithDecryption": True, "MaxResults": BATCH_SIZE},
            reference.region or region,
            result_key="Parameters",
        )
        for reference in references
        if reference.kind == PATH
    }
    for batch in _batches([reference for reference in references if reference.kind != PATH]):
        names = list(dict.fromkeys(reference.target for reference in batch))
        call = Call(SSM, "GetParameters", {"Names": names, "WithDecryption": True}, batch[0].region)
        planned |= dict.fromkeys(batch, call)
    return planned


def _batches(references: Sequence[Reference]) -> list[list[Reference]]:
    """References of one Region to at most ten parameters. A parameter must not occur twice in a call, not even in two
    versions; nor may two accounts' parameters of one name, which a reply without ARNs would not tell apart."""
    batches: list[list[Reference]] = []
    for reference in references:
        for batch in batches:
            targets = {other.target for other in batch}
            fits = len(targets) < BATCH_SIZE and _name(reference.target) not in map(_name, targets)
            if batch[0].region == reference.region and (fits or reference.target in targets):
                batch.append(reference)
                break
        else:
            batches.append([reference])
    return batches


def _arn(target: str) -> str:
    """A parameter's ARN without version or label."""
    return ":".join(target.split(":")[:6])


def _name(target: str) -> str:
    return target.split(":")[5].removeprefix("parameter")


def values(reference: Reference, call: Call, reply: Reply) -> dict[str, Value]:
    """The variables that a reference sets. Raises EntrypointError, also if `reply` does not answer `call`."""
    found = reply.get("Parameters")
    if not isinstance(found, list) or not all(map(_is_parameter, found)):
        raise _invalid("the reply contains no valid list of parameters")
    if reference.kind == PATH:
        named = _below(reference, found)
    else:
        named = {reference.name: _one(reference.target, call.params["Names"], found)}
    values = {name: parameter["Value"] for name, parameter in named.items()}
    if reference.binary:
        values = {name: variables.base64(value) for name, value in values.items()}
    texts = variables.check(values, "variable")
    return {name: _value(text, named[name]) for name, text in texts.items()}


def resources(reference: Reference) -> list[str]:
    """The parameter, or the path with and without what is below it, as IAM sees it."""
    if reference.kind != PATH:
        return [_arn(reference.target).split(":", 5)[5]]
    path = f"parameter{reference.target}".rstrip("/")
    return [path, f"{path}/*"]


def _one(target: str, requested: Sequence[str], found: Sequence[Parameter]) -> Parameter:
    """The parameter that was requested as `target`, beside others."""
    if not all(any(_answers(each, parameter) for each in requested) for parameter in found):
        raise _invalid("the reply contains a parameter, version or label that was not requested")
    answers = [parameter for parameter in found if _answers(target, parameter)]
    if len(answers) > 1:
        raise _invalid("the reply contains a parameter twice")
    if not answers:
        raise EntrypointError(PARAMETER_NOT_FOUND, "ParameterNotFound: no such parameter, version or label")
    return answers[0]


def _answers(target: str, parameter: Parameter) -> bool:
    """Whether this is the parameter, in the version, that was requested as `target`."""
    # By name only where the reply has no ARN. The name of one that another account shares is its ARN.
    arn, name = _arn(target), _name(target)
    # "app" and "/app" have one ARN.
    names = (name, arn, target) if "/" in name[1:] else (name, name[1:], arn, target)
    same = parameter["ARN"] == arn if parameter.get("ARN") else parameter["Name"] in names
    selector, replied = target[len(arn) + 1 :], (parameter.get("Selector") or "").removeprefix(":")
    if selector.isdigit():
        return same and parameter.get("Version") == int(selector)
    return same and replied in (selector, "")


def _below(reference: Reference, found: Sequence[Parameter]) -> dict[str, Parameter]:
    """Each parameter below a path, by a variable name made of the rest of its path."""
    if not found:
        raise EntrypointError(PARAMETER_NOT_FOUND, "ParameterNotFound: no parameter below this path")
    if reference.account:
        _check_account(reference, found)
    prefix = "" if reference.target == "/" else reference.target  # below "/" there are also names without a slash
    named: dict[str, Parameter] = {}
    problems = []
    for parameter in found:
        if not parameter["Name"].startswith(prefix):
            raise _invalid("the reply contains a parameter that is not below the path")
        rest = parameter["Name"].removeprefix(reference.target)
        name = rest.upper().replace("/", "_").replace("-", "_").replace(".", "_")
        if reference.naming:
            name = reference.naming.name(name)
        if name in named:
            first, second = printable(named[name]["Name"]), printable(parameter["Name"])
            problems.append(f"{first} and {second} map to the same variable, {printable(name)}")
        named[name] = parameter
    if problems:
        raise EntrypointError(INVALID_SECRET, listed(problems))
    return named


def _check_account(reference: Reference, found: Sequence[Parameter]) -> None:
    """GetParametersByPath takes a path alone, and reads it in the caller's account."""
    accounts = {arn_account(str(parameter.get("ARN") or "")) for parameter in found}
    if accounts != {reference.account}:
        others = listed(sorted(account or "none" for account in accounts - {reference.account}), ", ")
        raise EntrypointError(
            INVALID_SECRET,
            f"the reference's account is {reference.account}, that of the parameters in the reply is {others}: a path "
            f"cannot be read across accounts; name each parameter in {VALUE_PREFIX}NAME",
        )


def _value(text: str, parameter: Mapping[str, Any]) -> Value:
    version, arn = parameter.get("Version", ""), parameter.get("ARN", "")
    return Value(text, parameter["Name"], str(version), arn_region(str(arn)))


def _is_parameter(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str) or not isinstance(entry.get("Value"), str):
        return False
    # Not isinstance: true is an int.
    return all(type(entry.get(field)) in (kind, type(None)) for field, kind in OPTIONAL_FIELDS.items())


def _invalid(problem: str) -> EntrypointError:
    return EntrypointError(UNAVAILABLE, f"{problem}; check that the endpoint is Systems Manager")
