"""One small spec for every feature of the language, and the same spec without it.

`TARGET` stands for the name of the target in question. Files that specs name are in `FILES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from penstock.capabilities import Feature

HEAD = "penstock: v1\nkind: pipeline\nname: probe\n"
RUN = """
import json, os, sys

if __name__ == "__main__":
    print("hello; recall=0.9")
    for each in sys.argv[1:]:
        if os.path.isdir(each) and not os.listdir(each):
            with open(os.path.join(each, "made"), "w") as file:
                file.write("made\\n")
        elif os.path.isabs(each) and not os.path.exists(each):
            with open(each, "w") as file:
                json.dump({"score": 0.75, "loss": 0.25, "recall": 0.9}, file)

def model_fn(folder):
    return sorted(os.listdir(folder))

def transform_fn(model, body, content_type, accept):
    return str(model) + body, accept
"""
"""Fills every folder and writes every file that it is told and that is not there, and serves a model."""

FILES = {
    "data/cells.csv": "a,b\n1,2\n",
    "data/model/weights": "a\n1\n",
    "src/run.py": RUN,
    "clean.yaml": "penstock: v1\nkind: component\nname: clean\nversion: '1'\ninputs: {cells: file}\n"
    "outputs: {out: folder}\n"
    "step: {run: 'python run.py ${{ inputs.cells }} ${{ outputs.out }}', code: src}\n",
    "inner.yaml": "penstock: v1\nkind: pipeline\nname: inner\ndatasets: {cells: {type: file}}\nsteps:\n"
    "  one:\n    run: python run.py ${{ inputs.cells }} ${{ outputs.out }}\n    code: src\n"
    "    inputs: {cells: '${{ datasets.cells }}'}\n    outputs: {out: folder}\n    environment: plain\n"
    "outputs: {out: '${{ steps.one.outputs.out }}'}\n",
    "lab.yaml": "name: lab\ndependencies:\n  - python=3.11\n  - pip:\n      - pyyaml==6.0.2\n",
}
PREAMBLE = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    environments: {plain: {python: ">=3.11", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plain:1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
"""
READ = 'run: "cat ${{ inputs.cells }}", inputs: {cells: "${{ datasets.cells }}"}'


@dataclass(frozen=True)
class Pair:
    """A spec that uses a feature, and one that does not and is the same otherwise (empty where there is none)."""

    using: str
    without: str = ""

    def write(self, folder: Path, target: str, *, using: bool = True) -> Path:
        for name, content in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        spec = folder / "pipeline.yaml"
        spec.write_text((self.using if using else self.without).replace("TARGET", target), encoding="utf-8")
        return spec


def spec(body: str, preamble: str = PREAMBLE) -> str:
    return HEAD + dedent(preamble).lstrip("\n") + dedent(body).lstrip("\n")


def step(keys: str, without: str | None = None, preamble: str = PREAMBLE) -> Pair:
    """Make a pair of specs with one command step, with further keys and without them."""
    plain = f"steps:\n  one: {{{READ}}}\n" if without is None else f"steps:\n  one: {{{without}}}\n"
    return Pair(spec(f"steps:\n  one: {{{keys}}}\n", preamble), spec(plain, preamble))


def more(keys: str) -> Pair:
    return step(f"{READ}, {keys}")


def details(keys: str, kind: str = "command") -> Pair:
    """Make a pair whose step binds its input in the long form, with further keys and without them."""
    return Pair(*(binding(f", {each}" if each else "", kind) for each in (keys, "")))


def binding(keys: str, kind: str) -> str:
    outputs = ", outputs: {model: model}" if kind == "train" else ""
    use = " ${{ outputs.model }}" if kind == "train" else ""
    return spec(f"""
        steps:
          one:
            kind: {kind}
            run: python run.py ${{{{ inputs.cells }}}}{use}
            code: src
            inputs: {{cells: {{value: "${{{{ datasets.cells }}}}"{keys}}}}}{
        f'''
            {outputs[2:]}'''
        if outputs
        else ""
    }
    """)


def parameter(keys: str, default: str = "default: b") -> Pair:
    def one(declared: str) -> str:
        return spec(f"""
            parameters: {{p: {{type: string, {declared}}}}}
            steps:
              one: {{run: "echo ${{{{ inputs.p }}}}", inputs: {{p: "${{{{ parameters.p }}}}"}}}}
        """)

    return Pair(one(f"{default}, {keys}" if default else keys), one("default: b"))


def bound(value: str, without: str = "${{ parameters.n }}") -> Pair:
    """Make a pair whose step has an input of that value."""

    def one(given: str) -> str:
        return spec(f"""
            parameters: {{n: {{type: integer, default: 2}}}}
            steps:
              one:
                run: echo ${{{{ inputs.v }}}} ${{{{ inputs.n }}}}
                inputs: {{v: "{given}", n: "${{{{ parameters.n }}}}"}}
        """)

    return Pair(one(value), one(without))


MODEL = """
    parameters: {floor: {type: number, default: 0.5}}
    conditions: {good: "CONDITION"}
    steps:
      fit:
        kind: train
        run: python run.py ${{ inputs.cells }} ${{ outputs.model }} ${{ outputs.fitted }}
        code: src
        inputs: {cells: "${{ datasets.cells }}"}
        outputs: {model: model, fitted: metrics}
      judge:
        run: python run.py ${{ inputs.model }} ${{ outputs.report }}
        code: src
        inputs: {model: "${{ steps.fit.outputs.model }}"}
        outputs: {report: metrics}
      last: {run: "true", when: "${{ conditions.good }}"}
"""
JUDGED = "${{ steps.judge.outputs.report.score >= parameters.floor }}"


def model(steps: str = "", condition: str = JUDGED) -> str:
    """Make a spec that trains, judges and decides; further steps are indented by two."""
    further = "".join(f"      {line}\n" for line in dedent(steps).strip().splitlines())
    return spec(MODEL.replace("CONDITION", condition) + further)


def decided(condition: str) -> Pair:
    return Pair(model(condition=condition), model())


def added(steps: str) -> Pair:
    return Pair(model(steps), model())


def outside(text: str) -> Pair:
    return Pair(model() + text, model())


REGISTER = """
    enter:
      kind: register
      model: ${{ steps.fit.outputs.model }}
      name: probe
"""
OPTIONAL = """
    datasets: {cells: {type: file, path: data/cells.csv}, champion: {type: file, optional: true}}
    environments: {plain: {python: ">=3.11", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plain:1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
"""
CONDA = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    environments: {plain: {conda: lab.yaml, image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plain:1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
"""
BUILTIN = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    environments: {plain: {image: "builtin:xgboost:1.7-1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
"""
SLOT = PREAMBLE.replace(", path: data/cells.csv", "")
SEVERAL = """
    parameters: {machines: {type: integer, default: 2}}
    steps:
      one: {run: "echo", compute: {count: COUNT}}
"""

TOOLKIT = PREAMBLE.replace('image: "111', 'image: {sagemaker: "builtin:pytorch:2.4", azureml: "111').replace(
    ':1"', ':1"}'
)
"""Trials are started by a toolkit that only a cloud's own images are known to have."""
TUNE = """
    steps:
      one:
        kind: tune
        run: >-
          python run.py ${{ inputs.cells }} ${{ inputs.depth }} ${{ outputs.model }} ${{ outputs.report }}
        code: src
        inputs: {cells: "${{ datasets.cells }}"}
        outputs: {model: model, report: metrics}
        search_space: {depth: {enum: [2, 4, 8]}}
        sampling: random
        objective: {metric: recall, goal: maximize}
        limits: {trials: 3}
"""
TRAIN = """
    steps:
      one:
        kind: train
        run: >-
          python run.py ${{ inputs.cells }} ${{ inputs.depth }} ${{ outputs.model }} ${{ outputs.report }}
        code: src
        inputs: {cells: "${{ datasets.cells }}", depth: 4}
        outputs: {model: model, report: metrics}
"""
MAP = """
    datasets: {cells: {type: file, path: data/cells.csv}, parts: {type: folder, path: data/model}}
    environments: {plain: {python: ">=3.11", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plain:1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
    steps:
      one:
        kind: map
        over: {OVER}
        parallel: 2
        run: python run.py ${{ item }} ${{ outputs.out }}
        code: src
        outputs: {out: folder}
"""
EACH = "".join(
    f"{line}\n"
    for line in MAP.replace("kind: map", "kind: command").replace("${{ item }}", "a").splitlines()
    if "over:" not in line and "parallel:" not in line
)
PREDICT = """
    datasets: {cells: {type: file, path: data/cells.csv}, model: {type: model, path: data/model}}
    environments: {plain: {python: ">=3.11", image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plain:1"}}
    defaults: {environment: plain, compute: {cpu: 2, memory: 4GiB}}
    steps:
      one:
"""
NATIVE = """
    ask:
      kind: native
      sagemaker: {Type: Callback, SqsQueueUrl: "https://sqs.eu-west-1.amazonaws.com/111122223333/q", Arguments: {}}
      azureml: {type: command, command: "echo asked", environment: "azureml:plain:1", compute: "azureml:cpu"}
      local: {run: "echo asked"}
"""


def tuned(before: str, after: str) -> Pair:
    """Make a pair of searches that differ in one place."""
    return Pair(spec(TUNE.replace(before, after), TOOLKIT), spec(TUNE, TOOLKIT))


def mapped(over: str, *more: str) -> Pair:
    """Make a pair of a map, and of a command that does the same once."""
    written = MAP.replace("OVER", over)
    for each in more:
        written = written.replace("        parallel: 2\n", f"        parallel: 2\n        {each}\n")
    return Pair(spec(written, ""), spec(EACH if not more else MAP.replace("OVER", over), ""))


def using(keys: str) -> str:
    return spec(f"""
        steps:
          one: {{{keys}}}
          last:
            run: ls ${{{{ inputs.made }}}}
            inputs: {{made: "${{{{ steps.one.outputs.out }}}}"}}
    """)


CELLS = 'inputs: {cells: "${{ datasets.cells }}"}'
INLINE = using(
    f"run: 'python run.py ${{{{ inputs.cells }}}} ${{{{ outputs.out }}}}', code: src, {CELLS}, outputs: {{out: folder}}"
)

PAIRS: dict[Feature, Pair] = {
    Feature.COMMAND: step(READ),
    Feature.TRAIN: Pair(binding("", "train"), binding("", "command")),
    Feature.REGISTER: added(REGISTER),
    Feature.REGISTER_UNDER_CONDITION: Pair(
        model(REGISTER + "      when: ${{ conditions.good }}\n"), model(REGISTER)
    ),
    Feature.FAIL: added("stop: {kind: fail, when: '${{ not conditions.good }}', message: too bad}"),
    Feature.CONDITION: Pair(
        model(),
        model()
        .replace(', when: "${{ conditions.good }}"', "")
        .replace(f'conditions: {{good: "{JUDGED}"}}', ""),
    ),
    Feature.METRIC_ARITHMETIC: decided("${{ steps.judge.outputs.report.score * 2 >= parameters.floor }}"),
    Feature.PARAMETER_ARITHMETIC: bound("${{ parameters.n * 2 }}"),
    Feature.INTERPOLATION: bound("about ${{ parameters.n }} of them"),
    Feature.ORDER_WITHOUT_DATA: added("tidy: {run: 'true', after: [judge]}"),
    Feature.RETRY_PLATFORM: more("retry: {attempts: 3, delay: 10s, backoff: 2}"),
    Feature.RETRY_ANY: more("retry: {attempts: 3, errors: any}"),
    Feature.TIMEOUT: more("timeout: 2h"),
    Feature.CACHE: Pair(step(READ).using, more("cache: false").using),
    Feature.CACHE_EXPIRY: more("cache: {expires: 7d}"),
    Feature.SPOT: Pair(
        binding("", "train") + "    timeout: 1h\n    compute: {spot: true}\n",
        binding("", "train") + "    timeout: 1h\n",
    ),
    Feature.CHECKPOINT: Pair(
        spec("""
            steps:
              one:
                kind: train
                run: python run.py ${{ outputs.model }} ${{ outputs.state }}
                code: src
                outputs: {model: model, state: folder}
                checkpoint: {path: "${{ outputs.state }}"}
        """),
        spec("""
            steps:
              one:
                kind: train
                run: python run.py ${{ outputs.model }} ${{ outputs.state }}
                code: src
                outputs: {model: model, state: folder}
        """),
    ),
    Feature.SEVERAL_MACHINES: more("compute: {count: 3}"),
    Feature.MACHINES_FROM_PARAMETER: Pair(
        spec(SEVERAL.replace("COUNT", '"${{ parameters.machines }}"')), spec(SEVERAL.replace("COUNT", "2"))
    ),
    Feature.GPU: more("compute: {gpu: 1}"),
    Feature.FIXED_INPUT_PATH: details("at: /opt/ml/processing/input/fixed"),
    Feature.PACKED_INPUT: Pair(
        *(
            model(f"""
                open:
                  run: tar -tzf ${{{{ inputs.model }}}}
                  inputs: {{model: {{value: "${{{{ steps.fit.outputs.model }}}}"{packed}}}}}
            """)
            for packed in (", packed: true", "")
        )
    ),
    Feature.SHARDED_INPUT: Pair(
        binding(", shard: true", "command") + "    compute: {count: 2}\n",
        binding("", "command") + "    compute: {count: 2}\n",
    ),
    Feature.INPUT_MODE: details("mode: download", "train"),
    Feature.CONTENT_TYPE: details("content_type: text/csv", "train"),
    Feature.ENV: more("env: {MODE: fast}"),
    Feature.ENV_FROM_CALLER: more("env: {TOKEN: {from_env: PROBE_TOKEN}}"),
    Feature.PARAMETER_BOUNDS: parameter('pattern: "[a-z]+"'),
    Feature.PARAMETER_ENUM: parameter("enum: [a, b]"),
    Feature.REQUIRED_PARAMETER: parameter("description: mine", default=""),
    Feature.DATASET_SLOT: Pair(step(READ, preamble=SLOT).using, step(READ).using),
    Feature.OPTIONAL_DATASET: Pair(
        spec(
            """
            steps:
              one:
                run: echo $[[ ${{ inputs.champion }} ]]
                inputs: {champion: {value: "${{ datasets.champion }}", optional: true}}
            """,
            OPTIONAL,
        )
    ),
    Feature.RUN_CONTEXT: step('run: "echo ${{ run.id }}"', 'run: "echo"'),
    Feature.APPROVAL_EXPRESSION: Pair(model(REGISTER + f'      approval: "{JUDGED}"\n'), model(REGISTER)),
    Feature.BUILTIN_ALGORITHM: Pair(
        spec(
            """
            steps:
              one:
                kind: train
                inputs: {train: "${{ datasets.cells }}", num_round: 10}
                outputs: {model: model}
            """,
            BUILTIN,
        )
    ),
    Feature.TRAIN_METRICS: decided("${{ steps.fit.outputs.fitted.loss < parameters.floor }}"),
    Feature.METRIC_IN_MESSAGE: Pair(
        *(
            model(f"stop: {{kind: fail, when: '${{{{ not conditions.good }}}}', message: 'it is {end}'}}")
            for end in ("${{ steps.judge.outputs.report.score }}", "too low")
        )
    ),
    Feature.KPIS: outside(
        "goal:\n  statement: Be good.\n  kpis:\n"
        '    - {name: score, value: "${{ steps.judge.outputs.report.score }}", target: ">= 0.9"}\n'
    ),
    Feature.CONDA: Pair(step(READ, preamble=CONDA).using, step(READ).using),
    Feature.PIPELINE_OUTPUTS: outside('outputs: {model: "${{ steps.fit.outputs.model }}"}\n'),
    Feature.TAGS: more("tags: {team: imaging}"),
    Feature.OPTIONS: more("options: {TARGET: {}}"),
    Feature.TUNE: Pair(spec(TUNE, TOOLKIT), spec(TRAIN, TOOLKIT)),
    Feature.GRID_SEARCH: tuned("sampling: random", "sampling: grid"),
    Feature.BAYESIAN_SEARCH: tuned("sampling: random", "sampling: bayesian"),
    Feature.EARLY_STOPPING: tuned("limits:", "early_stopping: {policy: median}\n        limits:"),
    Feature.TRIAL_TIMEOUT: tuned("{trials: 3}", "{trials: 3, trial_timeout: 30m}"),
    Feature.OBJECTIVE_FROM_LOG: tuned(
        "goal: maximize}", "goal: maximize, source: log, regex: 'recall=([0-9.]+)'}"
    ),
    Feature.OBJECTIVE_FROM_MLFLOW: tuned("goal: maximize}", "goal: maximize, source: mlflow}"),
    Feature.MAP: mapped("items: [a, b]"),
    Feature.MAP_FILES: mapped('files: "${{ datasets.parts }}"'),
    Feature.MAP_TABLE: Pair(
        spec(MAP.replace("OVER", 'table: "${{ datasets.parts }}", by: [a]'), ""), spec(EACH, "")
    ),
    Feature.TOLERATED_FAILURES: mapped("items: [a, b]", "tolerate: 1"),
    Feature.PREDICT: Pair(
        spec(
            PREDICT
            + """
        kind: predict
        model: ${{ datasets.model }}
        data: ${{ datasets.cells }}
        serving: {code: src, entry: run.py, content_types: [text/csv]}
""".lstrip("\n"),
            "",
        ),
        spec(
            PREDICT
            + """
        run: python run.py ${{ inputs.model }} ${{ inputs.data }}
        code: src
        inputs: {model: "${{ datasets.model }}", data: "${{ datasets.cells }}"}
""".lstrip("\n"),
            "",
        ),
    ),
    Feature.NATIVE: added(NATIVE),
    Feature.STAND_IN: added(NATIVE),
    Feature.NESTED: Pair(using(f"kind: pipeline, uses: inner.yaml, {CELLS}"), INLINE),
    Feature.COMPONENT: Pair(using(f"uses: clean.yaml, {CELLS}"), INLINE),
    Feature.OPTIONAL_SEGMENT: step(
        'run: "cat $[[ ${{ inputs.cells }} ]]", inputs: {cells: {value: "${{ datasets.cells }}", optional: true}}'
    ),
}

SAME = frozenset({Feature.COMMAND, Feature.OPTIONS, Feature.OPTIONAL_DATASET, Feature.BUILTIN_ALGORITHM})
"""Features for which there is no spec without them that could have another document."""
