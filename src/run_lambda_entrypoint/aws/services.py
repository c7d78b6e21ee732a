"""What differs from one AWS service to another."""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Service(Record):
    """A service of AWS's JSON 1.1 protocol.

    `name` stands in its hosts, signatures, IAM actions and ARNs; `target` is the prefix of X-Amz-Target. `fips` is the
    first label of its FIPS hosts by partition; in the others only botocore knows.
    """

    name: str
    target: str
    endpoint_variable: str
    fips: Mapping[str, str]


SECRETS_MANAGER = Service(
    name="secretsmanager",
    target="secretsmanager",
    endpoint_variable="AWS_ENDPOINT_URL_SECRETS_MANAGER",
    fips={"aws": "secretsmanager-fips", "aws-us-gov": "secretsmanager-fips"},
)
SSM = Service(
    name="ssm",
    target="AmazonSSM",
    endpoint_variable="AWS_ENDPOINT_URL_SSM",
    fips={"aws": "ssm-fips", "aws-us-gov": "ssm"},
)
