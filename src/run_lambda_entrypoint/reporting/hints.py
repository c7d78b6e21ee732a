"""What to do about a failure: the end of its report."""

from __future__ import annotations

import json
import re

from .. import errors
from ..aws.endpoints import partition
from ..errors import ServiceError
from ..references import SECRET
from ..text import printable
from . import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..aws.call import Call
    from ..errors import EntrypointError, Kind
    from ..references import Reference

ARN = re.compile(r"arn:aws[a-z0-9-]*:[A-Za-z0-9:/_+=.@!*?-]+")


def hint(
    error: EntrypointError, reference: Reference, call: Call, resources: Sequence[str], environ: Mapping[str, str]
) -> str:
    """What may help against `error`, or nothing; `resources` are what `call` needs in IAM's terms."""
    if error.kind in hosts.HINTS:
        return hosts.HINTS[error.kind](error, reference, call, environ)
    found = HINTS.get(error.kind, "")
    return found if isinstance(found, str) else found(error, reference, call, resources)


def _clock(error: EntrypointError, *_: object) -> str:
    theirs = printable(error.date, 40) if isinstance(error, ServiceError) else ""
    return f"set the clock: this machine's time is {hosts.now()}, AWS's is {theirs or 'unknown'}"


def _restore(_: EntrypointError, reference: Reference, call: Call, *__: object) -> str:
    return f"restore it: aws secretsmanager restore-secret --region {call.region} --secret-id {reference.target}"


def _not_found(_: EntrypointError, reference: Reference, call: Call, *__: object) -> str:
    fields = reference.target.split(":")
    is_arn = len(fields) > 4
    account = f"account {fields[4]}" if is_arn else "the caller's account"
    looked = f"looked in Region {call.region}, in {account}; check name, Region and account"
    if not is_arn or reference.kind != SECRET:
        return looked
    return (
        f"{looked}; a partial ARN (without its six random characters) is not found if the name itself ends in a hyphen "
        "and six characters: use the full ARN"
    )


def _statement(error: EntrypointError, reference: Reference, call: Call, resources: Sequence[str]) -> str:
    """The IAM statement that is missing; for KMS when the message says that its key is the obstacle."""
    text = str(error)
    named = {arn.split(":")[2]: arn.rstrip(".") for arn in ARN.findall(text)}
    if "kms:Decrypt" in text or "Access to KMS" in text:
        action, arns = "kms:Decrypt", [named.get("kms", "THE ARN OF THE KEY")]
    else:
        action = f"{call.service.name}:{call.operation}"
        arns = _arns(reference, call, resources, named)
    resource = arns[0] if len(arns) == 1 else arns
    return "allow it in the role's policy: " + json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})


def _arns(reference: Reference, call: Call, resources: Sequence[str], named: Mapping[str, str]) -> list[str]:
    """`resources` as ARNs. A name's partition follows from the Region, its account from AWS's message."""
    if reference.target.startswith("arn:"):
        start = reference.target.split(":")[:5]
        return [":".join([*start, resource]) for resource in resources]
    if call.service.name in named and len(resources) == 1:
        return [named[call.service.name]]
    found = partition(call.region)
    start = ["arn", found[0] if found else "aws", call.service.name, call.region, "ACCOUNT"]
    return [":".join([*start, resource]) for resource in resources]


HINTS: Mapping[Kind, str | Callable[[EntrypointError, Reference, Call, Sequence[str]], str]] = {
    errors.ACCESS_DENIED: _statement,
    errors.CERTIFICATE_NOT_TRUSTED: "set AWS_CA_BUNDLE to a PEM file with its issuer, or add it to the image's store",
    errors.CREDENTIALS_UNREACHABLE: "check network access to that host, and what names it: a variable "
    "(AWS_CONTAINER_CREDENTIALS_*, AWS_ENDPOINT_URL), or the profile",
    errors.CREDENTIALS_REFUSED: "these credentials are wrong, expired, or for another partition; get new ones",
    errors.EXPLICITLY_DENIED: "a policy explicitly denies it: remove the Deny; adding an Allow has no effect",
    errors.MARKED_FOR_DELETION: _restore,
    errors.NOT_DECRYPTED: "check that its KMS key is enabled and that the role may use it (kms:Decrypt)",
    errors.PARAMETER_NOT_FOUND: _not_found,
    errors.PROXY_FAILED: "check that the proxy runs and permits that host, and the variable that names it; no_proxy "
    "lists hosts that are reached without it",
    errors.SECRET_NOT_FOUND: _not_found,
    errors.THROTTLED: "AWS limits the rate of requests; start fewer functions at once, or raise the timeout",
    errors.WRONG_CLOCK: _clock,
}
