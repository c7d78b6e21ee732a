"""Which secrets are requested, where, and which takes precedence."""

import json
from pathlib import Path

import pytest

from tests.harness.entrypoint import PLAIN, Ended, Entrypoint, aws
from tests.harness.http_server import Request, error, http_server, secret, secrets
from tests.harness.process import wait_until

ENVIRON = ("cat", "/proc/self/environ")
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"


FINAL = {"V0": "function", "OWN": "first", "V1": "first", "V2": "upper", "V3": "lower", "V4": "not-ascii"}
MERGED = {
    # What a function gets from four secrets, each of which sets what the ones before it set, and its own variables.
    "a later secret overrides an earlier one and the function's own": FINAL,
    "the reference variables stay": {f"{PREFIX}a": "lower", f"{PREFIX}B": "upper", f"{PREFIX}BLANK": " \t\n"},
    "a reference inside a secret is just a value": {"SECRETS_MANAGER_ARN": "inside", f"{PREFIX}INSIDE": "inside"},
}


@pytest.fixture(scope="module")
def merged(entrypoint: Entrypoint) -> Ended:
    """That function's start."""
    texts = {
        "first": dict.fromkeys(("V1", "V2", "V3", "V4", "OWN"), "first"),
        "upper": {**dict.fromkeys(("V2", "V3", "V4"), "upper"), "SECRETS_MANAGER_ARN": "inside"},
        "lower": {**dict.fromkeys(("V3", "V4"), "lower"), f"{PREFIX}INSIDE": "inside"},
        "not-ascii": {"V4": "not-ascii"},
    }
    references = {f"{PREFIX}é": "not-ascii", f"{PREFIX}a": "lower", f"{PREFIX}B": "upper"}
    references |= {"SECRETS_MANAGER_ARN": " first\n", f"{PREFIX}EMPTY": "", f"{PREFIX}BLANK": " \t\n"}
    with http_server(secrets({name: json.dumps(text) for name, text in texts.items()})) as server:
        return entrypoint(*ENVIRON, environ=aws(server.url, references, OWN="function", V0="function"))


@pytest.mark.parametrize("rule", MERGED)
def test_precedence(merged: Ended, rule: str) -> None:
    assert {name: merged.environ[name] for name in MERGED[rule]} == MERGED[rule]


def test_empty_references_are_skipped_silently(merged: Ended) -> None:
    assert (merged.code, merged.err) == (0, "")


def test_an_unrecognized_name_in_our_namespace_is_a_warning(entrypoint: Entrypoint) -> None:
    recognized = {"LAMBDA_ENV_TIMEOUT_SECONDS": "5", f"{PREFIX}EMPTY": "", "LAMBDA_ENVIRONMENT": "production"}
    unrecognized = {"LAMBDA_ENV_": "", "LAMBDA_ENV_SECRET_MANAGER_ARN_RDS": "hunter2"}
    ended = entrypoint("echo", "started", environ={"PATH": "/bin", **recognized, **unrecognized})

    assert (ended.code, ended.out, "hunter2" in ended.err) == (0, b"started\n", False)
    warning = "run-lambda-entrypoint: warning: "
    assert ended.err.splitlines() == [
        f"{warning}LAMBDA_ENV_ is not recognized; see --help",
        f"{warning}LAMBDA_ENV_SECRET_MANAGER_ARN_RDS is not recognized; did you mean {PREFIX}RDS?",
    ]


MISNAMED = "SECRET_MANAGER_ARN is not recognized; did you mean SECRETS_MANAGER_ARN?"


def test_a_misnamed_variable_where_there_is_no_reference_is_a_warning(entrypoint: Entrypoint) -> None:
    ended = entrypoint("echo", "started", environ={**PLAIN, "SECRET_MANAGER_ARN": "hunter2"})

    assert ended == (0, b"started\n", f"run-lambda-entrypoint: warning: {MISNAMED}\n")


@pytest.mark.parametrize(("level", "count"), [("warning", 0), ("debug", 1)])
def test_beside_the_right_variable_a_similar_one_may_be_the_applications_own(
    entrypoint: Entrypoint, level: str, count: int
) -> None:
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        references = {"SECRETS_MANAGER_ARN": "name", "SECRET_MANAGER_ARN": "other"}
        ended = entrypoint("true", environ=aws(server.url, references, LAMBDA_ENV_LOG_LEVEL=level))

    assert (ended.code, len(server.requests), ended.err.count(MISNAMED)) == (0, 1, count)
    assert "warning: " not in ended.err


FORMS = {
    # A reference, and the Region in which it is requested: an ARN's own, or the function's.
    f"{ARN}an-arn-AbCdEf".replace("eu-west-1", "ap-southeast-2"): "ap-southeast-2",
    "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:china-AbCdEf": "cn-north-1",
    "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:gov-AbCdEf": "us-gov-west-1",
    "a/name_with+all=the.legal@characters-": "eu-west-1",
    "rds!cluster-01234567-89ab-cdef-0123-456789abcdef": "eu-west-1",
}


@pytest.fixture(scope="module")
def requested(entrypoint: Entrypoint) -> list[Request]:
    """What was requested for each form of a reference, and for one of them twice."""
    references = {f"{PREFIX}{index}": reference for index, reference in enumerate(FORMS)}
    references["SECRETS_MANAGER_ARN"] = " a/name_with+all=the.legal@characters-\t"
    with http_server(secrets(dict.fromkeys(FORMS, '{"A": "1"}'))) as server:
        ended = entrypoint("true", environ=aws(server.url, references, AWS_DEFAULT_REGION="us-east-2"))
    assert ended == (0, b"", "")
    return server.requests


@pytest.mark.parametrize("reference", FORMS)
def test_an_arn_is_requested_in_its_own_region_and_a_name_in_the_functions(
    requested: list[Request], reference: str
) -> None:
    regions = [request.region for request in requested if request.json["SecretId"] == reference]

    assert regions == [FORMS[reference]]


def test_the_same_reference_twice_is_fetched_once(requested: list[Request]) -> None:
    assert sorted(request.json["SecretId"] for request in requested) == sorted(FORMS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("regions", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({}, "sa-east-1"),
    ],
)
def test_the_functions_region_is_aws_region_then_the_default_then_the_configuration_file(
    entrypoint: Entrypoint, tmp_path: Path, regions: dict[str, str], region: str
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = sa-east-1\n")
    with http_server(secrets({"name": '{"A": "1"}'})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, AWS_CONFIG_FILE=f"{tmp_path}/config")
        del environ["AWS_REGION"]
        ended = entrypoint("true", environ={**environ, **regions})

    assert ended == (0, b"", "")
    assert [request.region for request in server.requests] == [region]


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{"AWS_REGION": "sa-east-1"}, {}], ids=["variable", "configuration file"])
def test_a_name_that_is_answered_from_another_region_is_refused(
    entrypoint: Entrypoint, tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = sa-east-1\n")
    with http_server(lambda _: secret('{"A": "1"}', "name", "us-east-1")) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, AWS_CONFIG_FILE=f"{tmp_path}/config")
        del environ["AWS_REGION"]
        ended = entrypoint("true", environ={**environ, **variables})

    assert (ended.code, "the ARN is in another Region" in ended.err) == (125, True)


@pytest.mark.slow
def test_without_any_region_a_name_is_an_error_that_says_what_to_set(entrypoint: Entrypoint) -> None:
    with http_server(secrets({"name": '{"A": "1"}'})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"})
        del environ["AWS_REGION"]
        ended = entrypoint("true", environ=environ)

    assert (ended.code, server.requests) == (125, [])
    assert "AWS_REGION" in ended.err


@pytest.mark.slow
def test_without_an_endpoint_variable_the_host_is_the_partitions_own(entrypoint: Entrypoint) -> None:
    hosts = {
        f"secretsmanager.{region}.amazonaws.com{'.cn' if region == 'cn-north-1' else ''}:443"
        for region in FORMS.values()
    }
    references = {f"{PREFIX}{index}": reference for index, reference in enumerate(FORMS)}
    with http_server(lambda _: error(403, "Forbidden")) as proxy:
        environ = aws("", references, HTTPS_PROXY=proxy.url, LAMBDA_ENV_TIMEOUT_SECONDS="60")
        with entrypoint.started("true", environ=environ):
            wait_until(lambda: len(proxy.requests) >= len(FORMS), what="a request for each reference")

    assert {(request.method, request.path) for request in proxy.requests} == {("CONNECT", host) for host in hosts}


VALUE, PATH = "LAMBDA_ENV_VALUE_FROM_", "LAMBDA_ENV_SSM_PATH_"
INVALID = {
    # The text of a reference, and what of its report names the problem.
    "SECRETS_MANAGER_ARN": ("?https://example.com/hunter2", "the invalid character '?'"),
    f"{PATH}A": ("hunter2/", "starts with a slash"),
    f"{PATH}B": ("/aws/reference/secretsmanager/", "it refers to a secret"),
    f"{PREFIX}A_SPACE": ("two words hunter2", "the invalid character ' '"),
    f"{PREFIX}B_SHORT": ("arn:aws:secretsmanager:eu-west-1:123456789012:secret", "incomplete ARN"),
    f"{PREFIX}C_SERVICE": ("arn:aws:kms:eu-west-1:123456789012:key/hunter2", "in the ARN is not secretsmanager"),
    f"{PREFIX}G_ACCOUNT": (f"{ARN}hunter2".replace("123456789012", "1234"), "not have a valid account ID"),
    f"{PREFIX}J_JSON": ('{"PASSWORD": "hunter2"}', "the invalid character '{'"),
    f"{PREFIX}K_LINES": ("name\nrun-lambda-entrypoint: forged", r"the invalid character '\n'"),
    f"{PREFIX}L_COLONS": (f"{ARN}name:key:stage:version:hunter2", "at most three fields"),
    f"{PREFIX}M_KEY": (f"{ARN}name://hunter2", "KEY must not start with //"),
    f"{PREFIX}N_STAGE": ("user:x:hunter2@host", "STAGE must be"),
    f"{PREFIX}O_VERSION": ("user:x::hunter2", "VERSION must be"),
    VALUE: ("name", "does not name the variable to set"),
    f"{VALUE}B": ("arn:aws:ssm:eu-west-1:123456789012:document/hunter2", "not that of a parameter"),
    f"{VALUE}D": ("arn:aws:ssm:eu-west-1:123456789012:parameter/x:1:hunter2", "only one version or label"),
    f"{VALUE}E": ("arn:aws:ssm:eu-west-1:123456789012:parameter/x:1\n\x1b[31mhunter2", "version or label must be"),
    f"{VALUE}_HANDLER": ("name", "which Lambda reserves"),
}
MISTAKEN = {
    "SECRETS_MANAGER_ARN": ("arn:aws:ssm:eu-west-1:123456789012:parameter/hunter2", "it is the ARN of a parameter"),
    f"{PATH}A": ("arn:aws:ssm:eu-west-1:123456789012:parameter/app/:hunter2", "the ARN is not that of a path"),
    f"{PREFIX}A": ("aws-sm:hunter2", "the prefix aws-sm: is not supported"),
    f"{PREFIX}B": (f"{ARN}a,{ARN}hunter2", "it contains several ARNs"),
    f"{PREFIX}C": ('"hunter2"', "it is in quotation marks"),
    f"{PREFIX}D": (f"/{ARN}hunter2", "remove the slash before arn:"),
    f"{PREFIX}E": (f"ARN{ARN[3:]}hunter2", "arn: must be lowercase"),
    f"{PREFIX}F": (f"{ARN}hunter2".replace("aws", "${AWS::Partition}"), "${...} in it was not replaced"),
    f"{PREFIX}G": (f"valueFrom: {ARN}hunter2", "it contains an ARN and other text"),
    f"{PREFIX}H": ("postgres://user:hunter2@host:5432/db", "it is a URL"),
    f"{VALUE}A": ("ssm:/hunter2", "the prefix ssm: is not supported"),
    f"{VALUE}B": ("{{resolve:ssm-secure:/hunter2:1}}", "which only CloudFormation resolves"),
}


@pytest.mark.parametrize("table", [INVALID, MISTAKEN], ids=["invalid", "mistaken"])
def test_invalid_references_are_refused_before_any_network_call_each_in_one_line(
    entrypoint: Entrypoint, table: dict[str, tuple[str, str]]
) -> None:
    references = {name: text for name, (text, _) in table.items()}
    with http_server(secrets({"good": '{"A": "1"}'})) as server:
        ended = entrypoint("true", environ=aws(server.url, {f"{PREFIX}GOOD": "good", **references}))

    assert (ended.code, ended.out, server.requests, "hunter2" in ended.err) == (125, b"", [], False)
    lines = {line.split(" ")[1]: line for line in ended.err.splitlines()}
    assert [name for name, (_, problem) in table.items() if problem not in lines[name]] == []
    assert list(lines) == list(table)
