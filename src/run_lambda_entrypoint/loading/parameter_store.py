"""Parameters of AWS Systems Manager's Parameter Store."""

from __future__ import annotations

from .. import variables
from ..aws.call import Call
from ..aws.services import SSM
from ..errors import INVALID_SECRET, PARAMETER_NOT_FOUND, UNAVAILABLE, EntrypointError
from ..references import PATH, arn_region
from ..text import printable
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


def plan(references: Sequence[Reference], region: str) -> dict[Reference, Call]:
    """The call that answers each reference: one for a path, one for up to ten parameters of a Region."""
    planned = {
        reference: Call(
            SSM,
            "GetParametersByPath",
            {"Path": reference.target, "Recursive": True, "WithDecryption": True, "MaxResults": BATCH_SIZE},
            region,
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
    """References of one Region to at most ten parameters; a parameter must not occur twice in a call, not even in two
    versions."""
    batches: list[list[Reference]] = []
    for reference in references:
        for batch in batches:
            targets = {other.target for other in batch}
            fits = len(targets) < BATCH_SIZE and _arn(reference.target) not in map(_arn, targets)
            if batch[0].region == reference.region and (fits or reference.target in targets):
                batch.append(reference)
                break
        else:
            batches.append([reference])
    return batches


def _arn(target: str) -> str:
    """A parameter's ARN without version or label."""
    return ":".join(target.split(":")[:6])


def values(reference: Reference, reply: Reply) -> dict[str, Value]:
    """The variables that a reference sets. Raises EntrypointError."""
    found = reply.get("Parameters")
    if not isinstance(found, list) or not all(map(_is_parameter, found)):
        raise EntrypointError(
            UNAVAILABLE, "the reply contains no list of parameters; check that the endpoint is Systems Manager"
        )
    named = _below(reference, found) if reference.kind == PATH else _one(reference, found)
    texts = variables.check({name: parameter["Value"] for name, parameter in named.items()}, "variable")
    return {name: _value(text, named[name]) for name, text in texts.items()}


def resources(reference: Reference) -> list[str]:
    """The parameter, or the path with and without what is below it, as IAM sees it."""
    if reference.kind != PATH:
        return [_arn(reference.target).split(":", 5)[5]]
    path = f"parameter{reference.target}".rstrip("/")
    return [path, f"{path}/*"]


def _one(reference: Reference, found: list[Parameter]) -> dict[str, Parameter]:
    arn = _arn(reference.target)
    selector = reference.target.removeprefix(arn)
    name = arn.split(":")[5].removeprefix("parameter")
    for parameter in found:
        # By name only where the reply has no ARN: parameters shared by two accounts may have one name.
        names = (arn,) if parameter.get("ARN") else (name, name.removeprefix("/"), reference.target)
        same = (parameter.get("ARN") or parameter["Name"]) in names
        if same and (parameter.get("Selector") or "") in (selector, ""):
            return {reference.name: parameter}
    raise EntrypointError(PARAMETER_NOT_FOUND, "ParameterNotFound: no such parameter, version or label")


def _below(reference: Reference, found: list[Parameter]) -> dict[str, Parameter]:
    """Each parameter below a path, by a variable name made of the rest of its path."""
    if not found:
        raise EntrypointError(PARAMETER_NOT_FOUND, "ParameterNotFound: no parameter below this path")
    named: dict[str, Parameter] = {}
    problems = []
    for parameter in found:
        rest = parameter["Name"].removeprefix(reference.target).lstrip("/")
        name = rest.upper().replace("/", "_").replace("-", "_").replace(".", "_")
        if name in named:
            first, second = printable(named[name]["Name"]), printable(parameter["Name"])
            problems.append(f"{first} and {second} map to the same variable, {printable(name)}")
        named[name] = parameter
    if problems:
        raise EntrypointError(INVALID_SECRET, "; ".join(problems))
    return named


def _value(text: str, parameter: Mapping[str, Any]) -> Value:
    version, arn = parameter.get("Version", ""), parameter.get("ARN", "")
    return Value(text, parameter["Name"], str(version), arn_region(str(arn)))


def _is_parameter(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("Name"), str) and isinstance(entry.get("Value"), str)
