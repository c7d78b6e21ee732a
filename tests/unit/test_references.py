"""Which secrets and parameters an environment refers to: precedence, forms, refusals, typos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import INVALID_REFERENCE, CombinedError
from run_lambda_entrypoint.options import VARIABLES
from run_lambda_entrypoint.references import (
    BASE64_PREFIX,
    PARAMETER,
    PATH,
    PATH_PREFIX,
    PRIMARY_VARIABLE,
    SECRET,
    SECRET_PREFIX,
    VALUE_PREFIX,
    Reference,
    misnamed,
    read,
    unrecognized,
)

VALUE_A, PATH_A, SECRET_A = VALUE_PREFIX + "A", PATH_PREFIX + "A", SECRET_PREFIX + "A"
ARN_OF = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
ARN = ARN_OF + "app/db-AbCdEf"
PARAMETER_OF = "arn:aws:ssm:eu-west-1:123456789012:parameter"
ID = "11111111-2222-3333-4444-555555555555"

names = st.text("ABCXYZabcxyz0189/_+=.@!-", min_size=1, max_size=512)
partitions = st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-future2"])
regions = st.from_regex(r"[a-z]{2}(-[a-z]{1,5}){1,2}-[1-9]", fullmatch=True)
accounts = st.text("0123456789", min_size=12, max_size=12)
keys = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"], exclude_characters=":/"))
stages = st.text("ABCXYZabcxyz0189-_.", max_size=256)
versions = st.just("") | st.text("ABCXYZabcxyz0189-_.", min_size=32, max_size=64)
suffixes = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0=")) | st.text("P012_z\udc80\uff5a")


def read_one(variable: str, text: str) -> Reference:
    (reference,) = read({variable: text}).references
    return reference


def refusals(environ: dict[str, str]) -> list[str]:
    with pytest.raises(CombinedError) as caught:
        read(environ)
    assert {report.kind for report in caught.value.reports()} == {INVALID_REFERENCE}
    return list(map(str, caught.value.reports()))


def written(reference: Reference) -> str:
    """A reference to a secret, with all its fields."""
    return ":".join((reference.target, reference.key, reference.stage, reference.version))


# -- Secrets


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (ARN, "eu-west-1"),
        ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:app-AbCdEf", "cn-north-1"),
        ("arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:app-AbCdEf", "us-gov-west-1"),
        (ARN_OF + "rds!cluster-1a2b-AbCdEf", "eu-west-1"),
        (ARN_OF + "no-suffix", "eu-west-1"),
        (f"{ARN_OF}{'a' * 512}-AbCdEf", "eu-west-1"),  # the longest name, as its ARN has it
        *((name, "") for name in ("app", "prod/app/db_1+a=b.c@d-e", "rds!cluster-1a2b", "arn", "a" * 512)),
    ],
)
def test_an_arn_has_its_own_region_and_a_name_the_functions(text: str, region: str) -> None:
    reference = read_one(PRIMARY_VARIABLE, text)
    assert (reference.variable, reference.target, reference.region) == (PRIMARY_VARIABLE, text, region)


@given(partitions, regions, accounts, names)
def test_a_full_arn_of_any_partition_is_accepted(partition: str, region: str, account: str, name: str) -> None:
    arn = f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}"
    reference = read_one(PRIMARY_VARIABLE, arn)
    assert (reference.target, reference.region) == (arn, region)


@pytest.mark.parametrize("secret", [ARN, "app", "prod/app"])
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        *((rest, ("", "", "")) for rest in ("", ":", "::", ":::")),
        *((rest, ("KEY", "", "")) for rest in (":KEY", ":KEY:", ":KEY::")),
        *((":a key.é=", ("a key.é=", "", "")), (":a.b::", ("a.b", "", ""))),
        *((rest, ("", "AWSPREVIOUS", "")) for rest in ("::AWSPREVIOUS", "::AWSPREVIOUS:")),
        *((f":::{ID}", ("", "", ID)), (f"::STAGE:{ID}", ("", "STAGE", ID)), (f":KEY::{ID}", ("KEY", "", ID))),
        *((":KEY:STAGE", ("KEY", "STAGE", "")), (f":KEY:STAGE:{ID}", ("KEY", "STAGE", ID))),
        *((f":{key}", (key, "", "")) for key in ("a/b", "a//b", "/a", "user@host", "%2F", "a\u2028b", "\udc80")),
        *((f"::{stage}", ("", stage, "")) for stage in ("a-_.9", "s" * 256)),
        *((f":::{version}", ("", "", version)) for version in ("v" * 32, "a-_.9" * 12 + "1234")),
    ],
)
@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, SECRET_A, VALUE_A])
def test_key_stage_and_version_follow_a_secret_as_in_ecs(
    variable: str, secret: str, rest: str, expected: tuple[str, str, str]
) -> None:
    reference = read_one(variable, secret + rest)
    actual = (reference.kind, reference.target, (reference.key, reference.stage, reference.version))
    assert actual == (SECRET, secret, expected)


@given(names | st.just(ARN), keys, stages, versions)
def test_a_reference_is_read_as_it_was_written(secret: str, key: str, stage: str, version: str) -> None:
    text = f"{secret}:{key}:{stage}:{version}"
    assert written(read_one(PRIMARY_VARIABLE, text)) == text


@given(st.text(st.characters(exclude_characters="\0")) | st.text("arn:awsecmg-1234567890\n\udc80", max_size=80))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        actual = [written(reference) for reference in read({PRIMARY_VARIABLE: text}).references]
    except CombinedError as error:
        assert [report.kind for report in error.reports()] == [INVALID_REFERENCE]  # noqa: PT017
    else:
        assert [each.rstrip(":") for each in actual] == [text.strip().rstrip(":")] * bool(text.strip())


# -- Parameters


@pytest.mark.parametrize("name", ["/app", "/app/prod/db_1.x-y", "/app:3", "/app/prod:stable", "/aws/service/ami"])
@pytest.mark.parametrize(("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1")])
def test_a_single_value_may_be_a_parameters(name: str, partition: str, region: str) -> None:
    text = f"arn:{partition}:ssm:{region}:123456789012:parameter{name}"
    reference = read_one(VALUE_A, text)
    assert (reference.kind, reference.target, reference.region, reference.name) == (PARAMETER, text, region, "A")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        *(("/app/prod/", "/app/prod/"), ("/app/prod", "/app/prod/"), (" /a.b-c_d/ ", "/a.b-c_d/")),
        *(("/app//", "/app/"), ("/", "/")),
    ],
)
def test_a_path_ends_with_one_slash_and_is_in_the_functions_region(text: str, path: str) -> None:
    reference = read_one(PATH_A, text)
    assert (reference.kind, reference.target, reference.region) == (PATH, path, "")


@pytest.mark.parametrize(
    ("rest", "path"), [("/app/prod", "/app/prod/"), ("/app/prod/", "/app/prod/"), ("/app//", "/app/"), ("/", "/")]
)
def test_a_path_may_be_an_arn_with_region_and_account(rest: str, path: str) -> None:
    reference = read_one(PATH_A, f"arn:aws:ssm:eu-west-3:210987654321:parameter{rest}")
    actual = (reference.kind, reference.target, reference.region, reference.account)
    assert actual == (PATH, path, "eu-west-3", "210987654321")


# -- Precedence


def test_the_order_is_primary_then_paths_then_secrets_then_single_values_each_in_byte_order() -> None:
    # By code points, the byte FF, which is decoded to U+DCFF, would come before U+FF5A, whose first byte is EF.
    ordered = ["A", "P1", "P10", "P2", "_", "a", "\uff5a", "\udcff"]
    expected = [PRIMARY_VARIABLE]
    expected += [prefix + name for prefix in (PATH_PREFIX, SECRET_PREFIX, VALUE_PREFIX) for name in ordered]
    environ = {name: "/app/" if name.startswith(PATH_PREFIX) else "app" for name in reversed(expected)}
    assert [reference.variable for reference in read(environ).references] == expected


def test_single_values_and_their_base64_are_of_one_kind_in_byte_order_of_the_names() -> None:
    environ = {f"{VALUE_PREFIX}A": "app", f"{BASE64_PREFIX}B": "app", f"{VALUE_PREFIX}C": "app"}
    found = read(dict(reversed(environ.items()))).references
    assert [(each.variable, each.name, each.binary) for each in found] == [
        *((f"{VALUE_PREFIX}A", "A", False), (f"{BASE64_PREFIX}B", "B", True), (f"{VALUE_PREFIX}C", "C", False))
    ]


@pytest.mark.parametrize("text", ["", " "])
def test_one_of_both_for_a_name_may_be_empty(text: str) -> None:
    found = read({f"{VALUE_PREFIX}A": text, f"{BASE64_PREFIX}A": "app"}).references
    assert [each.variable for each in found] == [f"{BASE64_PREFIX}A"]


@given(st.sets(suffixes))
def test_byte_order_is_that_of_the_encoded_names(found: set[str]) -> None:
    assert [reference.variable for reference in read({SECRET_PREFIX + s: ARN for s in found}).references] == sorted(
        (SECRET_PREFIX + s for s in found), key=lambda name: name.encode("utf-8", "surrogateescape")
    )


@pytest.mark.parametrize("text", ["", " ", "\t\r\n "])
def test_an_empty_reference_is_skipped(text: str) -> None:
    assert [each.variable for each in read({PRIMARY_VARIABLE: text, SECRET_A: ARN, VALUE_A: text}).references] == [
        SECRET_A
    ]


def test_an_environment_without_references_has_none() -> None:
    assert read({"PATH": "/bin", "secrets_manager_arn": ARN, "MY_SECRETS_MANAGER_ARN": ARN}).references == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "lower", "a.b-c", "é", "AWS_REGION", "SECRETS_MANAGER_ARN", "_"])
def test_a_single_value_sets_the_variable_in_its_name(name: str) -> None:
    assert read_one(VALUE_PREFIX + name, "app:key::").name == name


# -- Refusals

SECRET_FORM = "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME[:KEY:STAGE:VERSION], or NAME[:KEY:STAGE:VERSION]"
TOO_MANY = "at most three fields may follow the secret: KEY, STAGE and VERSION"
PARTITION = "the ARN does not have a valid partition (aws, aws-cn, aws-us-gov, ...)"
MISSING = "the secret name is missing"
INVALID = "the secret name contains the invalid character"
ACCOUNT = "the ARN does not have a valid account ID (12 digits)"
REGION = "the ARN does not have a valid Region"
KEY = "KEY must not start with // or contain a control character"
STAGE = "STAGE must be at most 256 letters, digits, hyphens, underscores and periods"
OF_A_PARAMETER = f"it is the ARN of a parameter; use {VALUE_PREFIX}NAME for that"
VERSION = "VERSION must be 32 to 64 letters, digits, hyphens, underscores and periods"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *(("app db", f"{INVALID} ' '"), ("ünïcode", rf"{INVALID} '\xfc'"), ("app\udc80", rf"{INVALID} '\udc80'")),
        ('{"PASSWORD": "correct-horse"}', f"{INVALID} '{{'"),  # somebody put the secret itself here
        ("a" * 513, "the secret name is longer than 512 characters"),
        (f"{ARN_OF}{'a' * 520}", "the secret name is longer than 519 characters"),
        ("arn:aws:secretsmanager", "incomplete ARN: expected at least 7 colon-separated fields, got 3"),
        (ARN_OF.rstrip(":"), "incomplete ARN: expected at least 7 colon-separated fields, got 6"),
        *((ARN.replace("aws", name), PARTITION) for name in ("azure", "AWS")),
        *((ARN.replace("eu-west-1", name), REGION) for name in ("", "evil.example/", "EU-WEST-1")),
        *((ARN.replace("123456789012", number), ACCOUNT) for number in ("12345", "\uff11" * 12)),
        ("arn:aws:s3:::bucket", "the service in the ARN is not secretsmanager"),
        *((f"{PARAMETER_OF}/a{rest}", OF_A_PARAMETER) for rest in ("", ":1")),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:policy:a", "the ARN is not that of a secret"),
        *((text, MISSING) for text in (ARN_OF, ARN_OF + ":key::", ":key::", ":")),
        *((text, TOO_MANY) for text in (ARN + ":key:stage:version:", ARN + "::::", "app:k:s:v:more", "app::::")),
        *((f"{ARN}:{key}", KEY) for key in ("//", "//host", "a\nb", "\x1b[31m", "\x7f", "a\x9b", "a\0")),
        *((f"{ARN}:k:{stage}", STAGE) for stage in ("s" * 257, "a b", "a/b", "a@b", "é", "a\n9", "9\x1b")),
        *((f"app:::{version}", VERSION) for version in ("v" * 31, "v" * 65, "1", f"{ID}/", f"{ID}\n9", "é" * 32)),
    ],
)
@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, SECRET_A])
def test_an_invalid_secret_reference_is_refused_and_not_shown(variable: str, text: str, problem: str) -> None:
    assert refusals({variable: text}) == [
        f"{variable} is not a valid secret reference: {problem}; expected {SECRET_FORM}"
    ]


PARAMETER_FORM = "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME[:VERSION or LABEL]"
SLASH = "a parameter name starts with a slash"
CHARACTERS = "a parameter name contains only letters, digits and /_.-"
ONE_SELECTOR = "only one version or label may follow the name, after a colon"
SELECTOR = "a version or label must be at most 100 letters, digits, hyphens, underscores and periods"
VIA_SSM = f"it refers to a secret of Secrets Manager; use {VALUE_PREFIX}NAME=NAME-OF-THE-SECRET instead"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("arn:aws:ssm", "incomplete ARN: expected at least 6 colon-separated fields, got 3"),
        ("arn:azure:ssm:eu-west-1:123456789012:parameter/a", PARTITION),
        *(("arn:aws:ssm::123456789012:parameter/a", REGION), ("arn:aws:ssm:EU:1:parameter/a", REGION)),
        ("arn:aws:ssm:eu-west-1:1:parameter/a", ACCOUNT),
        (PARAMETER_OF, "the parameter name is missing"),
        (f"{PARAMETER_OF}/", "the parameter name is missing"),
        (f"{PARAMETER_OF}:a", "the parameter name is missing"),
        ("arn:aws:ssm:eu-west-1:123456789012:document/a", "the ARN is not that of a parameter"),
        ("arn:aws:ssm:eu-west-1:123456789012:/a", "the ARN is not that of a parameter"),
        *((f"{PARAMETER_OF}/a b", CHARACTERS), (f"{PARAMETER_OF}/é", CHARACTERS)),
        *((f"{PARAMETER_OF}/a{rest}", ONE_SELECTOR) for rest in (":", ":1:", ":1:stable", ":key::")),
        *(
            (f"{PARAMETER_OF}/a:{selector}", SELECTOR)
            for selector in ("s" * 101, "a b", "a/b", "a@b", "é", "a\n9", "9\x1b[31mred")
        ),
        *((text, VIA_SSM) for text in ("/aws/reference/secretsmanager/app",)),
        (f"{PARAMETER_OF}/aws/reference/secretsmanager/app", VIA_SSM),
    ],
)
def test_an_invalid_parameter_reference_is_refused(text: str, problem: str) -> None:
    expected = f"{VALUE_A} is not a valid parameter reference: {problem}; expected {PARAMETER_FORM}"
    assert refusals({VALUE_A: text}) == [expected]


PATH_FORM = "/a/path/ or arn:PARTITION:ssm:REGION:ACCOUNT:parameter/a/path/"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("app/prod/", SLASH),
        *((f"{PARAMETER_OF}{rest}", "the ARN is not that of a path") for rest in ("", "/a:1", "/a:/b")),
        *((f"{PARAMETER_OF}{rest}", CHARACTERS) for rest in ("/a b", "/*")),
        (f"{PARAMETER_OF}/aws/reference/secretsmanager/app", VIA_SSM),
        (ARN, "the service in the ARN is not ssm"),
        ("arn:aws:ssm:eu-west-1:1:parameter/hunter2", "the ARN does not have a valid account ID (12 digits)"),
        ("arn:", "incomplete ARN: expected at least 6 colon-separated fields, got 2"),
        *((text, CHARACTERS) for text in ("/app prod/", "/app:1", "/app/*")),
        *((f"/aws/reference/secretsmanager{rest}", VIA_SSM) for rest in ("", "/", "/app/")),
    ],
)
def test_an_invalid_path_is_refused(text: str, problem: str) -> None:
    assert refusals({PATH_A: text}) == [f"{PATH_A} is not a valid parameter path: {problem}; expected {PATH_FORM}"]


# -- Habits from other tools, and what a template or a shell left behind

DYNAMIC = "{{resolve:...}} is a dynamic reference, which only CloudFormation resolves"


def foreign(prefix: str) -> str:
    return f"the prefix {prefix}: is not supported"


FOREIGN = {
    # What other tools write: the problem, and whether it is for a parameter.
    "ssm:/app/p1": (foreign("ssm"), True),
    "SSM:/app/p1": (foreign("ssm"), True),
    "ssm://app/p1": (foreign("ssm"), True),
    "ssm-secure:/app/p1:1": (foreign("ssm-secure"), True),
    "awsssm://app/p1": (foreign("awsssm"), True),
    "ref+awsssm://app/p1?region=eu-west-1": (foreign("ref+awsssm"), True),
    "parameterstore:app": (foreign("parameterstore"), True),
    "{{resolve:ssm:/app/p1}}": (DYNAMIC, True),
    "{{resolve:ssm-secure:/app/p1:1}}": (DYNAMIC, True),
    "{{resolve:secretsmanager:prod/app:SecretString:password}}": (DYNAMIC, False),
    "secretsmanager:prod/app": (foreign("secretsmanager"), False),
    "awssecret://prod/app": (foreign("awssecret"), False),
    "aws-sm:prod/app": (foreign("aws-sm"), False),
    "aws-sm://prod/app#password": (foreign("aws-sm"), False),
    "ref+awssecrets://prod/app#/password": (foreign("ref+awssecrets"), False),
}


@pytest.mark.parametrize("text", FOREIGN)
def test_another_tools_form_is_refused_with_the_right_one(text: str) -> None:
    problem, is_parameter = FOREIGN[text]
    kind, form = ("parameter", PARAMETER_FORM) if is_parameter else ("secret", SECRET_FORM)
    assert refusals({VALUE_A: text}) == [f"{VALUE_A} is not a valid {kind} reference: {problem}; expected {form}"]


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, SECRET_A])
def test_another_tools_form_for_a_secret_is_refused_with_the_variable_for_parameters(variable: str, text: str) -> None:
    problem, is_parameter = FOREIGN[text]
    elsewhere = f"; for a parameter use {VALUE_PREFIX}NAME={PARAMETER_FORM}" if is_parameter else ""
    expected = f"{variable} is not a valid secret reference: {problem}{elsewhere}; expected {SECRET_FORM}"
    assert refusals({variable: text}) == [expected]


@pytest.mark.parametrize("text", FOREIGN)
def test_another_tools_form_for_a_path_is_refused(text: str) -> None:
    expected = f"{PATH_A} is not a valid parameter path: {FOREIGN[text][0]}; expected {PATH_FORM}"
    assert refusals({PATH_A: text}) == [expected]


@pytest.mark.parametrize("text", ["ssm", "secretsmanager", "ssm/app", "my-ssm:key", f"{ARN_OF}ssm:key"])
@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, VALUE_A])
def test_a_secret_may_be_called_like_a_prefix(variable: str, text: str) -> None:
    assert read_one(variable, text).kind == SECRET


QUOTES = ('""', "''", "``", "“”", "\u2018\u2019", "„“", "«»")
QUOTED = "it is in quotation marks; remove them"
SEVERAL = "it contains several ARNs; use one variable for each"
MISTAKES = {
    **{
        f"{a}{text}{b}": QUOTED
        for a, b in ('""', "''", "``", "\u2018\u2019", "“”", "„“", "«»")
        for text in ("/app/", ARN, "a\nb")
    },
    '"app': QUOTED,
    "app'": QUOTED,
    **{separator.join((ARN, ARN)): SEVERAL for separator in (",", ", ", ";", " ", "\n", "|")},
    f"{ARN}:key::,{ARN}": SEVERAL,
    f'[{ARN}, "{ARN}"]': SEVERAL,
    **{separator.join(("/app/", "/prod/")): SEVERAL.replace("ARN", "path") for separator in (",", ", ", " ", "\n")},
    f"/{ARN}": "remove the slash before arn:",
    **dict.fromkeys(
        (f"valueFrom: {ARN}", f"SECRETS_MANAGER_ARN={ARN}", f"<{ARN}>", f'["{ARN}"]', f"!Ref {ARN}"),
        "it contains an ARN and other text; write the ARN alone",
    ),
    **dict.fromkeys(("sm://prod/app", "https://example.com/?name=prod%2Fapp"), "it is a URL"),
    **{word + ARN[3:]: "arn: must be lowercase" for word in ("ARN", "Arn")},
    **dict.fromkeys(
        (
            ARN.replace("aws", "${AWS::Partition}"),
            f"!Sub {ARN}${{X}}",
            "prod/${STAGE}/app",
            "${SECRET}",
            "/app/${STAGE}/",
        ),
        "${...} in it was not replaced; in CloudFormation use Fn::Sub",
    ),
    **dict.fromkeys(("{{ secret }}", "prod/{{stage}}"), "{{...}} in it was not replaced by a template engine"),
    **dict.fromkeys(
        (ARN.replace("123456789012", "<account>"), "<the secret>"), "<...> in it is a placeholder; replace it"
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
@pytest.mark.parametrize(
    ("variable", "what"),
    [(PRIMARY_VARIABLE, "secret reference"), (VALUE_A, "secret reference"), (PATH_A, "parameter path")],
)
def test_a_common_mistake_is_recognized(variable: str, what: str, text: str) -> None:
    [message] = refusals({variable: text})
    assert message.startswith(f"{variable} is not a valid {what}: {MISTAKES[text]}; expected ")


def test_a_common_mistake_in_a_parameters_arn_is_recognized() -> None:
    [message] = refusals({VALUE_A: f"{PARAMETER_OF}/${{STAGE}}"})
    assert message.startswith(f"{VALUE_A} is not a valid parameter reference: ${{...}} in it was not replaced; ")


URLS = [
    "postgres://user:hunter2@host:5432/db",
    "postgresql://user:hunter2@host/db?sslmode=require",
    "mysql://user:hunter2@host:3306/db",
    "redis://:hunter2@host:6379/0",
    "rediss://default:hunter2@host:6380",
    "mongodb://user:hunter2@host:27017/db",
    "mongodb+srv://user:hunter2@host/db",
    "amqp://user:hunter2@host:5672/vhost",
    "https://user:hunter2@example.com/path?token=hunter2",
    "https://example.com/?token=hunter2",
    "jdbc:postgresql://host:5432/db?user=user&password=hunter2",
    "user:hunter2@tcp(host:3306)/db",
    "Server=host;Password=hunter2",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, PATH_A, SECRET_A, VALUE_A])
def test_a_url_with_credentials_is_refused_and_not_shown(variable: str, url: str) -> None:
    (message,) = refusals({variable: url})
    assert [part for part in ("hunter2", "host", "example", "user") if part in message] == []


PARTS = st.sampled_from([*ARN.split(":"), *PARAMETER_OF.split(":"), "hunter2"])


@pytest.mark.parametrize("variable", [PRIMARY_VARIABLE, PATH_A, VALUE_A])
@given(st.lists(PARTS, max_size=10).map(":".join), st.sampled_from([" ", "{", "//", "\n", "\x1b", "@"]))
def test_what_is_refused_is_not_shown(variable: str, text: str, invalid: str) -> None:
    for each in (f"{text}:hunter2{invalid}", f"hunter2{invalid}{text}", f"{text}{invalid}hunter2"):
        try:
            read({variable: each})
        except CombinedError as error:
            assert "hunter2" not in str(error)  # noqa: PT017


def test_all_invalid_references_are_refused_in_their_order() -> None:
    environ = {VALUE_A: "a a", SECRET_PREFIX + "B": "b", SECRET_A: "a a", PATH_A: "a", PRIMARY_VARIABLE: "a a"}
    assert [message.partition(" ")[0] for message in refusals(environ)] == [PRIMARY_VARIABLE, PATH_A, SECRET_A, VALUE_A]


WOULD_SET = f"{VALUE_PREFIX}_HANDLER would set _HANDLER"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", f"{VALUE_PREFIX} does not name the variable to set; expected {VALUE_PREFIX}NAME"),
        ("_HANDLER", f"{WOULD_SET}, which Lambda reserves to describe the runtime; use another name"),
    ],
)
def test_a_single_value_for_no_variable_or_a_reserved_one_is_refused(name: str, expected: str) -> None:
    assert refusals({VALUE_PREFIX + name: "app"}) == [expected]


@pytest.mark.parametrize("name", [PATH_PREFIX, SECRET_PREFIX, VALUE_PREFIX])
@given(suffixes, st.sampled_from(["no name", "/no path", "arn:aws:ssm:", "{", "\n\udc80"]))
def test_a_refusal_is_one_printable_line(name: str, suffix: str, text: str) -> None:
    environ = {name + suffix: text, f"{name}AWS_LAMBDA_FUNCTION_{suffix}": text}
    assert [message.isprintable() for message in refusals(environ)] == [True] * len(environ)


# -- Messages


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("VALUES_FROM_X", f"{VALUE_PREFIX}X"),
        ("VALUE_FROMS_DB_PASSWORD", f"{VALUE_PREFIX}DB_PASSWORD"),
        ("VALUEFROM_X_y", f"{VALUE_PREFIX}X_y"),
        ("value_from_x", f"{VALUE_PREFIX}x"),
        ("VALUE_X", f"{VALUE_PREFIX}X"),
        ("VALUE_FROM", f"{VALUE_PREFIX}NAME"),
        ("SSM_PATHS_X", f"{PATH_PREFIX}X"),
        ("SSM_PATH", f"{PATH_PREFIX}*"),
        ("SECRET_MANAGER_ARN_RDS", f"{SECRET_PREFIX}RDS"),
        ("SECRETSMANAGER_ARN_P0_RDS", f"{SECRET_PREFIX}P0_RDS"),
        ("SECRETS_MANAGER_ARNS_A\n", rf"{SECRET_PREFIX}A\n"),
        ("SECRETS_MANAGER_ARN", f"{SECRET_PREFIX}*"),
        *((name, "LAMBDA_ENV_TIMEOUT_SECONDS") for name in ("TIMEOUT", "TIMEOUT_SECOND", "TIMEOUT_MILLISECONDS")),
        *((name, "LAMBDA_ENV_LOG_LEVEL") for name in ("LOGLEVEL", "LOG_LEVELS", "LEVEL", "log_level")),
        *((name, "LAMBDA_ENV_ON_OVERRIDE") for name in ("OVERRIDE", "ON_OVERIDE", "ON_OVERRIDES")),
        *((name, "LAMBDA_ENV_EXEC_WRAPPER") for name in ("WRAPPER", "EXECWRAPPER")),
    ],
)
def test_an_unrecognized_variable_in_our_namespace_has_the_nearest_right_name(name: str, right: str) -> None:
    shown = name.replace("\n", r"\n")
    expected = f"LAMBDA_ENV_{shown} is not recognized; did you mean {right}?"
    assert unrecognized({f"LAMBDA_ENV_{name}": "value"}, VARIABLES) == [expected]


@pytest.mark.parametrize("name", ["", "A", "COLOR", "DRY_RUN", "\udc80"])
def test_an_unrecognized_variable_that_is_like_none_has_no_suggestion(name: str) -> None:
    shown = name.replace("\udc80", r"\udc80")
    assert unrecognized({f"LAMBDA_ENV_{name}": "value"}, VARIABLES) == [
        f"LAMBDA_ENV_{shown} is not recognized; see --help"
    ]


@given(st.sets(suffixes, max_size=30))
def test_each_unrecognized_variable_has_one_printable_line(found: set[str]) -> None:
    environ = {f"LAMBDA_ENV_X{suffix}": "value" for suffix in found}
    lines = unrecognized(environ, VARIABLES)
    assert [line.isprintable() for line in lines] == [True] * len(environ)


# -- Names outside our namespace

FIRST, SECOND = {"SECRETS_MANAGER_ARN": ARN}, {SECRET_A: ARN}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        *((name, PRIMARY_VARIABLE) for name in ("SECRET_MANAGER_ARN", "SECRETS_MANAGER_ARNS", "SECRETSMANAGER_ARN")),
        ("SECRETS_MANAGER_ARN_RDS", f"{SECRET_PREFIX}RDS"),
        ("SECRET_MANAGER_ARN_P0_RDS", f"{SECRET_PREFIX}P0_RDS"),
    ],
)
@pytest.mark.parametrize(
    ("more", "value", "is_warning"),
    [
        ({}, "hunter 2", True),
        (SECOND, ARN, True),
        (SECOND, "prod/app:key", True),
        (SECOND, "hunter 2", False),
        (FIRST, ARN, False),
        ({PATH_A: "/app/", "SECRETS_MANAGER_ARN": " "}, ARN, True),
    ],
)
def test_a_misnamed_variable_is_a_warning_if_it_most_likely_is_for_us(
    name: str, right: str, more: dict[str, str], value: str, is_warning: bool
) -> None:
    environ = {name: value, **more}
    line = f"{name} is not recognized; did you mean {right}?"
    assert misnamed(environ, read(environ).references) == [("warning" if is_warning else "debug", line)]


@pytest.mark.parametrize(
    "environ",
    [
        {"SECRETS_MANAGER_ARN": ARN},
        {"SECRET_MANAGER_ARN": " "},
        *({name: ARN} for name in ("SECRET_ARN", "SECRETS_MANAGER_TTL", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY")),
        *({name: ARN} for name in ("DB_SECRETS_MANAGER_ARN", "LAMBDA_ENV_SECRET_MANAGER_ARN_A", "PATH")),
    ],
)
def test_other_variables_are_not_taken_for_misnamed_ones(environ: dict[str, str]) -> None:
    assert misnamed(environ, read(environ).references) == []


@pytest.mark.parametrize(
    "name",
    [
        *("LAMBDA_ENV_KNOWN", SECRET_A, SECRET_PREFIX, PRIMARY_VARIABLE, PATH_A, PATH_PREFIX, VALUE_A, VALUE_PREFIX),
        *("LAMBDA_ENVIRONMENT", "lambda_env_a"),
    ],
)
def test_a_known_or_foreign_variable_is_not(name: str) -> None:
    assert unrecognized({name: "x"}, {"LAMBDA_ENV_KNOWN"}) == []


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        (SECRET_PREFIX + "A\n", ARN, rf"secret {ARN} ({SECRET_PREFIX}A\n)"),
        (PATH_A, "/app", f"parameters below /app/ ({PATH_A})"),
        (VALUE_A, "app:key::", f"secret app ({VALUE_A})"),
        (VALUE_A, f"{PARAMETER_OF}/a:1", f"parameter {PARAMETER_OF}/a:1 ({VALUE_A})"),
    ],
)
def test_each_kind_introduces_itself_in_messages(variable: str, text: str, expected: str) -> None:
    assert str(read_one(variable, text)) == expected
