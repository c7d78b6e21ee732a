"""SSM parameters: which calls ask for them, and what of a reply is whose; pure."""

from __future__ import annotations

from collections import Counter
from traceback import format_exception
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import INVALID_SECRET, PARAMETER_NOT_FOUND, UNAVAILABLE, EntrypointError
from run_lambda_entrypoint.loading.parameter_store import BATCH_SIZE, plan, values
from run_lambda_entrypoint.references import PARAMETER, PATH, PATH_PREFIX, VALUE_PREFIX, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from run_lambda_entrypoint.aws.call import Call

REGION = "eu-west-1"  # the function's
MARKER = "correct-horse-battery-staple"


def arn(name: str, region: str = "eu-west-1", account: str = "123456789012") -> str:
    return f"arn:aws:ssm:{region}:{account}:parameter{name}"


def parameter(target: str, name: str = "A") -> Reference:
    return Reference(VALUE_PREFIX + name, PARAMETER, target, target.split(":")[3], name=name)


def below(path: str) -> Reference:
    return Reference(PATH_PREFIX + "A", PATH, path)


def entry(name: str, value: str = "value", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Value": value, "Type": "String", "Version": 3, "ARN": arn(name), **more}


def planned_calls(references: Sequence[Reference]) -> list[Call]:
    """The distinct calls, in order."""
    return list(dict.fromkeys(plan(references, REGION).values()))


def names(calls: Sequence[Call]) -> list[list[str]]:
    return [call.params["Names"] for call in calls]


targets = st.builds(
    lambda number, selector, region: arn(f"/p{number}{selector}", region),
    st.integers(0, 30),
    st.sampled_from(["", "", ":1", ":2", ":stable"]),
    st.sampled_from(["eu-west-1", "us-east-1"]),
)


@given(st.lists(targets))
def test_no_parameter_stands_twice_in_a_call(wanted: list[str]) -> None:
    calls = planned_calls(list(map(parameter, wanted)))
    actual = [
        max(Counter(name.rpartition("/")[2].partition(":")[0] for name in batch).values()) for batch in names(calls)
    ]
    assert actual == [1] * len(calls)


@given(st.lists(targets))
def test_a_call_asks_for_ten_at_most_of_one_region(wanted: list[str]) -> None:
    calls = planned_calls(list(map(parameter, wanted)))
    actual = [
        (len(call.params["Names"]) <= BATCH_SIZE, {name.split(":")[3] for name in call.params["Names"]})
        for call in calls
    ]
    assert actual == [(True, {call.region}) for call in calls]


@given(st.lists(targets))
def test_each_parameter_is_asked_for_once_by_the_call_that_answers_it(wanted: list[str]) -> None:
    references = list(map(parameter, wanted))
    planned = plan(references, REGION)
    assert all(reference.target in planned[reference].params["Names"] for reference in references)
    assert sorted(name for batch in names(planned_calls(references)) for name in batch) == sorted(set(wanted))


def many(count: int, region: str = REGION) -> list[str]:
    return [arn(f"/p{number}", region) for number in range(count)]


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        *((many(1), [1]), (many(10), [10]), (many(11), [10, 1]), (many(25), [10, 10, 5])),
        pytest.param([*many(6), *many(6, "us-east-1")], [6, 6], id="two Regions"),
        pytest.param([arn("/a:1"), arn("/a:2"), arn("/b")], [2, 1], id="two versions"),
    ],
)
def test_parameters_are_requested_in_as_few_calls_as_can_be(wanted: list[str], sizes: list[int]) -> None:
    assert list(map(len, names(planned_calls(list(map(parameter, wanted)))))) == sizes


def test_a_path_is_one_call_in_the_functions_region() -> None:
    (call,) = planned_calls([below("/app/")])
    assert (call.service.name, call.operation, call.region, call.params) == (
        "ssm",
        "GetParametersByPath",
        REGION,
        {"Path": "/app/", "Recursive": True, "WithDecryption": True, "MaxResults": 10},
    )


def loaded(reference: Reference, reply: object, *others: Reference) -> dict[str, tuple[str, str, str, str]]:
    """Text, source, version and region of each variable, where `others` were requested too."""
    found = values(reference, plan([reference, *others], REGION)[reference], {"Parameters": reply})
    return {name: (value.text, value.source, value.version, value.region) for name, value in found.items()}


OTHER, REQUESTED_TOO = entry("/other", "wrong"), parameter(arn("/other"), "B")


@pytest.mark.parametrize(
    ("target", "reply"),
    [
        pytest.param(arn("/a"), [OTHER, entry("/a")], id="ARN and name"),
        pytest.param(arn("/a"), [OTHER, {"Name": "/a", "Value": "value", "Version": 3}], id="no ARN"),
        pytest.param(arn("/a"), [OTHER, entry("/a", Name="a")], id="another name"),
        pytest.param(arn("/a"), [{"Name": "a", "Value": "value"}], id="a name without a slash"),
        pytest.param(arn("/a"), [OTHER, entry("/a", Name=arn("/a"))], id="the ARN as the name"),
        pytest.param(arn("/a:3"), [OTHER, entry("/a", Selector=":3")], id="version"),
        pytest.param(arn("/a:3"), [OTHER, entry("/a", Selector=":stable")], id="version, another selector"),
        pytest.param(arn("/a:stable"), [OTHER, entry("/a", Selector=":stable")], id="label"),
        pytest.param(arn("/a:stable"), [OTHER, entry("/a")], id="label without a selector"),
        pytest.param(arn("/a:3"), [OTHER, entry("/a")], id="version without a selector"),
        pytest.param(arn("/a"), [OTHER, entry("/a", Selector=None)], id="no selector"),
    ],
)
def test_a_parameter_is_found_by_arn_or_name(target: str, reply: list[dict[str, Any]]) -> None:
    found = loaded(parameter(target), reply, REQUESTED_TOO)
    assert {name: text for name, (text, *_) in found.items()} == {"A": "value"}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param(arn("/a"), entry("/b"), id="name and ARN"),
        pytest.param(arn("/a"), {"Name": "/b", "Value": MARKER}, id="name"),
        pytest.param(arn("/a"), entry("/a", ARN=arn("/a", account="111111111111")), id="account"),
        pytest.param(arn("/a"), entry("/a", ARN=arn("/a", region="eu-west-2")), id="Region"),
        pytest.param(arn("/a"), entry("/a", ARN=arn("/A")), id="case"),
        pytest.param(arn("/a"), entry("/a", Selector=":2"), id="a version where none was requested"),
        pytest.param(arn("//a"), {"Name": "/a", "Value": MARKER}, id="one slash for two"),
        pytest.param(arn("/a/b"), {"Name": "a/b", "Value": MARKER}, id="no slash before a hierarchy"),
        pytest.param(arn("/a:3"), entry("/a", Version=5), id="version"),
        pytest.param(arn("/a:3"), entry("/a", Version=None), id="no version"),
        pytest.param(arn("/a:3"), entry("/a", Version=5, Selector=":3"), id="version, its selector"),
        pytest.param(arn("/a:stable"), entry("/a", Selector=":latest"), id="label"),
    ],
)
@pytest.mark.parametrize("beside", [[], [OTHER]], ids=["alone", "beside another"])
def test_a_parameter_that_was_not_requested_is_a_failure_and_not_shown(
    target: str, found: dict[str, Any], beside: list[dict[str, Any]]
) -> None:
    message = "the reply contains a parameter, version or label that was not requested; " + CHECK
    assert refusal(parameter(target), {"Parameters": [found, *beside]}, REQUESTED_TOO) == (UNAVAILABLE, message)


def test_a_parameter_that_comes_twice_is_a_failure() -> None:
    message = f"the reply contains a parameter twice; {CHECK}"
    assert refusal(parameter(arn("/a")), {"Parameters": [entry("/a"), entry("/a", "2")]}) == (UNAVAILABLE, message)


@pytest.mark.parametrize("name", ["/b", "/app", "/application", "app/a", "/APP/a", "/b/app/a", ""])
def test_a_parameter_that_is_not_below_the_path_is_a_failure(name: str) -> None:
    message = f"the reply contains a parameter that is not below the path; {CHECK}"
    found = {"Parameters": [entry("/app/a"), entry(name)]}
    assert refusal(below("/app/"), found) == (UNAVAILABLE, message)


def test_two_accounts_parameters_of_one_name_are_requested_apart() -> None:
    # Shared parameters (by AWS RAM): a reply without ARNs would not tell them apart.
    theirs = [parameter(arn("/a", account=account)) for account in ("111111111111", "222222222222")]
    assert names(planned_calls(theirs)) == [[reference.target] for reference in theirs]


def test_a_value_tells_parameter_version_and_region() -> None:
    actual = loaded(parameter(arn("/a:stable"), "NAME"), [entry("/a", Version=7)])
    assert actual == {"NAME": ("value", "/a", "7", "eu-west-1")}


CHECK = "check that the endpoint is Systems Manager"


def refusal(reference: Reference, reply: dict[str, Any], *others: Reference) -> tuple[object, str]:
    with pytest.raises(EntrypointError) as caught:
        values(reference, plan([reference, *others], REGION)[reference], reply)
    return caught.value.kind, str(caught.value)


NOT_FOUND = "no such parameter, version or label"


@pytest.mark.parametrize(
    ("reference", "reply", "expected"),
    [
        *((parameter(arn("/a")), reply, NOT_FOUND) for reply in ([], [OTHER])),
        (below("/app/"), [], "no parameter below this path"),
    ],
)
def test_what_is_not_in_the_reply_is_not_found(
    reference: Reference, reply: list[dict[str, Any]], expected: str
) -> None:
    actual = refusal(reference, {"Parameters": reply}, REQUESTED_TOO)
    assert actual == (PARAMETER_NOT_FOUND, f"ParameterNotFound: {expected}")


@pytest.mark.parametrize(
    ("path", "name", "variable"),
    [
        *(("/app/prod/", "/app/prod/db-1/user.name", "DB_1_USER_NAME"), ("/app/", "/app/Some_UPPER", "SOME_UPPER")),
        *(("/app/", "/app/1", "1"), ("/", "/app/user", "APP_USER"), ("/", "without-slash", "WITHOUT_SLASH")),
    ],
)
def test_what_follows_the_path_makes_the_name(path: str, name: str, variable: str) -> None:
    assert loaded(below(path), [entry(name)]) == {variable: ("value", name, "3", "eu-west-1")}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["/app/a-b", "/app/a_b"], "/app/a-b and /app/a_b map to the same variable, APP_A_B"),
        (["/a/b", "/a.b"], "/a/b and /a.b map to the same variable, A_B"),
        (["/User", "/user"], "/User and /user map to the same variable, USER"),
        (["/a", "/A", "/b", "/B"], "/a and /A map to the same variable, A; /b and /B map to the same variable, B"),
    ],
)
def test_parameters_that_map_to_one_variable_are_refused(names: list[str], expected: str) -> None:
    assert refusal(below("/"), {"Parameters": [entry("/fine"), *map(entry, names)]}) == (INVALID_SECRET, expected)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        *({"Parameters": found} for found in (None, {"Name": "/a", "Value": MARKER}, MARKER, [MARKER])),
        *({"Parameters": [found]} for found in ({"Name": "/a"}, {"Value": MARKER}, {"Name": "/a", "Value": [MARKER]})),
        *({"Parameters": found} for found in ([{"Name": ["/a"], "Value": MARKER}], [entry("/a", MARKER), None])),
        *({"Parameters": [entry("/a", MARKER, Version=version)]} for version in (True, "3", 3.0)),
        *({"Parameters": [entry("/a", MARKER, **{field: 3})]} for field in ("ARN", "Selector")),
    ],
)
@pytest.mark.parametrize("reference", [parameter(arn("/a")), below("/")], ids=["parameter", "path"])
def test_a_reply_of_another_service_is_refused_and_not_shown(reference: Reference, reply: dict[str, Any]) -> None:
    assert refusal(reference, reply) == (
        UNAVAILABLE,
        "the reply contains no valid list of parameters; check that the endpoint is Systems Manager",
    )


def test_what_cannot_be_a_variable_is_refused() -> None:
    problem = 'variable "_HANDLER": Lambda reserves this name to describe the runtime; rename it'
    assert refusal(below("/"), {"Parameters": [entry("/_handler")]}) == (INVALID_SECRET, problem)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([MARKER, "/a", "A", arn("/a"), ":1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Name", "Value", "ARN", "Selector", "Version", "Parameters"]), inner, max_size=5
        )
    ),
    max_leaves=15,
)


@given(
    st.dictionaries(st.sampled_from(["Parameters", "NextToken"]), json_values)
    | st.lists(st.fixed_dictionaries({"Name": json_values, "Value": json_values})).map(
        lambda found: {"Parameters": found}
    ),
    st.sampled_from([parameter(arn("/a")), parameter(arn("/a:1")), below("/")]),
)
def test_whatever_a_reply_holds_it_is_read_or_refused(reply: dict[str, Any], reference: Reference) -> None:
    shown = ""
    try:
        values(reference, plan([reference], REGION)[reference], reply)
    except EntrypointError as error:
        shown = "".join(format_exception(error))
    # A parameter's name may be told, a value not.
    assert "Value" not in shown
