"""A job of control flow: a condition, a loop over items, a loop as long as its body says so."""

from __future__ import annotations

from typing import Any

from tests.generated.azureml.commands import PLAIN, job, settings

FLOWS: dict[str, dict[str, Any]] = {
    "job.yml": job(
        {
            "ask": {"type": "command", "component": "./ask.yml", "inputs": {"word": "true"}},
            "choose": {
                "type": "if_else",
                "condition": "${{parent.jobs.ask.outputs.flag}}",
                "true_block": "${{parent.jobs.yes}}",
                "false_block": "${{parent.jobs.no}}",
            },
            "yes": {"type": "command", "command": "echo yes", "environment": PLAIN},
            "no": {"type": "command", "command": "echo no", "environment": PLAIN},
            "each": {
                "type": "parallel_for",
                "body": "${{parent.jobs.one}}",
                "items": [{"word": "a"}, {"word": "c"}],
                "max_concurrency": 2,
                "outputs": {"out": {"type": "mltable"}},
            },
            "one": settings(
                type="command", comment="prose", component="./one.yml", inputs={"word": "hello", "more": 3}
            ),
            "gather": {
                "type": "command",
                "command": "ls -R ${{inputs.d}} | grep -v :",
                "inputs": {"d": "${{parent.jobs.each.outputs.out}}"},
                "environment": PLAIN,
            },
            "again": {
                "type": "do_while",
                "body": "${{parent.jobs.count}}",
                "condition": "more",
                "mapping": {"next": ["n"]},
                "limits": {"max_iteration_count": 3},
            },
            "count": {"type": "command", "component": "./count.yml", "inputs": {"n": 0}},
        }
    ),
    "ask.yml": {
        "type": "command",
        "name": "ask",
        "command": "echo ${{inputs.word}} > ${{outputs.flag}}",
        "environment": PLAIN,
        "inputs": {"word": {"type": "string"}},
        "outputs": {"flag": {"type": "boolean", "is_control": True}},
    },
    "one.yml": {
        "type": "command",
        "name": "one",
        "command": "echo ${{inputs.word}} ${{inputs.more}} > ${{outputs.out}}/w",
        "environment": PLAIN,
        "inputs": {"word": {"type": "string"}, "more": {"type": "integer"}},
        "outputs": {"out": {"type": "uri_folder"}},
    },
    "count.yml": {
        "type": "command",
        "name": "count",
        "command": "n=$(( ${{inputs.n}} + 1 )); echo $n; echo $n > ${{outputs.next}}"
        "; [ $n -lt 2 ] && echo true > ${{outputs.more}} || echo false > ${{outputs.more}}",
        "environment": PLAIN,
        "inputs": {"n": {"type": "integer", "default": 0}},
        "outputs": {
            "next": {"type": "integer", "is_control": True},
            "more": {"type": "boolean", "is_control": True},
        },
    },
}
