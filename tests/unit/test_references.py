"""Which secrets an environment asks for: order, forms, refusals, typing errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import CombinedError, InvalidReferenceError
from run_lambda_entrypoint.references import FIRST, PREFIX, read, warnings

ARN_OF = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
ARN = ARN_OF + "app/db-AbCdEf"
NAME_CHARACTERS = "ABCXYZabcxyz0189/_+=.@!-"

names = st.text(NAME_CHARACTERS, min_size=1, max_size=512)
partitions = st.sampled_from(
    ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-future2"]
)
regions = st.from_regex(r"[a-z]{2}(-[a-z]{1,5}){1,2}-[1-9]", fullmatch=True)
accounts = st.text("0123456789", min_size=12, max_size=12)
suffixes = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0=")) | st.text(
    "P012_z\udc80\uff5a"
)


def refusals(environ: dict[str, str]) -> list[str]:
    with pytest.raises(CombinedError) as caught:
        read(environ)
    return list(map(str, caught.value.reports()))


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
    actual = (reference.variable, reference.secret, reference.region)
    assert actual == (FIRST, value, region)


@given(partitions, regions, accounts, names)
def test_a_full_arn_of_any_partition_is_accepted(
    partition: str, region: str, account: str, name: str
) -> None:
    arn = f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}"
    (reference,) = read({FIRST: arn})
    actual = (reference.secret, reference.region)
    assert actual == (arn, region)


@given(names)
def test_a_name_is_accepted(name: str) -> None:
    (reference,) = read({FIRST: name})
    actual = (reference.secret, reference.region)
    assert actual == (name, None)


def test_the_arn_of_the_longest_name_is_accepted() -> None:
    # Secrets Manager puts a hyphen and six characters behind a name's 512.
    arn = f"{ARN_OF}{'a' * 512}-AbCdEf"
    actual = [reference.secret for reference in read({FIRST: arn})]
    assert actual == [arn]


@pytest.mark.parametrize("value", [f" {ARN}", f"{ARN}\n", f"\t{ARN} \r\n"])
def test_white_space_around_a_reference_is_dropped(value: str) -> None:
    actual = [reference.secret for reference in read({FIRST: value})]
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
    actual = [(reference.variable, reference.secret) for reference in read({FIRST: ARN, PREFIX + "A": ARN})]
    assert actual == [(FIRST, ARN), (PREFIX + "A", ARN)]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("app db", "a secret's name cannot hold ' '"),
        ("app:db", "a secret's name cannot hold ':'"),
        ("http://", "a secret's name cannot hold ':'"),
        ("ünïcode", r"a secret's name cannot hold '\xfc'"),
        ("app\udc80", r"a secret's name cannot hold '\udc80'"),
        ('{"A": 1}', "a secret's name cannot hold '{'"),
        ("a" * 513, "a secret's name has at most 512 characters here"),
        ("arn:aws:secretsmanager", "a secret's ARN has 7 parts between colons, this one 3"),
        (
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret",
            "a secret's ARN has 7 parts between colons, this one 6",
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
        (
            ARN_OF + "app-AbCdEf:key::",
            "a secret's name cannot hold ':'",
        ),
        (f"{ARN_OF}{'a' * 520}", "a secret's name has at most 519 characters here"),
        (ARN_OF + "arn:x", "a secret's name cannot hold ':'"),
    ],
)
def test_a_malformed_reference_is_told_what_is_wrong(value: str, fault: str) -> None:
    form = "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, or a secret's name"
    actual = refusals({FIRST: value})
    assert actual == [f"{FIRST} is no reference to a secret: {fault}; write {form}"]


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
        actual = [reference.secret for reference in read({FIRST: value})]
    except CombinedError as error:
        assert [type(report) for report in error.reports()] == [InvalidReferenceError]  # noqa: PT017
    else:
        assert actual == ([value.strip()] if value.strip() else [])


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
