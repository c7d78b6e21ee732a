"""SSM parameters: which calls bring them, and which variables they set."""

from __future__ import annotations

from .aws import Call
from .documents import checked
from .environment import Value
from .errors import DocumentError, FetchError, ParameterNotFoundError, printable
from .references import PATH, Reference, region_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .aws import Reply

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
AT_ONCE = 10


def plan(references: Sequence[Reference]) -> dict[Reference, Call]:
    """The call that answers each reference: one for a path, one for up to ten parameters of a region."""
    calls: dict[Reference, Call] = {}
    batches: list[tuple[set[str], Call]] = []
    for reference in references:
        if reference.kind == PATH:
            parameters = {
                "Path": reference.target,
                "Recursive": True,
                "WithDecryption": True,
                "MaxResults": AT_ONCE,
            }
            calls[reference] = Call("ssm", "GetParametersByPath", parameters, None)
            continue
        bare = ":".join(reference.target.split(":")[:6])
        for held, call in batches:
            if reference.target in call.parameters["Names"]:
                break
            # A parameter must not stand twice in a call, not even in two versions.
            if call.region == reference.region and len(held) < AT_ONCE and bare not in held:
                break
        else:
            held, call = (
                set(),
                Call("ssm", "GetParameters", {"Names": [], "WithDecryption": True}, reference.region),
            )
            batches.append((held, call))
        if reference.target not in call.parameters["Names"]:
            held.add(bare)
            call.parameters["Names"].append(reference.target)
        calls[reference] = call
    return calls


def values(reference: Reference, reply: Reply) -> dict[str, Value]:
    """The variables that a reference sets, out of the reply to its call.

    Raises ParameterNotFoundError, DocumentError, FetchError.
    """
    found = reply.get("Parameters")
    if not isinstance(found, list) or not all(map(_is_parameter, found)):
        raise FetchError("the reply holds no list of parameters; is the endpoint SSM?")
    return _below(reference, found) if reference.kind == PATH else _one(reference, found)


def _one(reference: Reference, found: list[dict[str, Any]]) -> dict[str, Value]:
    parts = reference.target.split(":")
    bare, selector = ":".join(parts[:6]), "".join(f":{part}" for part in parts[6:])
    name = parts[5].removeprefix("parameter")
    for parameter in found:
        # By name only where the reply has no ARN: parameters shared by two accounts may have one name.
        names = (bare,) if parameter.get("ARN") else (name, name.removeprefix("/"), reference.target)
        same = (parameter.get("ARN") or parameter["Name"]) in names
        if same and (parameter.get("Selector") or "") in (selector, ""):
            return _values({reference.sets: parameter})
    raise ParameterNotFoundError("ParameterNotFound: there is no such parameter, version or label")


def _below(reference: Reference, found: list[dict[str, Any]]) -> dict[str, Value]:
    """Each parameter below a path, as a variable named by the rest of its path."""
    if not found:
        raise ParameterNotFoundError("ParameterNotFound: there is nothing below this path")
    named: dict[str, dict[str, Any]] = {}
    problems = []
    for parameter in found:
        rest = parameter["Name"].removeprefix(reference.target).lstrip("/")
        name = rest.upper().replace("/", "_").replace("-", "_").replace(".", "_")
        if name in named:
            problems.append(
                f"{printable(named[name]['Name'])} and {printable(parameter['Name'])} both set {name}"
            )
        named[name] = parameter
    if problems:
        raise DocumentError("; ".join(problems))
    return _values(named)


def _values(named: dict[str, dict[str, Any]]) -> dict[str, Value]:
    texts = checked({name: parameter["Value"] for name, parameter in named.items()})
    return {name: _value(text, named[name]) for name, text in texts.items()}


def _value(text: str, parameter: dict[str, Any]) -> Value:
    version, arn = parameter.get("Version", ""), parameter.get("ARN", "")
    return Value(text, parameter["Name"], str(version), region_of(str(arn)))


def _is_parameter(entry: object) -> bool:
    return (
        isinstance(entry, dict) and isinstance(entry.get("Name"), str) and isinstance(entry.get("Value"), str)
    )
