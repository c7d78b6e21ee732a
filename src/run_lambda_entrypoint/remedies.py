"""What to do about a failure: the words behind the error in a report."""

from __future__ import annotations

import json
import re
from time import gmtime, strftime

from .aws.endpoints import partition
from .errors import CertificateError, DeadlineError, EntrypointError, NetworkError, ServiceError, printable
from .references import PARAMETER, PATH, SECRET, Reference

CHECK = "check name, region and account"
CHECK_ARN = (
    f"{CHECK}; an ARN without its six random characters is not found if the name itself ends in a hyphen and six "
    "characters: write the full ARN"
)
ROUTE = (
    "is there a way to that host? A function in a VPC reaches it through a VPC endpoint for the service or a NAT "
    "gateway, with a security group that lets HTTPS out"
)
SKEWED = re.compile("Signature expired|not yet current|RequestTimeTooSkewed|RequestExpired")
SUFFIX = re.compile("-[A-Za-z0-9]{6}$")  # what Secrets Manager puts behind a secret's name in its ARN
ARN = re.compile(r"arn:aws[a-z0-9-]*:[A-Za-z0-9:/_+=.@!*?-]+")


def remedy(error: EntrypointError, reference: Reference, region: str) -> str:
    """What may help against `error`, met when `reference` was asked for in `region`; "" if the error says that."""
    if isinstance(error, DeadlineError):
        error = error.fault
    if isinstance(error, CertificateError):
        return (
            "set AWS_CA_BUNDLE to a PEM file with the authority behind it, or put that into the image's store"
        )
    if isinstance(error, NetworkError):
        return ROUTE
    if error.error_type in ("Function.SecretNotFound", "Function.ParameterNotFound"):
        return _where(reference, region)
    return _of_service(error, reference, region) if isinstance(error, ServiceError) else ""


def _of_service(error: ServiceError, reference: Reference, region: str) -> str:
    if error.throttled:
        return (
            "AWS limits how often it may be asked; have fewer functions start at once, or raise the timeout"
        )
    if SKEWED.search(str(error)):
        now = strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime())
        return (
            f"set the clock: this machine's says {now}, AWS's {printable(error.date, 40) or 'is not known'}"
        )
    if error.error_type == "Function.CredentialsRefused":
        return "these credentials are wrong, expired, or for another partition; get new ones"
    if "explicit deny" in error.text:
        return "a policy denies it explicitly: that Deny has to go, an Allow does not help"
    if error.code == "AccessDeniedException":
        return f"allow it in the role's policy: {_statement(error.text, reference, region)}"
    if error.code == "DecryptionFailure":
        return "is its KMS key enabled, and may the role use it (kms:Decrypt)?"
    if "deletion" in error.text:
        return (
            f"restore it: aws secretsmanager restore-secret --region {region} --secret-id {reference.target}"
        )
    return ""


def _where(reference: Reference, region: str) -> str:
    arn = reference.target.split(":")
    account = f"account {arn[4]}" if arn[0] == "arn" and len(arn) > 4 else "the account of the credentials"
    check = CHECK_ARN if len(arn) > 4 and reference.kind == SECRET else CHECK
    return f"it was asked for in region {region}, {account}; {check}"


def _statement(text: str, reference: Reference, region: str) -> str:
    """The IAM statement that is missing; for KMS when the message says that its key is the obstacle."""
    resource: str | list[str]
    named = {arn.split(":")[2]: arn.rstrip(".") for arn in ARN.findall(text)}
    if "kms:Decrypt" in text or "Access to KMS" in text:
        action, resource = "kms:Decrypt", named.get("kms", "THE ARN OF THE KEY")
    else:
        found = partition(region)
        service, action, resource = {
            SECRET: ("secretsmanager", "secretsmanager:GetSecretValue", f"secret:{reference.target}-??????"),
            PARAMETER: ("ssm", "ssm:GetParameters", ""),
            PATH: ("ssm", "ssm:GetParametersByPath", f"parameter{reference.target}".rstrip("/")),
        }[reference.kind]
        pattern = f"arn:{found[0] if found else 'aws'}:{service}:{region}:ACCOUNT:{resource}"
        own = ":".join(reference.target.split(":")[: 6 if service == "ssm" else 7])
        if service == "secretsmanager" and not SUFFIX.search(own):
            own += "-??????"
        if reference.kind == PATH:  # IAM sees the path with and without what is below it
            resource = [pattern, f"{pattern}/*"]
        else:
            resource = own if own.startswith("arn:") else named.get(service, pattern)
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})
