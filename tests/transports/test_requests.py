"""What is sent: the same by both transports, signed as AWS checks it, all at once."""

from __future__ import annotations

import json
import re
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from run_lambda_entrypoint import __version__
from tests.harness.entrypoint import KEY_ID, SECRET_KEY, TRANSPORTS
from tests.harness.http_server import by_length, error, http_server, secret, secret_body
from tests.transports.runs import run

if TYPE_CHECKING:
    from tests.harness.entrypoint import Entrypoint
    from tests.harness.http_server import Reply, Request

ARNS = [f"arn:aws:secretsmanager:{region}:123456789012:secret:name-AbCdEf" for region in ("us-east-1", "sa-east-1")]


def sent(entrypoint: Entrypoint, transport: str, *names: str, path: str = "", **more: Any) -> list[Request]:
    """What a run for these secrets sends, by name of the secret."""
    with http_server(lambda request: secret('{"A": "1"}', request.json["SecretId"])) as server:
        ended = run(entrypoint, transport, f"{server.url}{path}", names, **more)
    assert ended.err == ""
    return sorted(server.requests, key=lambda request: str(request.json["SecretId"]))


@pytest.mark.parametrize("path", ["", "/", "/some/path", "/some/path/"])
def test_both_transports_send_the_same(entrypoint: Entrypoint, path: str) -> None:
    names = ("content-type", "x-amz-target", "x-amz-security-token")
    direct, botocore = (
        [
            (request.method, request.path, request.body, *(request.headers.get(name) for name in names))
            for request in sent(entrypoint, transport, "name", path=path, AWS_SESSION_TOKEN="token")
        ]
        for transport in TRANSPORTS
    )
    assert direct == botocore


VERSION = "version-id-of-32-characters-or-more"
REFERENCES: dict[str, Any] = {
    "SECRETS_MANAGER_ARN": f"name:key:STAGE:{VERSION}",
    "LAMBDA_ENV_VALUE_FROM_A": "arn:aws:ssm:us-east-1:123456789012:parameter/a:1",
    "LAMBDA_ENV_VALUE_FROM_B": "arn:aws:ssm:us-east-1:123456789012:parameter/b",
    "LAMBDA_ENV_SSM_PATH_C": "/c/",
}


def parameters(*names: str) -> bytes:
    return json.dumps({"Parameters": [{"Name": name, "Value": "1", "Version": 1} for name in names]}).encode()


def test_both_transports_send_the_same_for_versions_parameters_and_paths(entrypoint: Entrypoint) -> None:
    replies = {
        "GetSecretValue": secret_body(VersionId=VERSION, VersionStages=["STAGE"], SecretString='{"key": "1"}'),
        "GetParameters": parameters("/a", "/b"),
        "GetParametersByPath": parameters("/c/c"),
    }
    found: dict[str, list[tuple[str, str, str, bytes]]] = {}
    for transport in TRANSPORTS:
        with http_server(lambda request: by_length(replies[request.operation])) as server:
            ended = run(entrypoint, transport, server.url, (), AWS_ENDPOINT_URL_SSM=server.url, **REFERENCES)
        assert ended.err == ""
        found[transport] = sorted(
            (request.headers["x-amz-target"], request.headers["content-type"], request.region, request.body)
            for request in server.requests
        )

    assert found["direct"] == found["botocore"]
    assert [(target, region) for target, _, region, _ in found["direct"]] == [
        ("AmazonSSM.GetParameters", "us-east-1"),
        ("AmazonSSM.GetParametersByPath", "eu-west-1"),
        ("secretsmanager.GetSecretValue", "eu-west-1"),
    ]


def test_a_request_is_secrets_managers(entrypoint: Entrypoint, transport: str) -> None:
    [request] = sent(entrypoint, transport, "name")
    assert (request.method, request.path, request.json) == ("POST", "/", {"SecretId": "name"})
    assert request.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert request.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("token", ["", "a/token+with/signs=="])
def test_a_request_is_signed_as_aws_checks_it(entrypoint: Entrypoint, transport: str, token: str) -> None:
    [request] = sent(entrypoint, transport, "name", AWS_SESSION_TOKEN=token)
    actual = request.headers["authorization"]
    signed = re.search("SignedHeaders=([^,]+),", actual)
    assert signed
    again = AWSRequest("POST", f"http://{request.headers['host']}/", data=request.body)
    for name in signed[1].split(";"):
        again.headers[name] = request.headers[name]
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET_KEY), "secretsmanager", "eu-west-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    scope = f"{KEY_ID}/{request.headers['x-amz-date'][:8]}/eu-west-1/secretsmanager/aws4_request"
    assert actual == f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed[1]}, Signature={signature}"


def test_host_date_target_and_token_are_signed(entrypoint: Entrypoint, transport: str) -> None:
    [request] = sent(entrypoint, transport, "name", AWS_SESSION_TOKEN="token")
    signed = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(signed)


def test_the_user_agent_names_tool_and_version(entrypoint: Entrypoint, transport: str) -> None:
    [request] = sent(entrypoint, transport, "name")
    assert f"run-lambda-entrypoint/{__version__}" in request.headers["user-agent"].split(" ")


def test_an_arn_is_requested_in_its_own_region(entrypoint: Entrypoint, transport: str) -> None:
    variables = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index}": arn for index, arn in enumerate(ARNS)}
    requests = sent(entrypoint, transport, "name", **variables)
    regions = {request.json["SecretId"]: request.region for request in requests}
    assert regions == {"name": "eu-west-1", ARNS[0]: "us-east-1", ARNS[1]: "sa-east-1"}


def test_ten_secrets_are_requested_at_once(entrypoint: Entrypoint, transport: str) -> None:
    names = [f"name{index}" for index in range(10)]
    all_here = Barrier(len(names))

    def answer(request: Request) -> Reply:
        try:
            all_here.wait(timeout=10)
        except BrokenBarrierError:
            return error(400, "TooFewException", "not all ten were requested at once")
        name = request.json["SecretId"]
        return secret(json.dumps({name: "value"}), name)

    with http_server(answer) as server:
        ended = run(entrypoint, transport, server.url, names)
    assert (ended.err, {name: ended.environ.get(name) for name in names}) == ("", dict.fromkeys(names, "value"))
