"""Commands in the service's own form: text into which `${{inputs.x}}` is substituted as it stands, then bash.

Substitution knows no quoting. So only what cannot break the command goes in that way: paths that the service makes,
numbers, and strings of a closed list of harmless words; the names of data come from outside, so their paths are
quoted. Free text travels in environment variables of the node and is read as `"$NAME"`, one word whatever it holds.
Sweep nodes have no variables: there free text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.diagnostics import At, Path, error
from penstock.expressions.nodes import (
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.text import text
from penstock.ir import (
    SCALARS,
    Argv,
    Command,
    Dimension,
    Input,
    Parameter,
    Segment,
    Shell,
    Train,
    Tune,
    Word,
    input_names,
)
from penstock_azure.azureml.lowering.draft import Draft, port, variable

HARMLESS = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
# Where bash looks for a command's name, and so for its own words and assignments.
_COMMAND_BEGINS = re.compile(r"[\n;&|(!][ \t]*$")
ROOT_RUN = "AZUREML_ROOT_RUN_ID"
"""Id of the pipeline job, which the service sets in every node (azure-ai-ml runtime contract)."""


@dataclass
class Words:
    """The words of one step's command, and what they need beyond the step's inputs.

    Attributes:
        variables: of the node: name → what it is bound to.
        parameters: of a trial, which has no variables: input → the parameter that it takes.
        varied: inputs whose text differs from that of other nodes of the same component and is not harmless: it
            stands in a variable of the node.
    """

    step: Command | Train | Tune
    draft: Draft
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    varied: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._inputs = {each.name: each for each in self.step.inputs}
        space = self.step.space if isinstance(self.step, Tune) else ()
        self._space: dict[str, Dimension] = {each.name: each for each in space}

    def command(self) -> str:
        """Compose the command's own text."""
        run = self.step.run
        assert run is not None
        if isinstance(run, Shell):
            return "".join(self._in_segments(list(self._shell(run.parts)), run)).strip("\n")
        return " ".join(self._in_segments([self._argument(parts) for parts in run.arguments], run))

    def _in_segments(self, written: list[str], run: Shell | Argv) -> list[str]:
        """Put `$[[ ]]` around what goes with an unset input; the service knows inputs alone that may be unset."""
        for each in run.segments:
            if self._may_go(each):
                written[each.first] = "$[[" + written[each.first]
                written[each.last - 1] += "]]"
        return written

    def _may_go(self, segment: Segment) -> bool:
        return any(self._inputs[name].optional for name in segment.inputs if name in self._inputs)

    def _shell(self, parts: tuple[str | Word, ...]) -> Iterator[str]:
        braced = any("{" in part for part in parts if isinstance(part, str))
        around = ("\n", *parts, "")
        for position, part in enumerate(parts):
            if isinstance(part, str):
                yield part
                continue
            before, after = (
                each if isinstance(each, str) else "" for each in (around[position], around[position + 2])
            )
            # Bare, `4>` would name a stream, `{1..4}` count, and `time` or `a=b` be bash's own.
            bare = not (braced or after.startswith(("<", ">")) or _COMMAND_BEGINS.search(before))
            yield self.word(part, bare=bare)

    def values(self, words: tuple[Word, ...]) -> list[str]:
        """Give values as words of their own, for a script with positional parameters."""
        return [self.word(Word(each.value)) for each in words]

    def word(self, word: Word, *, bare: bool = True) -> str:
        """Write one value; inside double quotes of the script it brings none of its own.

        `bare` tells that a number or harmless string may stand there without quotes.
        """
        match word.value:
            case OwnOutputRef(name):
                return f"${{{{outputs.{port(name)}}}}}"
            case RunRef() | ItemRef():
                inside = self.inside(word.value)
            case InputRef(name) if name in self._space:
                substituted = f"${{{{inputs.{port(name)}}}}}"
                self._refuse_searched(self._space[name])
                if bare:
                    return substituted
                inside = substituted
            case InputRef(name):
                each = self._inputs[name]
                substituted = f"${{{{inputs.{port(name)}}}}}"
                if each.source_type not in SCALARS:
                    # The service makes the paths of what steps wrote; data keeps the names that it came with.
                    # What a component is bound to differs from step to step, and its command must not.
                    if not (isinstance(each.value, DatasetRef) or self.step.component):
                        return substituted
                    inside = substituted
                elif name in self.varied and isinstance(each.value, Literal):
                    self.variables[f"PENSTOCK__ITEM_{name}"] = text(each.value.value)
                    inside = f"${{PENSTOCK__ITEM_{name}}}"
                elif not self.is_substituted(each):
                    inside = self.inside(each.value)
                elif bare:
                    return substituted
                else:
                    inside = substituted
        return inside if word.quoted else f'"{inside}"'

    def _refuse_searched(self, each: Dimension) -> None:
        wrong = next((value for value in each.enum if not HARMLESS.fullmatch(text(value))), None)
        if wrong is not None:
            message = f"the value {wrong!r} of '{each.name}' is no plain word, and bash would read it as more"
            hint = (
                "search over names of letters, digits and . _ - / :, and let the script know what they mean"
            )
            self._refuse(message, ("search_space", each.name, "enum"), hint)

    def _refuse(self, message: str, path: Path, hint: str) -> None:
        self.draft.found.append(error("P342", message, At((*self.step.path, *path)), hint))

    def is_substituted(self, each: Input) -> bool:
        """Tell whether an input's text may be substituted as it stands."""
        match each.value:
            case ParameterRef(name):
                parameter = self.draft.graph.parameters[name]
                return parameter.type != "string" or is_harmless(parameter)
            case Literal(value):
                return bool(HARMLESS.fullmatch(text(value)))
            case _:
                return False

    def inside(self, expression: Expression) -> str:
        """Write a scalar as it stands between double quotes of bash."""
        match expression:
            case Literal(value):
                return escape(text(value))
            case ParameterRef(name) if isinstance(self.step, Tune):
                return self._trial_parameter(name)
            case ParameterRef(name):
                self.variables[variable(name)] = f"${{{{parent.inputs.{port(name)}}}}}"
                return f"${{{variable(name)}}}"
            case Template(parts):
                return "".join(escape(part) if isinstance(part, str) else self.inside(part) for part in parts)
            case InputRef(name):
                return self.word(Word(expression, quoted=True))
            case RunRef("id"):
                return f"${{{ROOT_RUN}}}"
            case RunRef():
                message = (
                    f"step '{self.step.name}' uses run.started_at, which azureml does not tell its nodes"
                )
                hint = "use run.id, or take the time in the script"
                self.draft.found.append(error("P332", message, At((*self.step.path, "run")), hint))
                return ""
            case _:
                raise TypeError(f"{expression} was announced as unsupported and cannot be here")

    def _trial_parameter(self, name: str) -> str:
        """Hand a parameter to a trial by an input of its own."""
        parameter = self.draft.graph.parameters[name]
        if parameter.type == "string" and not is_harmless(parameter):
            message = f"a trial on azureml takes no free text, and parameter '{name}' may be any"
            hint = f"list what it may be: {name}: {{type: string, enum: [a, b]}}, or write the text to a file"
            self._refuse(message, (), hint)
        mapped = f"penstock_{name}" if name in input_names(self.step) else port(name)
        self.parameters[mapped] = name
        return f"${{{{inputs.{mapped}}}}}"

    def _argument(self, parts: tuple[str | Word, ...]) -> str:
        if len(parts) == 1 and isinstance(parts[0], Word):
            return self.word(parts[0])
        if all(isinstance(part, str) for part in parts) and HARMLESS.fullmatch("".join(map(str, parts))):
            return "".join(map(str, parts))
        inner = [
            escape(part) if isinstance(part, str) else self.word(Word(part.value, quoted=True))
            for part in parts
        ]
        return f'"{"".join(inner)}"'


def is_harmless(parameter: Parameter) -> bool:
    """Tell whether every value that a string parameter may take is one plain word."""
    return bool(parameter.enum) and all(HARMLESS.fullmatch(text(each)) for each in parameter.enum)


def escape(value: str) -> str:
    """Write text so that it stands for itself between double quotes of bash.

    `${{` and `$[[` are parted by closing and opening the quotes: the service would take them for its own.
    """
    return re.sub(r'([\\"$`])', r"\\\1", value).replace("${{", '$""{{').replace("$[[", '$""[[')


def quoted(value: str) -> str:
    """Write text as one word of bash, without quotes where it needs none."""
    return value if HARMLESS.fullmatch(value) else f'"{escape(value)}"'
