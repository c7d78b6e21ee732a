"""Which secrets and parameters an environment refers to: precedence, forms, refusals, typos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import INVALID_REFERENCE, CombinedError
from run_lambda_entrypoint.references import (
    PARAMETER,
    PATH,
    PATH_PREFIX,
    PRIMARY_VARIABLE,
    SECRET,
    SECRET_PREFIX,
    VALUE_PREFIX,
    Reference,
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
    (reference,) = read({variable: text})
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
        actual = [written(reference) for reference in read({PRIMARY_VARIABLE: text})]
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


# -- Precedence


def test_the_order_is_primary_then_paths_then_secrets_then_single_values_each_in_byte_order() -> None:
    # By code points, the byte FF, which is decoded to U+DCFF, would come before U+FF5A, whose first byte is EF.
    ordered = ["A", "P1", "P10", "P2", "_", "a", "\uff5a", "\udcff"]
    expected = [PRIMARY_VARIABLE]
    expected += [prefix + name for prefix in (PATH_PREFIX, SECRET_PREFIX, VALUE_PREFIX) for name in ordered]
    environ = {name: "/app/" if name.startswith(PATH_PREFIX) else "app" for name in reversed(expected)}
    assert [reference.variable for reference in read(environ)] == expected


@given(st.sets(suffixes))
def test_byte_order_is_that_of_the_encoded_names(found: set[str]) -> None:
    assert [reference.variable for reference in read({SECRET_PREFIX + suffix: ARN for suffix in found})] == sorted(
        (SECRET_PREFIX + s for s in found), key=lambda name: name.encode("utf-8", "surrogateescape")
    )


@pytest.mark.parametrize("text", ["", " ", "\t\r\n "])
def test_an_empty_reference_is_skipped(text: str) -> None:
    assert [each.variable for each in read({PRIMARY_VARIABLE: text, SECRET_A: ARN, VALUE_A: text})] == [SECRET_A]


def test_an_environment_without_references_has_none() -> None:
    assert read({"PATH": "/bin", "secrets_manager_arn": ARN, "MY_SECRETS_MANAGER_ARN": ARN}) == []


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
        (f"{PARAMETER_OF}/a", "the service in the ARN is not secretsmanager"),
        (f"{PARAMETER_OF}/a:1", "the service in the ARN is not secretsmanager"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:policy:a", "the ARN is not that of a secret"),
        *((text, MISSING) for text in (ARN_OF, ARN_OF + ":key::", ":key::", ":")),
        *((text, TOO_MANY) for text in (ARN + ":key:stage:version:", ARN + "::::", "app:k:s:v:more", "app::::")),
        *((f"app:{key}", KEY) for key in ("//", "//host", "a\nb", "\x1b[31m", "\x7f", "a\x9b", "a\0")),
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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        *((text, SLASH) for text in ("app/prod/", f"{PARAMETER_OF}/app/")),
        *((text, CHARACTERS) for text in ("/app prod/", "/app:1", "/app/*")),
        *((f"/aws/reference/secretsmanager{rest}", VIA_SSM) for rest in ("", "/", "/app/")),
    ],
)
def test_an_invalid_path_is_refused(text: str, problem: str) -> None:
    assert refusals({PATH_A: text}) == [f"{PATH_A} is not a valid parameter path: {problem}; expected /a/path/"]


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
    ("name", "shown"),
    [
        *((f"LAMBDA_ENV_{rest}", f"LAMBDA_ENV_{rest}") for rest in ("SECRETS_MANAGER_ARN", "TIMEOUT", "")),
        ("LAMBDA_ENV_A\n\udc80", r"LAMBDA_ENV_A\n\udc80"),
    ],
)
def test_an_unrecognized_variable_in_our_namespace_is_a_warning(name: str, shown: str) -> None:
    actual = unrecognized({name: "value"}, {"LAMBDA_ENV_KNOWN"})
    assert actual == [f"{shown} is not recognized; did you mean {SECRET_PREFIX}*?"]


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
