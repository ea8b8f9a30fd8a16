"""Graphs as pictures: one edge for each thing that flows."""

from __future__ import annotations

from tests.specs_for_tests import Shop

from penstock.compiler import plan
from penstock.drawing import dot, mermaid, nodes_and_edges


def test_what_is_bound_twice_is_one_edge(shop: Shop) -> None:
    graph = plan(
        shop.write("""
            datasets: {d: {type: file}}
            steps:
              make: {run: "echo > ${{ outputs.o }}; echo > ${{ outputs.p }}", outputs: {o: file, p: file}}
              use:
                run: "cat ${{ inputs.a }} ${{ inputs.b }} ${{ inputs.c }} ${{ inputs.e }} ${{ inputs.f }}"
                inputs:
                  a: ${{ datasets.d }}
                  b: ${{ datasets.d }}
                  c: ${{ steps.make.outputs.o }}
                  e: ${{ steps.make.outputs.o }}
                  f: ${{ steps.make.outputs.p }}
        """)
    ).usable

    edges = [(each["from"], each["to"], each["label"]) for each in nodes_and_edges(graph)["edges"]]

    wanted = [
        ("dataset_d", "step_use", ""),
        ("step_make", "step_use", "o"),
        ("step_make", "step_use", "p"),
    ]
    assert edges == wanted
    assert mermaid(graph).count("-->") == dot(graph).count("->") == 3
