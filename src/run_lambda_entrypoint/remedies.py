"""What to do about a failure: the words behind the error in a report."""

from __future__ import annotations

import json
import re
from time import gmtime, strftime

from .aws.endpoints import partition
from .errors import CertificateError, DeadlineError, EntrypointError, NetworkError, ServiceError, printable

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
ARN = re.compile(r"arn:aws[a-z0-9-]*:[A-Za-z0-9:/_+=.@!*?-]+")


def remedy(error: EntrypointError, secret: str, region: str) -> str:
    """What may help against `error`, met when `secret` (ARN or name) was asked for in `region`; "" if that is said."""
    if isinstance(error, DeadlineError):
        error = error.fault
    if isinstance(error, CertificateError):
        return (
            "set AWS_CA_BUNDLE to a PEM file with the authority behind it, or put that into the image's store"
        )
    if isinstance(error, NetworkError):
        return ROUTE
    return _of_service(error, secret, region) if isinstance(error, ServiceError) else ""


def _of_service(error: ServiceError, secret: str, region: str) -> str:
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
    if error.code == "AccessDeniedException":
        return f"allow it in the role's policy: {_statement(error.text, secret, region)}"
    if error.code == "ResourceNotFoundException":
        if secret.startswith("arn:"):
            return f"it was asked for in region {region}, account {secret.split(':')[4]}; {CHECK_ARN}"
        return f"it was asked for in region {region}, the account of the credentials; {CHECK}"
    if error.code == "DecryptionFailure":
        return "is its KMS key enabled, and may the role use it (kms:Decrypt)?"
    if "deletion" in error.text:
        return f"restore it: aws secretsmanager restore-secret --region {region} --secret-id {secret}"
    return ""


def _statement(text: str, secret: str, region: str) -> str:
    """The IAM statement that is missing; for KMS when the message says that its key is the obstacle."""
    named = {arn.split(":")[2]: arn.rstrip(".") for arn in ARN.findall(text)}
    if "kms" in text.lower():
        action, resource = "kms:Decrypt", named.get("kms", "THE ARN OF THE SECRET'S KEY")
    else:
        found = partition(region)
        pattern = f"arn:{found[0] if found else 'aws'}:secretsmanager:{region}:ACCOUNT:secret:{secret}-??????"
        action = "secretsmanager:GetSecretValue"
        resource = secret if secret.startswith("arn:") else named.get("secretsmanager", pattern)
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})
