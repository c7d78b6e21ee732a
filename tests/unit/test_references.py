"""Which secrets an environment asks for: order, forms, refusals, typing errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import CombinedError, InvalidReferenceError
from run_lambda_entrypoint.references import (
    FIRST,
    PARAMETER,
    PATH,
    PATH_PREFIX,
    PREFIX,
    SECRET,
    VALUE_PREFIX,
    Reference,
    read,
    warnings,
)

ARN_OF = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
ARN = ARN_OF + "app/db-AbCdEf"
NAME_CHARACTERS = "ABCXYZabcxyz0189/_+=.@!-"

FORM = (
    "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME[:KEY:STAGE:VERSION], or NAME[:KEY:STAGE:VERSION]"
)
TOO_MANY = "at most three parts follow the secret: KEY, STAGE and VERSION"

names = st.text(NAME_CHARACTERS, min_size=1, max_size=512)
partitions = st.sampled_from(
    ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-future2"]
)
regions = st.from_regex(r"[a-z]{2}(-[a-z]{1,5}){1,2}-[1-9]", fullmatch=True)
accounts = st.text("0123456789", min_size=12, max_size=12)
parts = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"], exclude_characters=":"))
suffixes = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0=")) | st.text(
    "P012_z\udc80\uff5a"
)


def refusals(environ: dict[str, str]) -> list[str]:
    with pytest.raises(CombinedError) as caught:
        read(environ)
    return list(map(str, caught.value.reports()))


def written(reference: Reference) -> str:
    """A reference to a secret, with all its parts."""
    return ":".join((reference.target, reference.key, reference.stage, reference.version))


@pytest.mark.parametrize(
    ("value", "region"),
    [
        (ARN, "eu-west-1"),
        ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:app-AbCdEf", "cn-north-1"),
        ("arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:app-AbCdEf", "us-gov-west-1"),
        ("arn:aws-iso-b:secretsmanager:us-isob-east-1:123456789012:secret:app-AbCdEf", "us-isob-east-1"),
        (ARN_OF + "rds!cluster-1a2b-AbCdEf", "eu-west-1"),
        (ARN_OF + "no-suffix", "eu-west-1"),
        ("app", None),
        ("prod/app/db_1+a=b.c@d-e", None),
        ("rds!cluster-1a2b", None),
        ("arn", None),
        ("a" * 512, None),
    ],
)
def test_an_arn_has_its_own_region_and_a_name_the_functions(value: str, region: str | None) -> None:
    (reference,) = read({FIRST: value})
    actual = (reference.variable, reference.target, reference.region)
    assert actual == (FIRST, value, region)


@given(partitions, regions, accounts, names)
def test_a_full_arn_of_any_partition_is_accepted(
    partition: str, region: str, account: str, name: str
) -> None:
    arn = f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}"
    (reference,) = read({FIRST: arn})
    actual = (reference.target, reference.region)
    assert actual == (arn, region)


@given(names)
def test_a_name_is_accepted(name: str) -> None:
    (reference,) = read({FIRST: name})
    actual = (reference.target, reference.region)
    assert actual == (name, None)


def test_the_arn_of_the_longest_name_is_accepted() -> None:
    # Secrets Manager puts a hyphen and six characters behind a name's 512.
    arn = f"{ARN_OF}{'a' * 512}-AbCdEf"
    actual = [reference.target for reference in read({FIRST: arn})]
    assert actual == [arn]


@pytest.mark.parametrize("value", [f" {ARN}", f"{ARN}\n", f"\t{ARN} \r\n"])
def test_white_space_around_a_reference_is_dropped(value: str) -> None:
    actual = [reference.target for reference in read({FIRST: value})]
    assert actual == [ARN]


@pytest.mark.parametrize("value", ["", " ", "\t\r\n "])
def test_an_empty_value_is_skipped(value: str) -> None:
    actual = [
        reference.variable for reference in read({FIRST: value, PREFIX + "A": ARN, PREFIX + "B": value})
    ]
    assert actual == [PREFIX + "A"]


def test_an_environment_without_references_asks_for_nothing() -> None:
    actual = read({"PATH": "/bin", "secrets_manager_arn": ARN, "MY_SECRETS_MANAGER_ARN": ARN})
    assert actual == []


def test_the_order_is_the_first_variable_then_bytes_of_the_name() -> None:
    # By code points, the byte FF, which is decoded to U+DCFF, would come before U+FF5A, whose first byte is EF.
    suffixes = ["", "P1", "P10", "P2", "_", "a", "\uff5a", "\udcff"]
    environ = {PREFIX + suffix: ARN for suffix in reversed(suffixes)} | {FIRST: ARN}
    actual = [reference.variable for reference in read(environ)]
    assert actual == [FIRST, *(PREFIX + suffix for suffix in suffixes)]


@given(st.sets(suffixes))
def test_the_order_is_that_of_the_names_bytes(suffixes: set[str]) -> None:
    actual = [reference.variable for reference in read({PREFIX + suffix: ARN for suffix in suffixes})]
    assert actual == sorted(
        (PREFIX + s for s in suffixes), key=lambda name: name.encode("utf-8", "surrogateescape")
    )


def test_the_same_secret_may_be_asked_for_twice() -> None:
    actual = [(reference.variable, reference.target) for reference in read({FIRST: ARN, PREFIX + "A": ARN})]
    assert actual == [(FIRST, ARN), (PREFIX + "A", ARN)]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("app db", "a secret's name cannot hold ' '"),
        ("ünïcode", r"a secret's name cannot hold '\xfc'"),
        ("app\udc80", r"a secret's name cannot hold '\udc80'"),
        ('{"A": 1}', "a secret's name cannot hold '{'"),
        ("a" * 513, "a secret's name has at most 512 characters here"),
        ("arn:aws:secretsmanager", "such an ARN has 7 parts between colons or more, this one 3"),
        (
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret",
            "such an ARN has 7 parts between colons or more, this one 6",
        ),
        (
            "arn:azure:secretsmanager:eu-west-1:123456789012:secret:a",
            '"azure" is no partition (aws, aws-cn, aws-us-gov, ...)',
        ),
        (
            "arn:AWS:secretsmanager:eu-west-1:123456789012:secret:a",
            '"AWS" is no partition (aws, aws-cn, aws-us-gov, ...)',
        ),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter:a", 'it names the service "ssm", not secretsmanager'),
        ("arn:aws:secretsmanager::123456789012:secret:a", '"" is no region'),
        ("arn:aws:secretsmanager:evil.example/:123456789012:secret:a", '"evil.example/" is no region'),
        ("arn:aws:secretsmanager:EU-WEST-1:123456789012:secret:a", '"EU-WEST-1" is no region'),
        (
            "arn:aws:secretsmanager:eu-west-1:\uff11\uff12\uff13456789012:secret:a",
            '"\uff11\uff12\uff13456789012" is no account of 12 digits',
        ),
        ("arn:aws:secretsmanager:eu-west-1:12345:secret:a", '"12345" is no account of 12 digits'),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:policy:a", 'it names a "policy", not a secret'),
        (ARN_OF, "the secret's name is missing"),
        (ARN_OF + ":key::", "the secret's name is missing"),
        (":key::", "the secret's name is missing"),
        (":", "the secret's name is missing"),
        (ARN + ":key:stage:version:", TOO_MANY),
        (ARN + "::::", TOO_MANY),
        ("app:key:stage:version:more", TOO_MANY),
        ("app::::", TOO_MANY),
        (f"{ARN_OF}{'a' * 520}", "a secret's name has at most 519 characters here"),
    ],
)
def test_a_malformed_reference_is_told_what_is_wrong(value: str, fault: str) -> None:
    actual = refusals({FIRST: value})
    assert actual == [f"{FIRST} is no reference to a secret: {fault}; write {FORM}"]


def test_all_malformed_references_are_told_in_merge_order() -> None:
    environ = {PREFIX + "B": "b b", PREFIX + "A": "a a", PREFIX + "C": ARN, FIRST: "f f"}
    actual = [message.partition(" ")[0] for message in refusals(environ)]
    assert actual == [FIRST, PREFIX + "A", PREFIX + "B"]


def test_a_malformed_reference_is_not_shown() -> None:
    # Somebody may have put the secret itself there.
    (message,) = refusals({FIRST: '{"PASSWORD": "correct-horse"}'})
    assert "correct-horse" not in message


@given(
    st.text(st.characters(exclude_characters="\0")) | st.text("arn:awsecmg-1234567890\n\udc80", max_size=80)
)
def test_any_value_is_a_reference_or_refused(value: str) -> None:
    try:
        actual = [written(reference) for reference in read({FIRST: value})]
    except CombinedError as error:
        assert [type(report) for report in error.reports()] == [InvalidReferenceError]  # noqa: PT017
    else:
        assert [text.rstrip(":") for text in actual] == [value.strip().rstrip(":")] * bool(value.strip())


@given(suffixes)
def test_a_refusal_is_one_printable_line(suffix: str) -> None:
    (message,) = refusals({PREFIX + suffix: "no name"})
    assert message.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "LAMBDA_ENV_SECRETS_MANAGER_ARN",
        "LAMBDA_ENV_SECRET_MANAGER_ARN_A",
        "LAMBDA_ENV_TIMEOUT",
        "LAMBDA_ENV_",
    ],
)
def test_a_variable_that_looks_like_ours_is_warned_of(name: str) -> None:
    actual = warnings({name: "x"}, {"LAMBDA_ENV_KNOWN"})
    assert actual == [f"{name} is no variable of this program; is it a typing error for {PREFIX}*?"]


@pytest.mark.parametrize(
    "name", ["LAMBDA_ENV_KNOWN", PREFIX + "A", PREFIX, FIRST, "LAMBDA_ENVIRONMENT", "lambda_env_a"]
)
def test_a_known_or_foreign_variable_is_not_warned_of(name: str) -> None:
    actual = warnings({name: "x"}, {"LAMBDA_ENV_KNOWN"})
    assert actual == []


def test_a_warning_shows_no_control_characters_and_no_value() -> None:
    actual = warnings({"LAMBDA_ENV_A\n\udc80": "value"}, set())
    assert actual == [
        rf"LAMBDA_ENV_A\n\udc80 is no variable of this program; is it a typing error for {PREFIX}*?"
    ]


def test_a_reference_introduces_itself_for_messages() -> None:
    (reference,) = read({PREFIX + "A\n": ARN})
    assert str(reference) == rf"secret {ARN} ({PREFIX}A\n)"


@pytest.mark.parametrize("secret", [ARN, "app", "prod/app"])
@pytest.mark.parametrize(
    ("rest", "parts"),
    [
        ("", ("", "", "")),
        (":", ("", "", "")),
        ("::", ("", "", "")),
        (":::", ("", "", "")),
        (":KEY", ("KEY", "", "")),
        (":KEY:", ("KEY", "", "")),
        (":KEY::", ("KEY", "", "")),
        (":a key.é=", ("a key.é=", "", "")),
        (":a.b::", ("a.b", "", "")),
        ("::AWSPREVIOUS", ("", "AWSPREVIOUS", "")),
        ("::AWSPREVIOUS:", ("", "AWSPREVIOUS", "")),
        (":::11111111-2222-3333-4444-555555555555", ("", "", "11111111-2222-3333-4444-555555555555")),
        (":KEY:STAGE", ("KEY", "STAGE", "")),
        (":KEY:STAGE:", ("KEY", "STAGE", "")),
        (":KEY:STAGE:ID", ("KEY", "STAGE", "ID")),
        (":KEY::ID", ("KEY", "", "ID")),
        ("::STAGE:ID", ("", "STAGE", "ID")),
    ],
)
@pytest.mark.parametrize("variable", [FIRST, PREFIX + "A", VALUE_PREFIX + "A"])
def test_key_stage_and_version_follow_a_secret_as_in_ecs(
    variable: str, secret: str, rest: str, parts: tuple[str, str, str]
) -> None:
    (reference,) = read({variable: secret + rest})
    actual = (reference.kind, reference.target, (reference.key, reference.stage, reference.version))
    assert actual == (SECRET, secret, parts)


@given(names | st.just(ARN), parts, parts, parts)
def test_a_reference_is_read_as_it_was_written(secret: str, key: str, stage: str, version: str) -> None:
    text = f"{secret}:{key}:{stage}:{version}"
    (reference,) = read({FIRST: text})
    actual = written(reference)
    assert actual == text


@given(names | st.just(ARN), parts, parts)
def test_trailing_colons_may_be_left_out(secret: str, key: str, stage: str) -> None:
    short = f"{secret}:{key}:{stage}".rstrip(":")
    actual = [written(*read({FIRST: f"{short}{':' * colons}"})) for colons in range(2)]
    assert actual == [short + ":" * (secret.count(":") + 3 - short.count(":"))] * 2


def test_only_a_single_value_names_the_variable_that_it_sets() -> None:
    environ = {FIRST: "a", PATH_PREFIX + "A": "/a/", PREFIX + "A": "a", VALUE_PREFIX + "A": "a"}
    actual = [(reference.variable, reference.sets) for reference in read(environ)]
    assert actual == [(FIRST, ""), (PATH_PREFIX + "A", ""), (PREFIX + "A", ""), (VALUE_PREFIX + "A", "A")]


def test_the_order_is_first_then_paths_then_secrets_then_single_values() -> None:
    environ = {
        VALUE_PREFIX + "B": "app",
        VALUE_PREFIX + "A": "app",
        PREFIX + "B": "app",
        PREFIX + "A": "app",
        PATH_PREFIX + "B": "/app/",
        PATH_PREFIX + "A": "/app/",
        FIRST: "app",
    }
    actual = [reference.variable for reference in read(environ)]
    assert actual == list(reversed(environ))


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "lower", "a.b-c", "é", "AWS_REGION", "SECRETS_MANAGER_ARN", "_"]
)
def test_a_single_value_sets_the_variable_behind_the_prefix(name: str) -> None:
    actual = [reference.sets for reference in read({VALUE_PREFIX + name: "app:key::"})]
    assert actual == [name]


def test_a_single_value_for_no_variable_is_refused() -> None:
    actual = refusals({VALUE_PREFIX: "app"})
    assert actual == [f"{VALUE_PREFIX} names no variable to set; write {VALUE_PREFIX}NAME"]


@pytest.mark.parametrize("name", ["_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME"])
def test_a_single_value_for_a_reserved_variable_is_refused(name: str) -> None:
    actual = refusals({VALUE_PREFIX + name: "app"})
    assert actual == [f"{VALUE_PREFIX}{name} would set {name}, which Lambda reserves to describe the runtime"]


@pytest.mark.parametrize("name", [PATH_PREFIX, PREFIX, VALUE_PREFIX])
@given(suffixes, st.sampled_from(["no name", "/no path", "arn:aws:ssm:", "{", "\n\udc80"]))
def test_a_refusal_of_any_kind_is_one_printable_line(name: str, suffix: str, value: str) -> None:
    environ = {name + suffix: value, f"{name}AWS_LAMBDA_FUNCTION_{suffix}": value}
    actual = [message.isprintable() for message in refusals(environ)]
    assert actual == [True] * len(environ)


PARAMETER_OF = "arn:aws:ssm:eu-west-1:123456789012:parameter"
PARAMETER_FORM = "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME[:VERSION or LABEL]"


@pytest.mark.parametrize(
    ("value", "region"),
    [
        (f"{PARAMETER_OF}/app", "eu-west-1"),
        (f"{PARAMETER_OF}/app/prod/db_1.x-y", "eu-west-1"),
        (f"{PARAMETER_OF}/app:3", "eu-west-1"),
        (f"{PARAMETER_OF}/app/prod:stable", "eu-west-1"),
        (f"{PARAMETER_OF}/aws/service/ami", "eu-west-1"),
        ("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/app", "cn-north-1"),
        ("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/app", "us-gov-west-1"),
    ],
)
def test_a_single_value_may_be_a_parameters(value: str, region: str) -> None:
    (reference,) = read({VALUE_PREFIX + "A": value})
    actual = (reference.kind, reference.target, reference.region, reference.sets)
    assert actual == (PARAMETER, value, region, "A")


SLASH = "a parameter's name or path follows a slash"
PARAMETER_CHARACTERS = "a parameter's name has letters, digits and /_.- only"
ONE_SELECTOR = "one version or label follows the name, behind a colon"
DETOUR = f"it is a secret of Secrets Manager; refer to that itself ({VALUE_PREFIX}NAME=NAME-OF-THE-SECRET)"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("arn:aws:ssm", "such an ARN has 6 parts between colons or more, this one 3"),
        (
            "arn:azure:ssm:eu-west-1:123456789012:parameter/a",
            '"azure" is no partition (aws, aws-cn, aws-us-gov, ...)',
        ),
        ("arn:aws:ssm::123456789012:parameter/a", '"" is no region'),
        ("arn:aws:ssm:EU:123456789012:parameter/a", '"EU" is no region'),
        ("arn:aws:ssm:eu-west-1:1:parameter/a", '"1" is no account of 12 digits'),
        (PARAMETER_OF, 'it names "parameter", not a parameter'),
        (f"{PARAMETER_OF}/", 'it names "parameter/", not a parameter'),
        (f"{PARAMETER_OF}:a", 'it names "parameter", not a parameter'),
        ("arn:aws:ssm:eu-west-1:123456789012:document/a", 'it names "document/a", not a parameter'),
        ("arn:aws:ssm:eu-west-1:123456789012:/a", 'it names "/a", not a parameter'),
        ("/aws/reference/secretsmanager/app", DETOUR),
        (f"{PARAMETER_OF}/a b", PARAMETER_CHARACTERS),
        (f"{PARAMETER_OF}/é", PARAMETER_CHARACTERS),
        (f"{PARAMETER_OF}/a:", ONE_SELECTOR),
        (f"{PARAMETER_OF}/a:1:", ONE_SELECTOR),
        (f"{PARAMETER_OF}/a:1:stable", ONE_SELECTOR),
        (f"{PARAMETER_OF}/a:key::", ONE_SELECTOR),
        (f"{PARAMETER_OF}/aws/reference/secretsmanager/app", DETOUR),
    ],
)
def test_a_malformed_parameter_is_told_what_is_wrong(value: str, fault: str) -> None:
    actual = refusals({VALUE_PREFIX + "A": value})
    assert actual == [f"{VALUE_PREFIX}A is no reference to a parameter: {fault}; write {PARAMETER_FORM}"]


@pytest.mark.parametrize("variable", [FIRST, PREFIX + "A"])
@pytest.mark.parametrize("selector", ["", ":1"])
def test_a_parameter_is_no_secret(variable: str, selector: str) -> None:
    actual = refusals({variable: f"{PARAMETER_OF}/app{selector}"})
    fault = 'it names the service "ssm", not secretsmanager'
    assert actual == [f"{variable} is no reference to a secret: {fault}; write {FORM}"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/app/prod/", "/app/prod/"),
        ("/app/prod", "/app/prod/"),
        (" /a.b-c_d/ ", "/a.b-c_d/"),
        ("/app//", "/app/"),
        ("/", "/"),
    ],
)
def test_a_path_ends_with_one_slash_and_is_the_functions_regions(value: str, path: str) -> None:
    (reference,) = read({PATH_PREFIX + "A": value})
    actual = (reference.kind, reference.target, reference.region)
    assert actual == (PATH, path, None)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("app/prod/", SLASH),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/app/", SLASH),
        ("/app prod/", PARAMETER_CHARACTERS),
        ("/app:1", PARAMETER_CHARACTERS),
        ("/app/*", PARAMETER_CHARACTERS),
        ("/aws/reference/secretsmanager", DETOUR),
        ("/aws/reference/secretsmanager/", DETOUR),
        ("/aws/reference/secretsmanager/app/", DETOUR),
    ],
)
def test_a_malformed_path_is_told_what_is_wrong(value: str, fault: str) -> None:
    actual = refusals({PATH_PREFIX + "A": value})
    assert actual == [f"{PATH_PREFIX}A is no path of parameters: {fault}; write /a/path/"]


def test_malformed_references_of_all_kinds_are_told_in_merge_order() -> None:
    environ = {VALUE_PREFIX + "A": "a a", PREFIX + "A": "a a", PATH_PREFIX + "A": "a", FIRST: "a a"}
    actual = [message.partition(" ")[0] for message in refusals(environ)]
    assert actual == list(reversed(environ))


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        (PATH_PREFIX + "A", "/app", f"parameters below /app/ ({PATH_PREFIX}A)"),
        (VALUE_PREFIX + "A", "app:key::", f"secret app ({VALUE_PREFIX}A)"),
        (VALUE_PREFIX + "A", f"{PARAMETER_OF}/a:1", f"parameter {PARAMETER_OF}/a:1 ({VALUE_PREFIX}A)"),
    ],
)
def test_each_kind_introduces_itself_for_messages(variable: str, value: str, expected: str) -> None:
    (actual,) = map(str, read({variable: value}))
    assert actual == expected


@pytest.mark.parametrize("name", [PATH_PREFIX + "A", PATH_PREFIX, VALUE_PREFIX + "A", VALUE_PREFIX])
def test_each_prefix_is_known(name: str) -> None:
    actual = warnings({name: ""}, set())
    assert actual == []
