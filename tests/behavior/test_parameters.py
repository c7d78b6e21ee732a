"""Against moto's Parameter Store: single parameters, paths, and their place among the secrets."""

import json
from collections import Counter

import pytest

from tests.harness.entrypoint import PLAIN, Ended, Entrypoint, aws
from tests.harness.http_server import Reply, Request, by_length, error, http_server
from tests.harness.secrets_api import ACCOUNT, REGION, SecretsApi

ENVIRON = ("cat", "/proc/self/environ")
ELSEWHERE = "ap-northeast-1"
PATH = "LAMBDA_ENV_SSM_PATH_"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE = "LAMBDA_ENV_VALUE_FROM_"
MANY = [f"P{number:02}" for number in range(25)]
BELOW = {
    "user": "USER",
    "db/user-name": "DB_USER_NAME",
    "db/replica.1/Host": "DB_REPLICA_1_HOST",
    **{f"key-{number:02}": f"KEY_{number:02}" for number in range(20)},
}
"""Names below a path, and the variables that they set."""


class Run:
    """One start with parameters of each kind, and what moto received."""

    def __init__(self, entrypoint: Entrypoint, api: SecretsApi, transport: str) -> None:
        root = f"/run-{transport}"
        references = {VALUE + name: api.put_parameter(f"{root}/many/{name}", f"value of {name}") for name in MANY}
        for name, kind, value in (
            ("SECURE", "SecureString", "decrypted é"),
            ("LIST", "StringList", "a,b,c"),
            ("TEXT", "String", '{"not": "parsed"}'),
        ):
            references[VALUE + name] = api.put_parameter(f"{root}/{name}", value, kind=kind)
        references[f"{VALUE}ELSEWHERE"] = api.put_parameter(f"{root}/far", "far", region=ELSEWHERE)
        self.versioned = api.put_parameter(f"{root}/versioned", "one")
        api.put_parameter(f"{root}/versioned", "two", label="stable")
        api.put_parameter(f"{root}/versioned", "three")
        for name, selector in (("V1", ":1"), ("V1_AGAIN", ":1"), ("VS", ":stable"), ("V3", "")):
            references[VALUE + name] = self.versioned + selector
        for number, name in enumerate(BELOW):
            api.put_parameter(f"{root}/path/{name}", f"below {number}")
        references[f"{PATH}RUN"] = f"{root}/path"
        self.path = f"{root}/path/"

        # Precedence: each kind also sets what the later ones set.
        for name in ("O2", "O3", "O4"):
            api.put_parameter(f"{root}/order/{name}", "path")
        texts = {"first": ("O1", "O2", "O3", "O4"), "later": ("O3", "O4")}
        for name, keys in texts.items():
            api.create_secret(f"order/{transport}/{name}", json.dumps(dict.fromkeys(keys, name)))
        references |= {
            "SECRETS_MANAGER_ARN": f"order/{transport}/first",
            f"{PATH}ORDER": f"{root}/order/",
            f"{PREFIX}ORDER": f"order/{transport}/later",
            f"{VALUE}O4": api.put_parameter(f"{root}/O4", "value"),
            **dict.fromkeys(("O0", "O1", "O2", "O3", "O4"), "own"),
        }
        before = len(api.requests)
        environ = api.environ(**PLAIN, **references, LAMBDA_ENV_TRANSPORT=transport)
        self.ended: Ended = entrypoint(*ENVIRON, environ=environ)
        self.requests: list[Request] = api.requests[before:]

    def calls(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation == operation]


@pytest.fixture(scope="module")
def run(entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str) -> Run:
    """The start over either transport."""
    return Run(entrypoint, secrets_api, transport)


def test_standard_error_stays_empty(run: Run) -> None:
    assert (run.ended.code, run.ended.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, f"value of {name}") for name in MANY),
        *(("SECURE", "decrypted é"), ("LIST", "a,b,c"), ("TEXT", '{"not": "parsed"}'), ("ELSEWHERE", "far")),
        *(("V1", "one"), ("V1_AGAIN", "one"), ("VS", "two"), ("V3", "three")),
        *((variable, f"below {number}") for number, variable in enumerate(BELOW.values())),
    ],
)
def test_a_parameter_arrives(run: Run, name: str, value: str) -> None:
    assert run.ended.environ[name] == value


def test_paths_come_after_the_first_secret_and_before_the_others_and_single_values_last(run: Run) -> None:
    expected = {"O0": "own", "O1": "first", "O2": "path", "O3": "later", "O4": "value"}
    assert {name: run.ended.environ[name] for name in expected} == expected


def test_25_parameters_are_three_calls(run: Run) -> None:
    calls = [request.json["Names"] for request in run.calls("GetParameters")]
    assert len([names for names in calls if any("/many/" in name for name in names)]) == 3


def test_no_call_asks_for_more_than_ten_or_for_one_parameter_twice(run: Run) -> None:
    for request in run.calls("GetParameters"):
        names = Counter(":".join(name.split(":")[:6]) for name in request.json["Names"])
        assert (names.total() <= 10, max(names.values())) == (True, 1)


def test_each_parameter_is_requested_once_in_its_region(run: Run) -> None:
    asked = Counter((name, request.region) for request in run.calls("GetParameters") for name in request.json["Names"])
    assert set(asked.values()) == {1}
    assert {name.split(":")[3] == region for name, region in asked} == {True}


def test_versions_of_a_parameter_are_requested_in_different_calls(run: Run) -> None:
    names = [
        [name.removeprefix(run.versioned) for name in request.json["Names"] if run.versioned in name]
        for request in run.calls("GetParameters")
    ]
    assert sorted(part for part in names if part) == [[""], [":1"], [":stable"]]


def test_each_call_decrypts(run: Run) -> None:
    decrypts = {request.json["WithDecryption"] for request in run.requests if "Param" in request.operation}
    assert decrypts == {True}


def test_a_path_is_read_recursively_page_by_page_in_the_functions_region(run: Run) -> None:
    pages = [
        (request.region, request.json["Recursive"], "NextToken" in request.json)
        for request in run.calls("GetParametersByPath")
        if request.json["Path"] == run.path
    ]
    assert pages == [(REGION, True, False), (REGION, True, True), (REGION, True, True)]


def test_nothing_else_is_requested_and_all_under_our_name(run: Run) -> None:
    operations = {request.operation for request in run.requests}
    assert operations == {"GetSecretValue", "GetParameters", "GetParametersByPath"}
    assert {"run-lambda-entrypoint/" in request.headers["user-agent"] for request in run.requests} == {True}


@pytest.fixture(scope="module")
def faults(entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str) -> dict[str, dict[str, str]]:
    """The report on each variable of a start where each has another fault."""
    root = f"/faults-{transport}"
    there = secrets_api.put_parameter(f"{root}/there", "hunter2")
    for name in ("met/a-b", "met/a/b", "reserved/aws-execution-env"):
        secrets_api.put_parameter(f"{root}/{name}", "hunter2")
    references = {
        f"{VALUE}GOOD": there,
        f"{VALUE}MISSING": f"{there}/not",
        f"{VALUE}VERSION": f"{there}:2",
        f"{VALUE}LABEL": f"{there}:stable",
        f"{VALUE}NAME_AS_IN_ECS": f"{root}/there",
        f"{PATH}EMPTY": f"{root}/empty/",
        f"{PATH}MET": f"{root}/met/",
        f"{PATH}RESERVED": f"{root}/reserved/",
    }
    options = {"LAMBDA_ENV_TRANSPORT": transport, "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    ended = entrypoint("true", environ=secrets_api.environ(**PLAIN, **references, **options))
    assert (ended.code, ended.out, "hunter2" in ended.err) == (125, b"", False)
    lines = map(json.loads, ended.err.replace(root, "ROOT").splitlines())
    return {line["reference"]: line for line in lines}


NOT_THERE = "ParameterNotFound: no such parameter, version or label"
ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameterROOT/there"
HISTORY = f"aws ssm get-parameter-history --region {REGION} --name {ARN} --query 'Parameters[].[Version,Labels]'"


@pytest.mark.parametrize(
    ("name", "message", "error_type"),
    [
        (f"{VALUE}MISSING", NOT_THERE, "Function.ParameterNotFound"),
        *((f"{VALUE}{name}", NOT_THERE, "Function.ParameterNotFound") for name in ("VERSION", "LABEL")),
        *((f"{VALUE}{name}", HISTORY, "Function.ParameterNotFound") for name in ("VERSION", "LABEL")),
        (f"{VALUE}NAME_AS_IN_ECS", f"if it is a parameter, write {ARN}; looked in", "Function.SecretNotFound"),
        (f"{PATH}EMPTY", "no parameter below this path", "Function.ParameterNotFound"),
        (f"{PATH}MET", "ROOT/met/a-b and ROOT/met/a/b map to the same variable, A_B", "Function.InvalidSecret"),
        (f"{PATH}RESERVED", 'variable "AWS_EXECUTION_ENV": Lambda reserves', "Function.InvalidSecret"),
    ],
)
def test_a_parameter_that_cannot_be_loaded_is_reported(
    faults: dict[str, dict[str, str]], name: str, message: str, error_type: str
) -> None:
    assert (message in faults[name]["message"], faults[name]["errorType"]) == (True, error_type)


def test_only_what_cannot_be_loaded_is_reported(faults: dict[str, dict[str, str]]) -> None:
    assert f"{VALUE}GOOD" not in faults


PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/one"
THROTTLED = error(400, "ThrottlingException", "Rate exceeded")


def parameters(*names: str, **more: str) -> Reply:
    found = [{"Name": name, "Value": "1", "Version": 1, "Type": "String"} for name in names]
    return by_length(json.dumps({"Parameters": found, **more}).encode())


def test_what_ssm_throttles_is_retried_page_by_page(entrypoint: Entrypoint, transport: str) -> None:
    script = {
        "GetParameters": [THROTTLED, parameters("/app/one")],
        "GetParametersByPath": [parameters("/path/a", NextToken="next"), THROTTLED, parameters("/path/b")],
    }

    def answer(request: Request) -> Reply:
        return script[request.headers["x-amz-target"].removeprefix("AmazonSSM.")].pop(0)

    with http_server(answer) as server:
        references = {f"{VALUE}ONE": PARAMETER, f"{PATH}P": "/path/"}
        environ = aws("", references, AWS_ENDPOINT_URL_SSM=server.url, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint(*ENVIRON, environ=environ)

    assert (ended.code, ended.err, script) == (0, "", {"GetParameters": [], "GetParametersByPath": []})
    assert [ended.environ.get(name) for name in ("ONE", "A", "B")] == ["1"] * 3
    tokens = [request.json.get("NextToken") for request in server.requests if "Path" in request.json]
    assert tokens == [None, "next", "next"]
