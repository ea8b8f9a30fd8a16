"""`penstock runs`: what ran, what it made, and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from penstock.cli.display import MARKS, seconds, verdicts
from penstock.cli.output import json_option, print_json
from penstock.runtime.records import RunRecord, StepRecord

if TYPE_CHECKING:
    from penstock.runtime.results import Run


@click.group("runs")
def command() -> None:
    """List and look at runs of this project."""


@command.command("list")
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True)
@click.option("--pipeline", metavar="NAME", default="", help="Only this pipeline's.")
@json_option
def list_runs(limit: int, pipeline: str, as_json: bool) -> None:
    """List runs, the newest first."""
    from penstock.runtime.ledger import Ledger
    from penstock.runtime.project import find_project

    runs: list[tuple[RunRecord, float]] = []
    place = find_project(Path.cwd()).ledger
    # Before the first run there is no ledger, and no runs are what there is to list.
    if place.exists():
        with Ledger.open(place, create=False) as ledger:
            runs = [(each, ledger.spent(each)) for each in ledger.runs(limit, pipeline=pipeline)]
    if as_json:
        print_json([{**each.to_json(), "seconds": spent} for each, spent in runs])
        return
    if not runs:
        click.echo("no runs yet")
    for each, spent in runs:
        length = seconds(spent)
        met = sum(bool(kpi["met"]) for kpi in each.kpis)
        goal = f"  KPIs {met}/{len(each.kpis)}" if each.kpis else ""
        where = f" by {each.remote['profile']} (remote)" if each.remote else ""
        click.echo(
            f"{each.id}  {each.status:<11}  {length:>10}  {each.pipeline}  on {each.target}{where}{goal}"
        )


@command.command("show")
@click.argument("run", default="last")
@json_option
def show(run: str, as_json: bool) -> None:
    """Show RUN: states, times, parameters, metrics, KPI verdicts, and what each artifact came from."""
    from penstock.running import load_run

    found = load_run(run)
    if as_json:
        print_json(run_json(found))
        return
    record = found.record
    click.echo(f"run {record.id}: {record.pipeline} {record.version}".rstrip() + f" on {record.target}")
    length = f"{'under way for' if record.ended is None else 'took'} {seconds(found.seconds)}"
    spec = f"spec {record.spec}; " if record.spec else ""
    click.echo(f"  {_status(record)}; {spec}started {_clock(record.started)}, {length}")
    if record.remote:
        click.echo(f"  remote, by profile {record.remote['profile']}")
    for name, value in record.remote.get("shown", {}).items():
        click.echo(f"  {name} {value}")
    if record.details.get("sandbox"):
        click.echo(f"  sandbox: {record.details['sandbox']}")
    for name, value in record.parameters.items():
        click.echo(f"  parameter {name} = {value}")
    for name, each in record.datasets.items():
        digest = f"  ({each['digest'][:12]})" if each["digest"] else ""
        click.echo(f"  dataset {name} = {each['path']}{digest}")
    click.echo()
    for step in found.steps.values():
        _show_step(step)
    _show_lines(verdicts(record))


@command.command("logs")
@click.argument("run", default="last")
@click.argument("step", default="")
@json_option
def logs(run: str, step: str, as_json: bool) -> None:
    """Print what STEP of RUN printed; without STEP, every step's log in turn.

    A search has a log for each trial: 'STEP[NUMBER]' names one, STEP all of them.
    """
    from penstock.errors import RunError
    from penstock.running import load_run

    found = load_run(run)
    known = dict(_logs(found))
    if step and step not in known:
        from penstock.diagnostics import error
        from penstock.suggest import nearest

        hint = nearest(step, known, "steps")
        raise RunError([error("P418", f"run {found.id} has no step '{step}'", hint=hint)])
    home = found.folder.parent.parent
    wanted = {
        name: home / log for name, log in known.items() if log and step in ("", name, name.partition("[")[0])
    }
    if as_json:
        print_json([{"step": name, "path": str(path), "text": _text(path)} for name, path in wanted.items()])
        return
    for name, path in wanted.items():
        if name != step:
            click.secho(f"==> {name}", bold=True)
        _copy(path)


@command.command("diff")
@click.argument("first")
@click.argument("second", default="last")
@json_option
def diff(first: str, second: str, as_json: bool) -> None:
    """Tell what differs between two runs: parameters, data, steps and why they ran, metrics, KPIs."""
    from penstock.running import load_run

    one, two = load_run(first), load_run(second)
    rows = list(_differences(one, two))
    if as_json:
        print_json([{"what": what, "first": old, "second": new} for what, old, new in rows])
        return
    click.echo(f"{one.id} → {two.id}")
    if not rows:
        click.echo("  no differences")
    for what, old, new in rows:
        click.echo(f"  {what}: {_plain(old)} → {_plain(new)}")


def show_end(ctx: click.Context, run: Run, as_json: bool) -> None:
    """Print how a run ended, and leave with the exit code that says so, also where nobody reads any more."""
    with suppress(BrokenPipeError):
        if as_json:
            print_json(run_json(run))
        else:
            show_summary(run)
    ctx.exit(0 if run.succeeded else 1)


def run_json(run: Run) -> dict[str, Any]:
    """Give the form that `--json` prints for one run."""
    return {
        **run.record.to_json(),
        "seconds": run.seconds,
        "steps": [each.to_json() for each in run.steps.values()],
    }


def show_summary(run: Run) -> None:
    """Print how a run ended: verdicts, and where to look next."""
    record = run.record
    click.echo()
    for each in run.steps.values():
        if each.kind == "register" and each.status == "succeeded":
            click.echo(each.message)
    _show_lines(verdicts(record))
    length = seconds(run.seconds)
    hits = sum(each.cache == "hit" for each in run.steps.values())
    cached = f", {hits} of {len(run.steps)} steps cached" if hits else ""
    click.echo(f"run {record.id} {_status(record)} in {length}{cached}")
    waiting = sum(each.status == "pending" for each in run.steps.values())
    if waiting and record.status in ("failed", "stopped"):
        click.echo(f"  {waiting} step{'s' if waiting > 1 else ''} not started")
    broken = [each for each in run.steps.values() if each.status == "failed"]
    failed = min(broken, key=lambda each: each.ended or 0, default=None)
    if failed is not None and (failed.log or failed.search):
        click.echo(f"  its log{'s' if failed.search else ''}: penstock runs logs {record.id} {failed.name}")
        if not record.remote:
            click.echo(f"  its folder{'s' if failed.search else ''}: {run.folder / 'steps' / failed.name}")
    for name, path in run.outputs.items() if run.succeeded else ():
        click.echo(f"  output {name}: {_near(path)}")
    if record.status in ("failed", "stopped"):
        click.echo(f"  go on from here: penstock resume {record.id}")
    if record.status == "detached":
        click.echo(f"  follow it: penstock resume {record.id}")


def _logs(run: Run) -> Iterator[tuple[str, str]]:
    """Give every step, and behind a search its trials, with the log of each; empty where there is none."""
    from penstock.runtime.records import trial_name

    for name, step in run.steps.items():
        yield name, step.log
        for each in step.search.get("trials", ()):
            yield trial_name(name, each["number"]), each["log"]


def _status(record: RunRecord) -> str:
    colours = {"succeeded": "green", "failed": "red", "running": "cyan"}
    words = click.style(str(record.status), fg=colours.get(str(record.status), "yellow"))
    return f"{words} ({record.message})" if record.message else words


def _show_step(step: StepRecord) -> None:
    mark, colour = MARKS[step.status]
    length = seconds(step.ended - step.started) if step.started and step.ended else ""
    words = str(step.status).replace("_", " ")
    click.echo(
        f"{click.style(mark, fg=colour or None)} {click.style(step.name, bold=True)}  {words}  {length}".rstrip()
    )
    if step.message:
        click.echo(f"    {step.message}")
    if step.search:
        from penstock.cli.trials import table_of

        for line in table_of(step.search):
            click.echo(f"    {line}")
    if step.cache:
        click.echo(f"    cache {step.cache}: {step.cache_reason}")
    if step.key_parts.get("code"):
        click.echo(f"    code {step.key_parts['code'][:12]}")
    for name, each in step.key_parts.get("input", {}).items():
        origin = (each.get("dataset") and f"dataset {each['dataset']}") or (
            each.get("step") and f"step {each['step']}"
        )
        value = f"{each['digest'][:12]} from {origin}" if each.get("digest") else each.get("value")
        click.echo(f"    input {name} = {value}")
    for each in step.outputs:
        click.echo(f"    output {each.port} = {each.digest[:12]}  {each.type}, {_size(each.size)}")
    for port, content in step.metrics.items():
        for name, value in flat(content):
            click.echo(f"    {port}.{name} = {value}")


def _differences(one: Run, two: Run) -> Any:
    for name in dict.fromkeys([*one.record.parameters, *two.record.parameters]):
        yield from _changed(
            f"parameter {name}", one.record.parameters.get(name), two.record.parameters.get(name)
        )
    for name in dict.fromkeys([*one.record.datasets, *two.record.datasets]):
        old, new = (each.record.datasets.get(name, {}).get("digest") for each in (one, two))
        yield from _changed(f"dataset {name}", old and old[:12], new and new[:12])
    for name in dict.fromkeys([*one.steps, *two.steps]):
        yield from _step_differences(name, one.steps.get(name), two.steps.get(name))
    old_kpis = {each["name"]: each["value"] for each in one.record.kpis}
    new_kpis = {each["name"]: each["value"] for each in two.record.kpis}
    for name in dict.fromkeys([*old_kpis, *new_kpis]):
        yield from _changed(f"KPI {name}", old_kpis.get(name), new_kpis.get(name))
    yield from _changed("status", str(one.record.status), str(two.record.status))


def _step_differences(name: str, old: StepRecord | None, new: StepRecord | None) -> Any:
    yield from _changed(f"step {name}", old and str(old.status), new and str(new.status))
    if old is None or new is None:
        return
    yield from _changed(
        f"step {name} code", old.key_parts.get("code", "")[:12], new.key_parts.get("code", "")[:12]
    )
    yield from _changed(f"step {name} command", old.key_parts.get("command"), new.key_parts.get("command"))
    yield from _changed(
        f"step {name} environment", old.key_parts.get("environment"), new.key_parts.get("environment")
    )
    yield from _changed(f"step {name} best trial", _best_values(old), _best_values(new))
    before = {each.port: each.digest[:12] for each in old.outputs}
    after = {each.port: each.digest[:12] for each in new.outputs}
    for port in dict.fromkeys([*before, *after]):
        yield from _changed(f"step {name} output {port}", before.get(port), after.get(port))
    for port in dict.fromkeys([*old.metrics, *new.metrics]):
        left, right = dict(flat(old.metrics.get(port, {}))), dict(flat(new.metrics.get(port, {})))
        for field in dict.fromkeys([*left, *right]):
            yield from _changed(f"metric {name}.{port}.{field}", left.get(field), right.get(field))


def _best_values(step: StepRecord) -> dict[str, Any] | None:
    best: dict[str, Any] | None = step.search.get("best")
    return best and best["values"]


def _changed(what: str, old: object, new: object) -> Any:
    if old != new:
        yield what, old, new


def flat(content: object, prefix: str = "") -> Any:
    """Give the scalar fields of a metrics document with their dotted names."""
    if isinstance(content, Mapping):
        for key, value in cast("Mapping[str, object]", content).items():
            yield from flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(content, list):
        for position, value in enumerate(cast("list[object]", content)):
            yield from flat(value, f"{prefix}[{position}]")
    else:
        yield prefix, content


def _plain(value: object) -> str:
    if isinstance(value, dict):
        from penstock.runtime.trials import described

        return described(cast("dict[str, Any]", value))
    if isinstance(value, list):
        return " ".join(map(str, cast("list[object]", value)))
    return "nothing" if value is None or value == "" else str(value)


def _show_lines(lines: list[str]) -> None:
    for each in lines:
        click.echo(each)


def _copy(path: Path) -> None:
    """Print a log as it stands, without holding it in memory."""
    try:
        with path.open("rb") as log:
            while chunk := log.read(65536):
                click.echo(chunk.decode("utf-8", "replace"), nl=False)
    except FileNotFoundError:
        click.echo(f"the log is gone: {path}", err=True)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _near(path: Path) -> Path:
    """Write a path relative to the current folder where it lies below it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _clock(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""
