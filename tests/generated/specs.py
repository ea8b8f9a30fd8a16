"""Specs over the whole language, drawn at random: plain dicts, well-formed and well-typed by construction.

A draw is a set of files, `pipeline.yaml` and those that it uses; `write` puts them where their code and data are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Spec = dict[str, Any]
Files = dict[str, Spec]

PORTS = ("file", "folder", "table", "model", "metrics")
WIDER = {"model": "folder", "table": "folder", "metrics": "file"}
DATA = {
    "src/run.py": "print('run')\n",
    "src/serve.py": "def model_fn(folder):\n    return folder\n\n\ndef predict_fn(data, model):\n    return data\n",
    "data/one.csv": "a,b\n1,2\n",
    "data/folder/one.csv": "a,b\n1,2\n",
    "data/requirements.txt": "pandas==2.3.3\n",
}

texts = st.sampled_from(["a", "two words", "it's", "$HOME", "ünï", "x: y", "a\\b", '"q"'])
scalars: dict[str, st.SearchStrategy[Any]] = {
    "string": texts,
    "integer": st.integers(-5, 500),
    "number": st.floats(-5, 500, allow_nan=False).map(lambda each: round(each, 3)),
    "boolean": st.booleans(),
}
durations = st.sampled_from(["90s", "15m", "2h", "1d"])
environments: st.SearchStrategy[Spec] = st.one_of(
    st.just({"python": ">=3.11", "packages": ["pandas==2.3.3"]}),
    st.just({"requirements": "data/requirements.txt"}),
    st.just(
        {"image": {"sagemaker": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1", "azureml": "python:3.11"}}
    ),
)
computes: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.sampled_from([1, 2, 4]),
        "memory": st.sampled_from(["512MiB", "4GiB", "16GB"]),
        "gpu": st.sampled_from([0, 1]),
        "count": st.integers(1, 3),
        "spot": st.one_of(st.booleans(), st.just({"max_wait": "12h"})),
        "instance": st.just({"sagemaker": "ml.m5.2xlarge", "azureml": "Standard_DS4_v2"}),
    },
)
rules: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {},
    optional={
        "compute": computes,
        "env": st.dictionaries(
            st.sampled_from(["A", "B_C"]), st.one_of(texts, st.integers(0, 9)), max_size=2
        ),
        "retry": st.fixed_dictionaries(
            {"attempts": st.integers(1, 4)},
            optional={
                "delay": st.just("5s"),
                "backoff": st.sampled_from([1, 2.5]),
                "errors": st.sampled_from(["platform", "any"]),
            },
        ),
        "timeout": durations,
        "cache": st.one_of(st.booleans(), st.just({"expires": "30d"})),
    },
)
heads: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {},
    optional={
        "display_name": texts,
        "description": texts,
        "tags": st.dictionaries(st.sampled_from(["team", "cost"]), texts, max_size=2),
    },
)


class Draft:
    """A pipeline while it is drawn: `artifacts` are references with their types, in the order of their making."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.files: Files = {}
        self.artifacts: list[tuple[str, str]] = []
        self.parameters: list[tuple[str, str]] = []
        self.steps: dict[str, Spec] = {}
        self.conditions: list[str] = []

    def one_in(self, chances: int) -> bool:
        return self.draw(st.integers(1, chances)) == 1

    def of_type(self, *types: str) -> list[str]:
        return [text for text, kind in self.artifacts if kind in types]

    def inputs(self) -> tuple[Spec, list[str]]:
        """Draw bindings in short and long form, and the words of a command that name them."""
        bound: Spec = {}
        words: list[str] = []
        for position in range(self.draw(st.integers(0, 3))):
            name = f"i{position}"
            choice = self.draw(st.sampled_from(["artifact", "parameter", "literal", "text"]))
            word = f"${{{{ inputs.{name} }}}}"
            if choice == "artifact" and self.artifacts:
                text, kind = self.draw(st.sampled_from(self.artifacts))
                bound[name] = self.long_form(text, kind)
            elif choice == "parameter" and self.parameters:
                text, _ = self.draw(st.sampled_from(self.parameters))
                bound[name] = {"value": text, "optional": True} if self.one_in(4) else text
            elif choice == "text" and self.parameters:
                text, _ = self.draw(st.sampled_from(self.parameters))
                bound[name] = f"about {text}"
            else:
                bound[name] = self.draw(scalars[self.draw(st.sampled_from(sorted(scalars)))])
            optional = isinstance(bound[name], dict) and bound[name].get("optional", False)
            words.append(f"$[[ --{name} {word} ]]" if optional else f"--{name} {word}")
        return bound, words

    def long_form(self, text: str, kind: str) -> Any:
        if self.one_in(2):
            return text
        found: Spec = {"value": text}
        if kind in WIDER and self.one_in(2):
            found["type"] = WIDER[kind]
        if self.one_in(4):
            found["at"] = f"/opt/ml/processing/input/{self.draw(st.sampled_from('abcdef'))}{len(self.steps)}"
        if self.one_in(4):
            found["mode"] = self.draw(st.sampled_from(["mount", "download"]))
        if self.one_in(6):
            found["content_type"] = "text/csv"
        return found

    def outputs(self, *needed: str) -> Spec:
        found: Spec = {}
        for position, kind in enumerate((*needed, *self.draw(st.lists(st.sampled_from(PORTS), max_size=2)))):
            long: Spec = {"type": kind, "description": "made"}
            if kind in ("file", "metrics"):
                long["file"] = f"o{position}.json"
            found[f"o{position}"] = long if self.one_in(3) else kind
        return found

    def command(self, words: list[str], outputs: Spec) -> Any:
        made = [f"${{{{ outputs.{name} }}}}" for name in outputs]
        if self.one_in(3) and not any("$[[" in word for word in words):
            return ["python", "run.py", *(part for word in words for part in word.split(" ", 1)), *made]
        return " ".join(["python run.py", *words, *made])

    def offer(self, step: str, outputs: Spec, *, folders: bool = False) -> None:
        for name, each in outputs.items():
            kind = each if isinstance(each, str) else each["type"]
            self.artifacts.append((f"${{{{ steps.{step}.outputs.{name} }}}}", "folder" if folders else kind))

    def metric(self) -> str:
        """Give a field of a metrics output that a command step made; empty where there is none."""
        made = [
            text
            for text in self.of_type("metrics")
            if "steps." in text
            and self.steps[text.split(".")[1]].get("kind", "command") == "command"
            and "uses" not in self.steps[text.split(".")[1]]
        ]
        return self.draw(st.sampled_from(made)).removesuffix(" }}") + ".score }}" if made else ""

    def when(self) -> Spec:
        if not self.conditions or not self.one_in(4):
            return {}
        name = self.draw(st.sampled_from(self.conditions))
        negated = "not " if self.one_in(3) else ""
        return {"when": f"${{{{ {negated}conditions.{name} }}}}"}

    def add(self, name: str) -> None:
        """Draw one step of any kind that what is there so far allows."""
        kinds = ["command", "train", "tune", "map", "fail", "uses", "pipeline", "native"]
        if self.of_type("model"):
            kinds += ["register", "predict"]
        kind = self.draw(st.sampled_from(kinds))
        step: Spec = dict(self.draw(heads))
        outputs: Spec = {}
        match kind:
            case "command" | "train" | "map" | "tune":
                outputs = self.job(step, kind)
            case "uses":
                outputs = self.component(step, name)
            case "pipeline":
                outputs = self.nested(step, name)
            case "native":
                body = {
                    "sagemaker": {
                        "Type": "Callback",
                        "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q",
                    }
                }
                body["azureml"] = {"type": "command", "component": "azureml:notify:1"}
                step |= {"kind": "native", **body, "local": {"run": "true"}}
            case "register":
                step |= {"kind": "register", "model": self.draw(st.sampled_from(self.of_type("model")))}
                step |= {"name": f"m-{name}", "approval": self.draw(st.sampled_from(["manual", "approved"]))}
                if self.one_in(2):
                    step["serving"] = {"environment": "e0", "code": "src", "entry": "serve.py"}
            case "predict":
                step |= {"kind": "predict", "model": self.draw(st.sampled_from(self.of_type("model")))}
                step |= {"data": self.draw(st.sampled_from(self.of_type("folder", "table")))}
                step |= {"serving": {"code": "src", "entry": "serve.py", "content_types": ["text/csv"]}}
                outputs = step["outputs"] = {"o0": "folder"}
            case _:
                said = self.draw(st.sampled_from([each for each, _ in self.parameters] or ["it"]))
                step |= {"kind": "fail", "message": f"ended: {said}"}
        if kind != "native":
            step |= self.when()
        self.steps[name] = step
        self.offer(name, outputs, folders=kind == "map")
        if (field := self.metric()) and self.one_in(2):
            self.conditions.append(f"c{len(self.conditions)}")
            self.files["pipeline.yaml"].setdefault("conditions", {})[self.conditions[-1]] = field.replace(
                " }}", f" {self.draw(st.sampled_from(['>', '<=', '==']))} 0.5 }}}}"
            )

    def job(self, step: Spec, kind: str) -> Spec:
        bound, words = self.inputs()
        outputs = self.outputs(*{"train": ("model",), "tune": ("metrics", "model")}.get(kind, ()))
        step |= {"kind": kind, "code": "src", "inputs": bound, "outputs": outputs, **self.draw(rules)}
        if kind == "tune":
            grid = self.one_in(3)
            space: Spec = {"deep": {"type": "integer", "minimum": 1, "maximum": 4}, "loss": ["log", "exp"]}
            if not grid:
                space["rate"] = {"minimum": 0.01, "maximum": 0.5}
            words += [f"--{name} ${{{{ inputs.{name} }}}}" for name in space]
            step |= {"search_space": space, "sampling": "grid" if grid else "random", "seed": 3}
            step |= {"objective": {"metric": "score", "goal": "maximize", "output": "o0"}}
            step |= {"limits": {"trials": 4, "parallel": self.draw(st.integers(1, 4))}}
        if kind == "map":
            words += self.over(step)
        step["run"] = self.command(words, outputs)
        return outputs

    def over(self, step: Spec) -> list[str]:
        folders, tables = self.of_type("folder"), self.of_type("table")
        forms = [
            "items",
            "mappings",
            "range",
            *(["files"] if folders else []),
            *(["table"] if tables else []),
        ]
        step |= self.draw(st.fixed_dictionaries({}, optional={"parallel": st.integers(1, 4)}))
        match self.draw(st.sampled_from(forms)):
            case "items":
                step["over"] = {"items": ["a", "b", "c"]}
            case "mappings":
                step["over"] = {"items": [{"key": "NO", "n": 4}, {"key": "NL", "n": 6}]}
                return ["--key ${{ item.key }}", "--n ${{ item.n }}"]
            case "range":
                step["over"] = {"range": self.draw(st.sampled_from([3, {"start": 1, "stop": 9, "step": 3}]))}
            case "files":
                step["over"] = {"files": self.draw(st.sampled_from(folders))}
                step["over"] |= {"batch": 5} if self.one_in(2) else {}
            case _:
                step["over"] = {"table": self.draw(st.sampled_from(tables)), "by": ["a"]}
        return ["--item ${{ item }}"]

    def component(self, step: Spec, name: str) -> Spec:
        outputs = self.outputs("folder")
        inputs: Spec = {"depth": {"type": "integer", "default": 4, "minimum": -9, "maximum": 999}}
        inputs["text"] = {"type": "string", "optional": True}
        step["uses"] = f"components/{name}.yaml"
        bound: Spec = {"depth": 7} if self.one_in(2) else {}
        if self.one_in(2):
            bound["text"] = self.draw(texts)
        step["inputs"] = bound
        words = ["--depth ${{ inputs.depth }}", "$[[ --text ${{ inputs.text }} ]]"]
        body = {"run": self.command(words, outputs), "code": "../src", **self.draw(rules)}
        self.files[step["uses"]] = {
            **{"penstock": "v1", "kind": "component", "name": f"part_{name}", "version": "1"},
            **{"inputs": inputs, "outputs": outputs, "step": body},
        }
        return outputs

    def nested(self, step: Spec, name: str) -> Spec:
        file = f"{name}.yaml"
        step |= {"kind": "pipeline", "uses": file, "inputs": {"depth": 3}}
        inner: Spec = {"run": "python run.py ${{ inputs.depth }} ${{ outputs.o0 }}", "code": "src"}
        inner |= {
            "inputs": {"depth": "${{ parameters.depth }}"},
            "outputs": {"o0": "folder"},
            **self.draw(rules),
        }
        self.files[file] = {
            **{"penstock": "v1", "kind": "pipeline", "name": f"inner-{name}"},
            **{"parameters": {"depth": {"type": "integer", "default": 1}}, "steps": {"look": inner}},
            **{"outputs": {"o0": "${{ steps.look.outputs.o0 }}"}},
        }
        return {"o0": "folder"}


@st.composite
def specs(draw: st.DrawFn) -> Files:
    """Draw a pipeline with one to six steps."""
    draft = Draft(draw)
    main: Spec = {"penstock": "v1", "kind": "pipeline", "name": "drawn", **draw(heads)}
    draft.files["pipeline.yaml"] = main
    main["environments"] = {"e0": draw(environments), "e1": draw(environments)}
    main["defaults"] = {"environment": "e0", "compute": {"cpu": 2, "memory": "8GiB"}}
    main["parameters"] = {}
    for position in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(sorted(scalars)))
        main["parameters"][f"p{position}"] = {"type": kind}
        if not draft.one_in(5):
            main["parameters"][f"p{position}"]["default"] = draw(scalars[kind])
        draft.parameters.append((f"${{{{ parameters.p{position} }}}}", kind))
    main["datasets"] = {
        "d0": {"type": "folder", "path": "data/folder"},
        "d1": draw(st.sampled_from([{"type": "file", "path": "data/one.csv"}, {"type": "table"}])),
    }
    draft.artifacts += [
        (f"${{{{ datasets.{name} }}}}", each["type"]) for name, each in main["datasets"].items()
    ]
    for position in range(draw(st.integers(1, 6))):
        draft.add(f"s{position}")
    main["steps"] = draft.steps
    kept = [text for text, _ in draft.artifacts if "steps." in text]
    if kept and draft.one_in(2):
        main["outputs"] = {"kept": draw(st.sampled_from(kept))}
    if (field := draft.metric()) and draft.one_in(2):
        main["goal"] = {"statement": "good", "kpis": [{"name": "k", "value": field, "target": ">= 0.5"}]}
    return draft.files


def write(files: Files, folder: Path) -> Path:
    """Write the files of a draw, with the code and data that they name; give the pipeline."""
    for name, text in DATA.items():
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    for name, spec in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(spec, indent=1), encoding="utf-8")
    return folder / "pipeline.yaml"
