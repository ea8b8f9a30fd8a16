"""The check against botocore's own parameter validator, and against documents that nobody would write."""

import copy
import json
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation import Problem, validate
from penstock_aws.sagemaker.validation.findings import is_expression, is_list, is_object
from penstock_aws.sagemaker.validation.patterns import matcher
from penstock_aws.sagemaker.validation.placeholders import sample
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

Path_ = tuple[str | int, ...]
DEFINITIONS = Path(__file__).parent / "definitions"
GOOD = {
    name: json.loads((DEFINITIONS / f"{name}.json").read_text("utf-8")) for name in ("gated", "every_type")
}


def all_steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from all_steps(step["Arguments"]["IfSteps"])
            yield from all_steps(step["Arguments"]["ElseSteps"])


JOBS = [
    step
    for good in GOOD.values()
    for step in all_steps(good["Steps"])
    if step["Type"] in STEP_TYPES and STEP_TYPES[step["Type"]].operation
]


class Oracle:
    """botocore's ParamValidator, given what it wants: a request without expressions, with the job's name."""

    def __init__(self) -> None:
        pytest.importorskip("botocore")
        self.model: Any = import_module("botocore.session").get_session().get_service_model("sagemaker")
        self.validator: Any = import_module("botocore.validate").ParamValidator()

    def rejects(self, step_type: str, arguments: Any) -> str:
        row = STEP_TYPES[step_type]
        shape = self.model.operation_model(row.operation).input_shape
        request = plain(arguments, shape)
        if row.generated and is_object(request):
            request.setdefault(row.generated, "name")
        report: str = self.validator.validate(request, shape).generate_report()
        return report


def plain(value: Any, shape: Any) -> Any:
    """Put a dummy of the right type in place of every expression."""
    kind: str = shape.type_name
    if is_expression(value):
        dummies: dict[str, Any] = {
            "integer": 1,
            "long": 1,
            "float": 1.0,
            "boolean": True,
            "list": [],
            "map": {},
            "structure": {},
        }
        return dummies.get(kind, "x" * 40)
    if is_object(value) and kind == "structure":
        known = shape.members
        return {key: plain(each, known[key]) if key in known else each for key, each in value.items()}
    if is_object(value) and kind == "map":
        return {key: plain(each, shape.value) for key, each in value.items()}
    if is_list(value) and kind == "list":
        return [plain(each, shape.member) for each in value]
    return sample(value) if isinstance(value, str) else value


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    if len(path) > 40:
        return
    if is_object(value):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif is_list(value):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


def holder(document: Any, path: Path_) -> Any:
    for part in path:
        document = document[part]
    return document


def mutants(arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the Arguments with one thing wrong, at every place: another type, an empty one, one more, one less."""
    for path in list(places(arguments))[1:]:
        if any(str(part) in ("Get", "Std:Join", "Std:JsonGet") for part in path):
            continue
        for value in (None, 0, -1, 1.5, True, "", "x", [], ["x"], {}, {"Nothing": 1}):
            changed = copy.deepcopy(arguments)
            holder(changed, path[:-1])[path[-1]] = value
            yield f"{path} = {value!r}", changed
        changed = copy.deepcopy(arguments)
        del holder(changed, path[:-1])[path[-1]]
        yield f"without {path}", changed


@pytest.mark.sampled(4, rest="exhaustive")
@pytest.mark.parametrize("step", JOBS, ids=lambda step: f"{step['Type']}-{step['Name']}")
def test_whatever_botocore_rejects_is_an_error_here(step: dict[str, Any]) -> None:
    oracle = Oracle()
    assert oracle.rejects(step["Type"], step["Arguments"]) == ""

    rejected, missed = 0, list[str]()
    for what, arguments in mutants(step["Arguments"]):
        report = oracle.rejects(step["Type"], arguments)
        if report:
            rejected += 1
            # The step stands alone, so references lead nowhere: only findings about shapes count.
            alone = {"Version": "2020-12-01", "Steps": [{**step, "Arguments": arguments}]}
            if not any(each.code in ("P390", "P393") and not each.warning for each in validate(alone)):
                missed.append(f"{what}: {report}")

    assert missed == []
    assert rejected > 10


def test_every_pattern_answers_hostile_text_at_once() -> None:
    hostile = [
        *(
            "a" * 3000,
            "a " * 1500 + "\u2028",
            "-" * 3000,
            "a-" * 1500 + "!",
            "s3://" + "/" * 3000 + "\n",
            "é" * 3000,
        ),
        *(
            "arn:aws" + "a-" * 1500,
            "arn:aws:sagemaker:us-east-1:111122223333:" + "a/" * 1500 + "\n",
            " " * 3000,
        ),
        *("0." * 1500, "mig-1g.1gb" + "+1gb-" * 700 + "!", "\x00" * 3000, "\ud800" * 3000),
    ]
    patterns = {shape["pattern"] for shape in load().shapes.values() if "pattern" in shape}

    started = time.process_time()
    for pattern in patterns:
        for text in hostile:
            matcher(pattern)(text)

    # A thousand matches take some tens of milliseconds; one that backtracks would not come back.
    assert time.process_time() - started < 5


SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
HOSTILE = (
    *(
        "<<role>>",
        "<<",
        "$(touch x)",
        "\x00",
        "\ud800",
        "a'b\"c",
        "\u2028",
        "x" * 3000,
        "'] [",
        "Steps.prepare",
    ),
    *("Steps.train.A['", "Parameters.", "Execution.", -(10**400), 2**63, float("nan"), float("inf")),
)


def get(text: Any) -> Any:
    return {"Get": text}


def join(values: list[Any], on: Any) -> Any:
    return {"Std:Join": {"On": on, "Values": values}}


def json_get(body: Any) -> Any:
    return {"Std:JsonGet": body}


def other_expression(name: str, body: Any) -> Any:
    return {f"Std:{name}": body}


def huge(digits: int) -> Any:
    return 10**digits


def containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inside) | st.dictionaries(st.text(max_size=5), inside)


SCALARS: st.SearchStrategy[Any] = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(HOSTILE)),
    # Longer than Python writes out; made when drawn, since the strategy itself has to be printable.
    st.builds(huge, st.just(5000)),
)
JSON_GETS = st.dictionaries(st.sampled_from(["PropertyFile", "S3Uri", "Path", "x"]), SCALARS)
EXPRESSIONS: st.SearchStrategy[Any] = st.one_of(
    st.builds(get, SCALARS),
    st.builds(join, st.lists(SCALARS, max_size=3), SCALARS),
    st.builds(json_get, JSON_GETS),
    st.builds(other_expression, st.text(max_size=3), SCALARS),
)


def nested(levels: int, kind: str) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {
            "list": [value],
            "object": {"a": value},
            "join": {"Std:Join": {"On": "", "Values": [value]}},
            "not": {"Type": "Not", "Condition": value},
            "if": {"Name": "c", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [value]}},
        }[kind]
    return value


VALUES: st.SearchStrategy[Any] = st.one_of(
    SCALARS,
    EXPRESSIONS,
    st.builds(
        nested, st.sampled_from([3, 60, 400, 5000]), st.sampled_from(["list", "object", "join", "not", "if"])
    ),
    st.recursive(SCALARS, containers, max_leaves=5),
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Take a good definition and spoil it in one to four places."""
    document: dict[str, Any] = copy.deepcopy(GOOD[draw(st.sampled_from(sorted(GOOD)))])
    for _ in range(draw(st.integers(1, 4))):
        paths = list(places(document))[1:]
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        inside = holder(document, path[:-1])
        match draw(st.sampled_from(["delete", "set", "add", "repeat"])):
            case "delete":
                del inside[path[-1]]
            case "add" if is_object(inside):
                inside[draw(st.text(max_size=10))] = draw(VALUES)
            case "repeat" if is_list(inside):
                holder(document, path[:-2])[path[-2]] = [*inside, *inside]
            case _:
                inside[path[-1]] = draw(VALUES)
    return document


def stands(problem: Problem, document: Any) -> bool:
    try:
        holder(document, problem.path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


@settings(max_examples=examples(150), deadline=None, suppress_health_check=SLOW)
@given(mutated())
def test_a_spoilt_definition_gives_problems_and_never_an_exception(document: dict[str, Any]) -> None:
    problems = validate(document)

    for problem in problems:
        assert problem.code in ("P390", "P391", "P392", "P393")
        assert stands(problem, document), problem
        assert problem.message and len(problem.message) < 4000
        assert not problem.message.endswith(".")
        assert "\n" not in problem.message


@settings(max_examples=examples(60), deadline=None, suppress_health_check=SLOW)
@given(
    st.dictionaries(
        st.sampled_from(["Version", "Parameters", "Steps", "Metadata", "MlflowConfig", "x"]), VALUES
    )
)
def test_a_document_of_anything_is_answered(document: dict[str, Any]) -> None:
    assert all(stands(problem, document) for problem in validate(document))


@pytest.mark.parametrize("kind", ["list", "object", "join", "not", "if"])
def test_nesting_beyond_what_is_followed_is_a_problem_of_its_own(kind: str) -> None:
    document = copy.deepcopy(GOOD["gated"])
    arguments = document["Steps"][3]["Arguments"]
    match kind:
        case "if":
            arguments["IfSteps"].append(nested(100, kind))
        case "not":
            arguments["Conditions"].append(nested(100, kind))
        case "join":
            arguments["ElseSteps"][0]["Arguments"]["ErrorMessage"] = nested(100, kind)
        case _:
            document["Steps"].append({"Name": "each", "Type": "ForEach", "Arguments": nested(900, kind)})

    assert any(problem.code == "P393" and "nest" in problem.message for problem in validate(document))


def chain(length: int, *, spoilt: bool = False) -> dict[str, Any]:
    """Give a definition of Processing steps, each reading what the one before it wrote."""
    steps: list[dict[str, Any]] = []
    for number in range(length):
        step = copy.deepcopy(GOOD["gated"]["Steps"][0])
        step["Name"] = f"step-{number}"
        if number:
            source = f"Steps.step-{number - 1}.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"
            step["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"] = {"Get": source}
        if spoilt:
            step["DependsOn"] = [f"stpe-{number}"]
            step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = f"ml.m5.xlrge{number}"
            step["Arguments"]["RoleAr"] = {"Get": f"Parameters.x{number}"}
        steps.append(step)
    return {**GOOD["gated"], "Steps": steps}


def seconds(document: dict[str, Any]) -> float:
    def once() -> float:
        started = time.process_time()
        validate(document)
        return time.process_time() - started

    return min(once() for _ in range(3))


@pytest.mark.slow
def test_ten_times_the_steps_take_about_ten_times_as_long() -> None:
    short, long = chain(200), chain(2000)
    assert all(problem.warning for problem in validate(short))

    assert seconds(long) < 25 * seconds(short)


def test_a_long_definition_full_of_slips_is_still_answered_soon() -> None:
    document = chain(1000, spoilt=True)

    started = time.process_time()
    problems = validate(document)

    assert len(problems) >= 3000
    assert time.process_time() - started < 5
