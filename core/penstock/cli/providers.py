"""`penstock providers`: which targets there are, and what each of them keeps."""

from __future__ import annotations

import click

from penstock.cli.output import json_option, print_json


@click.command("providers")
@click.argument("target", default="")
@json_option
def command(target: str, as_json: bool) -> None:
    """List providers and targets; with TARGET, every feature of the language and how that target carries it."""
    from penstock import discovery
    from penstock.capabilities import Support

    if not target:
        found = [
            {
                "target": name,
                "provider": each.provider,
                "title": each.title,
                "runs_offline": each.emulator() is not None,
                **{
                    str(support): sum(row.support is support for row in each.capabilities.values())
                    for support in Support
                },
            }
            for name, each in sorted(discovery.targets().items())
        ]
        if as_json:
            print_json(found)
            return
        for row in found:
            counts = ", ".join(f"{row[str(support)]} {support}" for support in Support if row[str(support)])
            offline = "runs offline" if row["runs_offline"] else "compiles"
            click.echo(f"{row['target']:<12} {row['title']} ({row['provider']}): {offline}; {counts}")
        return
    features = [
        {
            "code": each.code,
            "feature": each.title,
            "support": str(row.support),
            "how": row.how,
            "hint": row.hint,
        }
        for each, row in discovery.target(target).capabilities.items()
    ]
    if as_json:
        print_json(features)
        return
    width = max(len(each["feature"]) for each in features)
    for each in features:
        click.echo(f"{each['code']}  {each['feature']:<{width}}  {each['support']:<12}  {each['how']}")
