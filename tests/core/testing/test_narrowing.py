from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.testing.probe_for_tests import PIPELINE, suite_of
from tests.effort_for_tests import examples

from penstock import discovery
from penstock.codec import decode_graph, encode
from penstock.compiler import Plan, compile_plan
from penstock.diagnostics import has_errors
from penstock.expressions.nodes import DatasetRef, MetricRef, OutputRef, ParameterRef
from penstock.files import Files
from penstock.ir import Command, Graph
from penstock.loader import load_source
from penstock.passes import run_passes
from penstock.passes.build_graph import build_graph
from penstock.runtime.hashing import StatIndex
from penstock.snapshot import take_snapshot
from penstock.source import Source
from penstock.testing.narrowing import Lacking, narrow, outputs_of, references


def graph_of(text: str) -> Graph:
    spec = load_source(Source.from_text(text)).spec
    assert spec is not None
    graph, found = build_graph(spec)
    assert not found
    graph, found = run_passes(graph)
    assert not [each for each in found if each.severity == "error"], found
    return graph


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """Draw a pipeline of up to eight steps, each reading earlier ones, some under a condition, some after others."""
    size = draw(st.integers(1, 8))
    lines = [
        "penstock: v1",
        "kind: pipeline",
        "name: drawn",
        "parameters: {floor: {type: number, default: 1}}",
        "datasets: {d: {type: folder, path: .}}",
        "steps:",
    ]
    for number in range(size):
        before = list(range(number))
        bound, waits, guarded = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
        read = draw(st.lists(st.sampled_from(before or [0]), unique=True, max_size=min(3, number)))
        inputs = [f'i{each}: "${{{{ steps.s{each}.outputs.f }}}}"' for each in read]
        inputs += ['d: "${{ datasets.d }}"'] if bound else []
        lines += [
            f"  s{number}:",
            "    run: 'true'",
            f"    inputs: {{{', '.join(inputs)}}}",
            "    outputs: {f: folder, m: metrics}",
        ]
        if before and waits:
            lines.append(f"    after: [s{draw(st.sampled_from(before))}]")
        if before and guarded:
            judge = draw(st.sampled_from(before))
            lines.append(f"    when: ${{{{ steps.s{judge}.outputs.m.x > parameters.floor }}}}")
    return "\n".join(lines)


@settings(max_examples=examples(60), deadline=None)
@given(pipelines(), st.data())
def test_what_remains_is_whole_or_what_is_lacking_is_named(text: str, data: st.DataObject) -> None:
    graph = graph_of(text)
    names = [step.name for step in graph.steps]
    steps = set(data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))

    _, lacking = narrow(graph, steps, {})
    wanted = {(each.step, each.output): "/given" for each in lacking}
    narrowed, still = narrow(graph, steps, wanted)

    assert not still
    assert {each.name for each in narrowed.steps} == steps | {step for step, _ in wanted}
    read = set(references([narrowed.steps, narrowed.conditions]))
    made = {(step.name, name) for step in narrowed.steps for name in outputs_of(step)}
    assert {(each.step, each.output) for each in read if isinstance(each, OutputRef | MetricRef)} <= made
    assert {each.name for each in read if isinstance(each, DatasetRef)} == set(narrowed.datasets)
    assert {each.name for each in read if isinstance(each, ParameterRef)} <= set(narrowed.parameters)
    seen: set[str] = set()
    for step in narrowed.steps:
        assert set(step.needs) <= seen and set(step.after) <= seen
        assert {guard.condition for guard in step.guards} <= set(narrowed.conditions)
        seen.add(step.name)
    assert decode_graph(encode(narrowed)) == narrowed


@settings(max_examples=30, deadline=None)
@given(pipelines())
def test_all_steps_are_the_pipeline_itself(text: str) -> None:
    graph = graph_of(text)

    narrowed, lacking = narrow(graph, {step.name for step in graph.steps}, {})

    assert not lacking
    assert narrowed.steps == graph.steps
    assert narrowed.conditions == graph.conditions


PROBE = graph_of(PIPELINE)


def test_a_condition_that_cannot_be_decided_is_lacking_what_it_reads() -> None:
    _, lacking = narrow(PROBE, {"publish"}, {("split", "parts"): "/given"})

    assert lacking == [Lacking("judge", "report", "publish", "fine")]


def test_a_stand_in_has_the_outputs_that_are_given_and_no_others(tmp_path: Path) -> None:
    given_ = {("split", "parts"): str(tmp_path), ("judge", "report"): str(tmp_path / "r.json")}

    graph, _ = narrow(PROBE, {"publish"}, given_)

    assert [step.name for step in graph.steps] == ["split", "judge", "publish"]
    split = graph.step("split")
    assert isinstance(split, Command) and not split.cache.enabled and not split.guards
    assert outputs_of(split) == outputs_of(PROBE.step("split"))
    assert graph.datasets["given_split_parts"].path == str(tmp_path)
    assert graph.step("publish").guards == PROBE.step("publish").guards
    assert graph.outputs == PROBE.outputs
    assert graph.goal == PROBE.goal


def test_kpis_and_outputs_of_what_does_not_run_are_left_out() -> None:
    graph, _ = narrow(PROBE, {"split"}, {})

    assert [step.name for step in graph.steps] == ["split"]
    assert graph.goal is not None and graph.goal.kpis == ()
    assert graph.outputs == {} and graph.conditions == {}


INHERITED = """\
penstock: v1
kind: pipeline
name: inherited
parameters: {go: {type: boolean, default: true}}
conditions: {wanted: "${{ parameters.go }}"}
steps:
  first: {run: "true", when: "${{ conditions.wanted }}", outputs: {f: file}}
  second: {run: "true", inputs: {g: "${{ steps.first.outputs.f }}"}, outputs: {f: file}}
  third: {run: "true", when: "${{ conditions.wanted }}", inputs: {g: "${{ steps.second.outputs.f }}"}}
"""


@pytest.mark.parametrize(("step", "written", "guarded"), [("second", "", False), ("third", "wanted", True)])
def test_the_condition_of_a_step_that_is_given_is_not_inherited(
    step: str, written: str, guarded: bool
) -> None:
    graph = graph_of(INHERITED)
    producer = graph.step(step).needs[-1]
    whens = {step: f"${{{{ conditions.{written} }}}}"} if written else {}

    narrowed, lacking = narrow(graph, {step}, {(producer, "f"): "/given"}, whens)

    assert not lacking
    assert bool(narrowed.step(step).guards) is guarded
    assert bool(narrowed.conditions) is guarded


def test_names_that_are_taken_are_left_alone() -> None:
    text = PIPELINE.replace(
        "datasets:\n", "datasets:\n  given_split_parts: {type: folder, path: .}\n"
    ).replace(
        'inputs: {parts: "${{ steps.split.outputs.parts }}"}\n    outputs: {page: file}',
        'inputs: {parts: "${{ steps.split.outputs.parts }}", g: "${{ datasets.given_split_parts }}"}\n'
        "    outputs: {page: file}",
    )

    graph, _ = narrow(graph_of(text), {"publish"}, {("split", "parts"): "/a", ("judge", "report"): "/b"})

    assert graph.datasets["given_split_parts"].path == "."
    assert graph.datasets["given_split_parts_2"].path == "/a"


@pytest.mark.parametrize("target", sorted(discovery.targets()))
def test_stand_ins_compile_for_every_target(target: str, tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
        it:
          steps: [publish, stop]
          given: {split.parts: fixtures/parts, judge.report: fixtures/report.json}
          expect: {run: succeeded}
        """,
    )
    assert suite.plan is not None
    files = Files(tmp_path, StatIndex(None))
    graph, missing = take_snapshot(suite.selections["it"].graph, files)
    assert not missing

    bundle = compile_plan(Plan(suite.plan.source, tmp_path, graph, ()), target)

    assert not has_errors(bundle.diagnostics)
    assert {"split", "judge"} <= {each.name for each in graph.steps}
