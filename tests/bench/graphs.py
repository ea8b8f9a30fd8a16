"""The graphs that are measured: a spec, and the Makefile of the same steps with the same recipes.

Each step's command differs from every other's: equal steps are one step to a content-addressed cache.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SHAPES = ("chain", "fan")
"""`chain`: each step needs the one before. `fan`: all steps need the first, and the last needs all."""


def _needs(shape: str, number: int, steps: int) -> list[int]:
    if number == 0:
        return []
    if shape == "chain":
        return [number - 1]
    return list(range(1, number)) if number == steps - 1 and steps > 2 else [0]


def recipe(number: int, out: str, needs: str) -> str:
    """Give the command of one step: it names what it needs, starts an interpreter, and makes one file."""
    return f": step {number} {needs}; python3 -I -S -c pass; touch {out}"


def write_spec(folder: Path, shape: str, steps: int) -> Path:
    """Write `pipeline.yaml`: a file from step to step."""
    lines = ["penstock: v1", "kind: pipeline", f"name: {shape}", "steps:"]
    for number in range(steps):
        needs = _needs(shape, number, steps)
        words = " ".join(f"${{{{ inputs.i{each} }}}}" for each in needs)
        lines += [f"  s{number}:", f"    run: '{recipe(number, '${{ outputs.out }}', words)}'"]
        if needs:
            lines.append("    inputs:")
            lines += [f'      i{each}: "${{{{ steps.s{each}.outputs.out }}}}"' for each in needs]
        lines.append("    outputs: {out: file}")
    lines.append(f'outputs: {{out: "${{{{ steps.s{steps - 1}.outputs.out }}}}"}}')
    return _write(folder, "pipeline.yaml", lines)


def write_makefile(folder: Path, shape: str, steps: int, shell: str = "") -> Path:
    """Write `Makefile`; `shell` replaces `/bin/sh -c`."""
    lines = [".PHONY: all", f"all: s{steps - 1}"]
    if shell:
        lines = [f"SHELL = {shell.split()[0]}", f".SHELLFLAGS = {' '.join(shell.split()[1:])}", *lines]
    for number in range(steps):
        needs = " ".join(f"s{each}" for each in _needs(shape, number, steps))
        lines += [f"s{number}: {needs}".rstrip(), f"\t@{recipe(number, '$@', '$^')}"]
    return _write(folder, "Makefile", lines)


def write_subprocess_loop(folder: Path, steps: int) -> Path:
    """Write `loop.py`: the same commands by `subprocess.run`, with nothing kept and nothing checked."""
    lines = [
        "import subprocess",
        f"for number in range({steps}):",
        "    command = f': step {number}; python3 -I -S -c pass; touch s{number}'",
        "    subprocess.run(['bash', '-euo', 'pipefail', '-c', command], check=True)",
    ]
    return _write(folder, "loop.py", lines)


def write_pipeline(folder: Path, steps: int) -> Path:
    """Write a spec of the kind that goes to a cloud: code, environment, parameters, folders, metrics."""
    code = folder / "src"
    code.mkdir(parents=True, exist_ok=True)
    (code / "step.py").write_text("print('a step')\n", encoding="utf-8")
    (folder / "cells.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    lines = [
        "penstock: v1",
        "kind: pipeline",
        "name: wide-pipeline",
        "parameters:",
        "  depth: {type: integer, default: 4, minimum: 1, maximum: 16}",
        "datasets:",
        "  cells: {type: file, path: cells.csv}",
        "environments:",
        '  sklearn: {python: ">=3.11", packages: [scikit-learn==1.8.0]}',
        "defaults: {environment: sklearn, compute: {cpu: 2, memory: 8GiB}}",
        "steps:",
    ]
    for number in range(steps):
        lines += [
            f"  s{number}:",
            f"    run: python step.py {number} --data ${{{{ inputs.data }}}} --depth ${{{{ inputs.depth }}}}"
            f"{' --before ${{ inputs.before }}' if number else ''}"
            " --made ${{ outputs.made }} --report ${{ outputs.report }}",
            "    code: src",
            "    inputs:",
            f'      data: "${{{{ {f"steps.s{number - 1}.outputs.made" if number else "datasets.cells"} }}}}"',
            '      depth: "${{ parameters.depth }}"',
        ]
        if number:
            lines.append(f'      before: "${{{{ steps.s{number - 1}.outputs.report }}}}"')
        lines.append("    outputs: {made: folder, report: metrics}")
    last = f"steps.s{steps - 1}.outputs"
    lines.append(f'outputs: {{made: "${{{{ {last}.made }}}}", report: "${{{{ {last}.report }}}}"}}')
    return _write(folder, "pipeline.yaml", lines)


def forget(folder: Path, *names: str) -> None:
    """Take away what runs left in a folder: `.penstock`, and files by name."""
    shutil.rmtree(folder / ".penstock", ignore_errors=True)
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _write(folder: Path, name: str, lines: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_map(folder: Path, items: int) -> Path:
    """Write a spec with one map over so many whole numbers, and a step that reads what they made."""
    return _write(
        folder,
        "pipeline.yaml",
        [
            "penstock: v1",
            "name: wide-map",
            "steps:",
            "  each:",
            "    kind: map",
            f"    over: {{range: {items}}}",
            "    parallel: 8",
            "    run: echo ${{ item }} > ${{ outputs.square }}",
            "    outputs: {square: file}",
            "  total:",
            "    run: cat ${{ inputs.squares }}/*/square > ${{ outputs.all }}",
            '    inputs: {squares: "${{ steps.each.outputs.square }}"}',
            "    outputs: {all: file}",
            'outputs: {all: "${{ steps.total.outputs.all }}"}',
        ],
    )
