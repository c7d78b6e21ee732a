"""What to do about a failure: the end of its report."""

from __future__ import annotations

import json
import re

from .. import errors
from ..aws.classify import OTHER_STAGE
from ..aws.endpoints import partition
from ..errors import ServiceError
from ..record import Record
from ..references import CURRENT_STAGE, PARAMETER, SECRET, VALUE_PREFIX, is_parameter_name
from ..text import printable
from . import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..aws.call import Call
    from ..errors import EntrypointError, Kind
    from ..references import Reference

ARN = re.compile(r"arn:aws[a-z0-9-]*:[A-Za-z0-9:/_+=.@!*?-]+")
# What is looked for in AWS's messages has a space or colon, which no name of a secret, parameter, role or session has.
CALLER = re.compile(r"User: (arn:(aws[a-z0-9-]*):[a-z]+::([0-9]{12}):(\S+)) is not authorized")
NO_VERSION = ("the specified secret value", OTHER_STAGE)
DENIED_KEY = ("kms:Decrypt", "Access to KMS", "The ciphertext refers to")
FOUND = (*NO_VERSION, *DENIED_KEY)  # said of a secret that exists


class Policy(Record):
    """A type of IAM policy: which one it is here, "{}" being a resource's, and who can change it. One that does not
    grant access only limits what the role's policy grants."""

    name: str
    owner: str
    grants: bool = False


ROLES_POLICY = Policy("the role's policy", "", grants=True)
RESOURCES_POLICY = Policy("the {}", "its owner", grants=True)
ENDPOINTS_POLICY = Policy("the policy of the VPC endpoint", "the owner of the VPC", grants=True)
# By AWS's words for its type, in "because no TYPE allows the ACTION action" and "with an explicit deny in a TYPE":
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
POLICIES = {
    "identity-based policy": ROLES_POLICY,
    "resource-based policy": RESOURCES_POLICY,
    "resource-based policies": RESOURCES_POLICY,  # KMS's plural
    "VPC endpoint policy": ENDPOINTS_POLICY,
    "permissions boundary": Policy("the role's permissions boundary", "an administrator of the role's account"),
    "service control policy": Policy("a service control policy (SCP)", "an administrator of the AWS organization"),
    "resource control policy": Policy("a resource control policy (RCP)", "an administrator of the AWS organization"),
    "session policy": Policy("the session policy", "whoever assumes the role with it"),
    "sessions policy": Policy("the session policy", "whoever assumes the role with it"),
}
# The last policy counts in "in a VPC endpoint policy transitively through a service control policy". Not "because no":
# KMS says "because the resource does not exist in this Region, no resource-based policies allow access, or …".
DENIED_BY = re.compile(
    rf"(?: no|with an explicit deny in an?) (?:[\w -]+ transitively through an? )?({'|'.join(POLICIES)})\b"
)
RESOURCE_POLICIES = {
    "kms": "policy of the KMS key",
    "secretsmanager": "resource policy of the secret",
    "ssm": "resource policy of the parameter",
}


def hint(
    error: EntrypointError,
    reference: Reference,
    call: Call,
    resources: Sequence[str],
    environ: Mapping[str, str],
    references: Sequence[Reference] = (),
) -> str:
    """What may help against `error`, or nothing; `resources` are what `call` needs in IAM's terms, `references` are all
    that there are."""
    if error.kind in hosts.HINTS:
        return hosts.HINTS[error.kind](error, reference, call, environ)
    found = HINTS.get(error.kind, "")
    text = found if isinstance(found, str) else found(error, reference, call, resources)
    parameter = _as_parameter(error, reference, call, references)
    if parameter and error.kind is not errors.SECRET_NOT_FOUND:
        text = f"if it is a secret, {text}"
    return "; ".join(filter(None, [parameter, text]))


def _as_parameter(error: EntrypointError, reference: Reference, call: Call, references: Sequence[Reference]) -> str:
    """What to write instead of a secret's name that begins with a slash, as in ECS parameters' names do; or nothing."""
    missed = error.kind in (errors.ACCESS_DENIED, errors.EXPLICITLY_DENIED, errors.SECRET_NOT_FOUND)
    missed = missed and not any(text in str(error) for text in FOUND)
    if not missed or reference.kind != SECRET or not is_parameter_name(reference.target):
        return ""
    accounts = {other.target.split(":")[4] for other in references if other.target.startswith("arn:")}
    account = _callers_account(str(error)) or (accounts.pop() if len(accounts) == 1 else "")
    variable = "" if reference.name else f"{VALUE_PREFIX}NAME="
    arn = f"{_arn_start('ssm', call.region, account)}:parameter{reference.target}"
    return f"it was requested as a secret; if it is a parameter, write {variable}{arn}"


def _clock(error: EntrypointError, *_: object) -> str:
    theirs = printable(error.date, 40) if isinstance(error, ServiceError) else ""
    return f"set the clock: this machine's time is {hosts.now()}, AWS's is {theirs or 'unknown'}"


def _restore(_: EntrypointError, reference: Reference, call: Call, *__: object) -> str:
    return f"restore it: {_command('restore-secret', reference, call)}"


def _command(command: str, reference: Reference, call: Call) -> str:
    return f"aws secretsmanager {command} --region {call.region} --secret-id {reference.target}"


def _not_found(error: EntrypointError, reference: Reference, call: Call, *_: object) -> str:
    if any(text in str(error) for text in NO_VERSION):
        return _no_version(reference, call)
    fields = reference.target.split(":")
    is_arn = len(fields) > 4
    account = f"account {fields[4]}" if is_arn else "the caller's account"
    looked = f"looked in Region {call.region}, in {account}; check name, Region and account"
    if reference.kind == PARAMETER and len(fields) > 6:
        return (
            f"{looked}, or the version or label: aws ssm get-parameter-history --region {call.region} "
            f"--name {':'.join(fields[:6])} --query 'Parameters[].[Version,Labels]'"
        )
    if not is_arn or reference.kind != SECRET:
        return looked
    return (
        f"{looked}; a partial ARN (without its six random characters) is not found if the name itself ends in a hyphen "
        "and six characters: use the full ARN"
    )


def _no_version(reference: Reference, call: Call) -> str:
    """The secret exists: AWS finds no value in it, or none with the requested STAGE or VERSION."""
    if not reference.version and reference.stage in ("", CURRENT_STAGE):
        put = _command("put-secret-value", reference, call)
        return f"the secret exists but has no value; store one: {put} --secret-string file://FILE"
    requested = " and ".join(
        name for name, text in (("STAGE", reference.stage), ("VERSION", reference.version)) if text
    )
    listing = _command("list-secret-version-ids", reference, call)
    return f"the secret exists but has no version with this {requested}; list those it has: {listing}"


def _denied(error: EntrypointError, reference: Reference, call: Call, resources: Sequence[str]) -> str:
    """Where to allow it, in the role's policy if AWS names no other; with the statement if that policy can grant it."""
    text = str(error)
    action = _action(text, call)
    policy = _policy(text) or ROLES_POLICY
    place = _place(policy, action)
    if not policy.grants:
        return f"allow {action} in {place}; adding it to the role's policy has no effect"
    statement: dict[str, object] = {"Effect": "Allow"}
    arns = _arns(action, text, reference, call, resources)
    if policy is RESOURCES_POLICY:
        statement["Principal"] = {"AWS": _callers_role(text)}
        arns = arns if action.startswith("ssm:") else ["*"]  # the secret or key that the policy is attached to
    elif policy is ENDPOINTS_POLICY:
        statement["Principal"] = "*"
    statement |= {"Action": action, "Resource": arns[0] if len(arns) == 1 else arns}
    both = " (both Resources, since the ARN may lack its six random characters)"
    note = both if reference.kind == SECRET and len(arns) > 1 else ""
    return f"allow it in {place}{note}: {json.dumps(statement)}"


def _explicitly_denied(error: EntrypointError, _: Reference, call: Call, *__: object) -> str:
    text = str(error)
    policy = _policy(text)
    if policy is None:
        return "a policy explicitly denies it: remove the Deny; adding an Allow has no effect"
    return f"remove the Deny from {_place(policy, _action(text, call))}; adding an Allow has no effect"


def _action(text: str, call: Call) -> str:
    """What was denied: the call, or with AWS's message `text` the use of a key."""
    return "kms:Decrypt" if any(words in text for words in DENIED_KEY) else f"{call.service.name}:{call.operation}"


def _policy(text: str) -> Policy | None:
    """The policy that AWS's message names."""
    found = DENIED_BY.search(text)
    return POLICIES[found[1]] if found else None


def _place(policy: Policy, action: str) -> str:
    name = policy.name.format(RESOURCE_POLICIES[action.partition(":")[0]])
    return f"{name}, which {policy.owner} can change" if policy.owner else name


def _callers_role(text: str) -> str:
    """The role that was denied, as a Principal. AWS's message names its session, without the role's path."""
    found = CALLER.search(text)
    if not found:
        return "THE ARN OF THE ROLE"
    arn, partition_, account, name = found.groups()
    kind, _, session = name.partition("/")
    return f"arn:{partition_}:iam::{account}:role/{session.partition('/')[0]}" if kind == "assumed-role" else arn


def _callers_account(text: str) -> str:
    """The account of names, if AWS's message tells."""
    found = CALLER.search(text)
    return found[3] if found else ""


def _arns(action: str, text: str, reference: Reference, call: Call, resources: Sequence[str]) -> list[str]:
    """The resources of `action` as ARNs. A name's partition follows from the Region, its account from AWS's message."""
    named = {arn.split(":")[2]: arn.rstrip(".") for arn in ARN.findall(text)}
    if action.startswith("kms:"):
        return [named.get("kms", "THE ARN OF THE KEY")]
    if reference.target.startswith("arn:"):
        start = ":".join(reference.target.split(":")[:5])
    elif call.service.name in named and len(resources) == 1:
        return [named[call.service.name]]
    else:
        start = _arn_start(call.service.name, call.region, _callers_account(text) or reference.account)
    return [f"{start}:{resource}" for resource in resources]


def _arn_start(service: str, region: str, account: str) -> str:
    found = partition(region)
    return f"arn:{found[0] if found else 'aws'}:{service}:{region}:{account or 'ACCOUNT'}"


HINTS: Mapping[Kind, str | Callable[[EntrypointError, Reference, Call, Sequence[str]], str]] = {
    errors.ACCESS_DENIED: _denied,
    errors.CERTIFICATE_NOT_TRUSTED: "set AWS_CA_BUNDLE to a PEM file with its issuer, or add it to the image's store",
    errors.CREDENTIALS_REFUSED: "these credentials are wrong, expired, or for another partition; get new ones",
    errors.EXPLICITLY_DENIED: _explicitly_denied,
    errors.MARKED_FOR_DELETION: _restore,
    errors.NOT_DECRYPTED: "check that its KMS key is enabled and that the role may use it (kms:Decrypt)",
    errors.PARAMETER_NOT_FOUND: _not_found,
    errors.PROXY_FAILED: "check that the proxy runs and permits that host, and the variable that names it; no_proxy "
    "lists hosts that are reached without it",
    errors.SECRET_NOT_FOUND: _not_found,
    errors.THROTTLED: "AWS limits the rate of requests; start fewer functions at once, or raise the timeout",
    errors.WRONG_CLOCK: _clock,
}
