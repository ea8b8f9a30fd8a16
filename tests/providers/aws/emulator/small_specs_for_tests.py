"""Small pipelines that together say what the language can say, each to be run on `local` and compiled.

`MARK` in a text stands for a path that is there on neither target before the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.kinds_for_tests import CLEAN, INNER, MODEL_FN, SHOW

TOOLKIT = """
    environments: {lab: {python: ">=3.11", image: {sagemaker: "builtin:pytorch:2.4"}}}
"""
"""Trials are started by a toolkit, which only a framework's images have."""
PARTS = {"parts/a.csv": "k,n\nx,1\n", "parts/b c.csv": "k,n\ny,2\n", "parts/deep/d.csv": "k,n\nx,3\n"}
ODD = ["'", '"', "$(touch x)", "`touch x`", "a  b", "", "*", "-rf", "$HOME", "${1}", "a;touch x", "\\n", "ü"]
DUMP = (
    "import json, os, sys\nfound = {key: each for key, each in os.environ.items() if key[0] == 'v'}\n"
    "json.dump([sys.argv[2:], found], open(sys.argv[1], 'w'), sort_keys=True)\n"
)


@dataclass(frozen=True)
class Small:
    """A pipeline, the files beside it, and what a run of it is given."""

    text: str
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ends: str = "succeeded"


def _values(run: str, word: str, variable: str) -> str:
    names = [f"v{number}" for number in range(len(ODD))]
    parameters = "".join(f"      {name}: {{type: string}}\n" for name in names)
    inputs = "".join(f"          {name}: ${{{{ parameters.{name} }}}}\n" for name in names)
    variables = "".join(variable.replace("NAME", name) for name in names)
    words = run.replace("WORDS", "".join(word.replace("NAME", name) for name in names))
    return f"""
    parameters:
{parameters}    steps:
      one:
        run: {words}
        code: src
        inputs:
{inputs}        outputs: {{o: metrics}}
        env:
{variables}
"""


def _search(sampling: str, space: str, more: str = "limits: {trials: 3, parallel: 2}") -> str:
    return f"""{TOOLKIT}
    steps:
      tune:
        kind: tune
        environment: lab
        run: |
          echo "{{\\"loss\\": 0.${{{{ inputs.x }}}}, \\"word\\": \\"w\\"}}" > ${{{{ outputs.m }}}}
          echo ${{{{ inputs.x }}}} > ${{{{ outputs.model }}}}/x
        outputs: {{model: model, m: metrics}}
        search_space: {{x: {space}}}
        sampling: {sampling}
        seed: 7
        objective: {{metric: loss, goal: minimize}}
        {more}
      use:
        run: cat ${{{{ inputs.model }}}}/x ${{{{ inputs.m }}}} > ${{{{ outputs.o }}}}
        inputs: {{model: "${{{{ steps.tune.outputs.model }}}}", m: "${{{{ steps.tune.outputs.m }}}}"}}
        outputs: {{o: file}}
"""


def _map(over: str, run: str, more: str = "", other: str = "", ends: str = "succeeded") -> Small:
    return Small(
        f"""
    datasets: {{parts: {{type: folder, path: parts}}}}
    steps:
      each:
        kind: map
        over: {over}
        run: {run}
        outputs: {{o: {{type: file, file: o.txt}}{other}}}
        {more}
      all:
        run: cat ${{{{ inputs.made }}}}/*/o.txt > ${{{{ outputs.o }}}}
        inputs: {{made: "${{{{ steps.each.outputs.o }}}}"}}
        outputs: {{o: file}}
""",
        PARTS,
        ends=ends,
    )


JUDGED = """
    parameters: {floor: {type: number, default: 0.5}, mode: {type: string, default: slow}}
    conditions:
      good: "${{ steps.judge.outputs.report.deep.score >= parameters.floor }}"
      named: "${{ steps.judge.outputs.report.word == 'so so' and not (parameters.mode in ['fast', 'faster']) }}"
      either: "${{ steps.judge.outputs.report.deep.score > 0.9 or steps.judge.outputs.report.fine == true }}"
      exact: "${{ steps.judge.outputs.report['macro avg'] == 0.25 and steps.judge.outputs.report.list[1] != 3 }}"
    steps:
      judge:
        run: |
          echo '{"deep": {"score": 0.75}, "word": "so so", "fine": true, "macro avg": 0.25, "list": [1, 2]}' > ${{ outputs.report }}
        outputs: {report: metrics}
      is_good: {run: "echo good > ${{ outputs.o }}", when: "${{ conditions.good }}", outputs: {o: file}}
      after_good: {run: "cat ${{ inputs.o }}", inputs: {o: "${{ steps.is_good.outputs.o }}"}}
      is_named: {run: "true", when: "${{ conditions.named }}"}
      is_either: {run: "true", when: "${{ conditions.either }}"}
      is_exact: {run: "true", when: "${{ conditions.exact }}"}
      both: {run: "true", when: "${{ conditions.either }}", inputs: {o: "${{ steps.is_good.outputs.o }}"}}
      fast: {run: "true", when: "${{ parameters.mode == 'fast' }}"}
      stop:
        kind: fail
        when: ${{ not conditions.good }}
        after: [is_either, is_exact]
        message: "it is ${{ steps.judge.outputs.report.deep.score }} (${{ steps.judge.outputs.report.word }}), below ${{ parameters.floor }}"
    goal:
      statement: Be good.
      kpis:
        - {name: score, value: "${{ steps.judge.outputs.report.deep.score }}", target: ">= 0.7"}
        - {name: macro, value: "${{ steps.judge.outputs.report['macro avg'] }}", target: "> 0.25"}
    outputs: {report: "${{ steps.judge.outputs.report }}", good: "${{ steps.is_good.outputs.o }}"}
"""  # noqa: E501
SCORED = """
    datasets: {rows: {type: folder, path: rows}, model: {type: model, path: model}}
    steps:
      fit: {kind: train, run: "echo fit > ${{ outputs.model }}/w", outputs: {model: model}}
      trained:
        kind: predict
        model: ${{ steps.fit.outputs.model }}
        data: ${{ datasets.rows }}
        serving: {code: src, entry: inference.py, content_types: [application/json]}
      given:
        kind: predict
        model: ${{ datasets.model }}
        data: ${{ datasets.rows }}
        serving: {code: src, entry: inference.py, content_types: [application/json]}
"""
ROWS = {
    "rows/a.json": "[1, 2]",
    "rows/deep/b c.json": "[3]",
    "model/w": "given",
    "src/inference.py": MODEL_FN
    + "def predict_fn(data, model):\n    return [model + str(each) for each in data]\n",
}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"

SPECS: dict[str, Small] = {
    "values in a command": Small(
        _values(
            "'python dump.py ${{ outputs.o }}WORDS'",
            """ ${{ inputs.NAME }} "${{ inputs.NAME }}" --v=${{ inputs.NAME }}.""",
            '          NAME: "<${{ parameters.NAME }}>"\n',
        ),
        {"src/dump.py": DUMP},
        {"parameters": {f"v{number}": each for number, each in enumerate(ODD)}},
    ),
    "values in words": Small(
        _values(
            '[python, dump.py, "${{ outputs.o }}"WORDS]',
            ', "${{ inputs.NAME }}", "--v=${{ inputs.NAME }}."',
            "          NAME: ${{ parameters.NAME }}\n",
        ),
        {"src/dump.py": DUMP},
        {"parameters": {f"v{number}": each for number, each in enumerate(ODD)}},
    ),
    "numbers, booleans, variables": Small(
        """
    parameters: {i: {type: integer}, n: {type: number}, tiny: {type: number, default: 1e-7}, yes: {type: boolean}}
    defaults: {env: {MODE: "a  'b' \\"c\\" $HOME", EMPTY: ""}}
    steps:
      show:
        run: |
          echo ${{ inputs.i }} ${{ inputs.n }} ${{ inputs.tiny }} ${{ inputs.yes }} ${{ inputs.fixed }} > ${{ outputs.o }}
          echo "$MODE|$EMPTY|$COUNT|${OTHER-unset}" >> ${{ outputs.o }}
        inputs:
          i: ${{ parameters.i }}
          n: ${{ parameters.n }}
          tiny: ${{ parameters.tiny }}
          yes: ${{ parameters.yes }}
          fixed: "of ${{ parameters.i }}, ${{ parameters.n }}"
        env: {COUNT: "${{ parameters.i }}"}
        outputs: {o: file}
""",  # noqa: E501
        asked={"parameters": {"i": -12, "n": 2.0, "yes": True}},
    ),
    "artifacts of every type": Small("""
    steps:
      make:
        run: |
          echo f > ${{ outputs.f }}; chmod 755 ${{ outputs.f }}
          mkdir -p "${{ outputs.d }}/deep/er" && echo d > "${{ outputs.d }}/deep/er/x y.txt"; : > ${{ outputs.d }}/empty
          printf 'a,b\\n1,2\\n' > ${{ outputs.t }}/t.csv
          echo w > ${{ outputs.model }}/w
          echo '{"a": 1.50, "b": [null, "x"]}' > ${{ outputs.m }}
        outputs: {f: {type: file, file: f.sh}, d: folder, t: table, model: model, m: {type: metrics, file: m.json}}
      read:
        run: |
          cat ${{ inputs.f }} ${{ inputs.m }} ${{ inputs.t }}/*.csv ${{ inputs.model }}/w > ${{ outputs.o }}
          (cd ${{ inputs.d }}; find . -type f | sort) >> ${{ outputs.o }}
          basename ${{ inputs.f }} >> ${{ outputs.o }}
        inputs:
          f: ${{ steps.make.outputs.f }}
          d: ${{ steps.make.outputs.d }}
          t: ${{ steps.make.outputs.t }}
          model: ${{ steps.make.outputs.model }}
          m: ${{ steps.make.outputs.m }}
        outputs: {o: file}
      fit:
        kind: train
        run: |
          cat ${{ inputs.f }} > ${{ outputs.model }}/w; echo '{"loss": 0.5}' > ${{ outputs.m }}
          echo 1 > ${{ outputs.d }}/1; cp ${{ inputs.t }}/t.csv ${{ outputs.t2 }}/; echo f > ${{ outputs.f2 }}
        inputs: {f: "${{ steps.make.outputs.f }}", t: "${{ steps.make.outputs.t }}"}
        outputs: {model: model, m: metrics, d: folder, t2: table, f2: {type: file, file: fit.txt}}
      use:
        run: |
          cat ${{ inputs.model }}/w ${{ inputs.m }} ${{ inputs.d }}/1 ${{ inputs.t }}/t.csv ${{ inputs.f }} > ${{ outputs.o }}
          tar -tzf ${{ inputs.packed }} | sed 's|^[.]/||' | grep -v '/$' | sort >> ${{ outputs.o }}
        inputs:
          model: ${{ steps.fit.outputs.model }}
          packed: {value: "${{ steps.fit.outputs.model }}", packed: true}
          m: ${{ steps.fit.outputs.m }}
          d: ${{ steps.fit.outputs.d }}
          t: ${{ steps.fit.outputs.t2 }}
          f: ${{ steps.fit.outputs.f2 }}
        outputs: {o: file}
"""),  # noqa: E501
    "inputs in other places and modes": Small(
        """
    datasets: {parts: {type: folder, path: parts}, one: {type: file, path: parts/a.csv}}
    steps:
      fixed:
        run: (cat "/opt/ml/processing/fixed place/a.csv" || cat ${{ inputs.parts }}/a.csv) > ${{ outputs.o }}
        inputs: {parts: {value: "${{ datasets.parts }}", at: /opt/ml/processing/fixed place}}
        outputs: {o: file}
      mounted:
        kind: train
        run: cat ${{ inputs.parts }}/a.csv ${{ inputs.parts }}/deep/d.csv ${{ inputs.one }} > ${{ outputs.model }}/w
        inputs:
          parts: {value: "${{ datasets.parts }}", mode: mount}
          one: {value: "${{ datasets.one }}", content_type: text/csv}
        outputs: {model: model}
""",
        PARTS,
    ),
    "several machines, each its share": Small(
        """
    datasets: {parts: {type: folder, path: parts}}
    steps:
      each:
        run: for each in ${{ inputs.parts }}/*.csv; do wc -l < "$each" > "${{ outputs.o }}/$(basename "$each")"; done
        inputs: {parts: {value: "${{ datasets.parts }}", shard: true}}
        outputs: {o: folder}
        compute: {count: 2}
      same:
        run: cp ${{ inputs.parts }}/a.csv ${{ outputs.o }}
        inputs: {parts: "${{ datasets.parts }}"}
        outputs: {o: {type: file, file: a.csv}}
        compute: {count: 2}
""",
        {f"parts/{name}.csv": f"{name}\n" * number for number, name in enumerate("abcd", 1)},
    ),
    "optional inputs that are unset": Small(
        """
    datasets: {more: {type: file, optional: true}, rows: {type: file, path: rows.txt}}
    steps:
      text:
        run: "echo begin $[[ --more ${{ inputs.more }} ]] end > ${{ outputs.o }}"
        inputs: {more: {value: "${{ datasets.more }}", optional: true}}
        outputs: {o: file}
      cleaned: {uses: components/clean.yaml, inputs: {raw: "${{ datasets.rows }}", n: 5}}
""",
        {"components/clean.yaml": CLEAN, "src/show.sh": SHOW, "rows.txt": "rows"},
    ),
    "optional inputs that are set": Small(
        """
    datasets: {more: {type: file, optional: true}, rows: {type: file, path: rows.txt}}
    steps:
      text:
        run: "cat /dev/null $[[ ${{ inputs.more }} ]] > ${{ outputs.o }}"
        inputs: {more: {value: "${{ datasets.more }}", optional: true}}
        outputs: {o: file}
      cleaned:
        uses: components/clean.yaml
        inputs: {raw: "${{ datasets.rows }}", mode: slow, extra: "${{ datasets.more }}"}
""",
        {"components/clean.yaml": CLEAN, "src/show.sh": SHOW, "rows.txt": "rows", "more.txt": "more of it"},
        {"datasets": {"more": "more.txt"}},
    ),
    "pipelines in pipelines": Small(
        """
    parameters: {k: {type: integer, default: 7}}
    datasets: {rows: {type: file, path: rows.txt}}
    steps:
      high: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ datasets.rows }}", k: "${{ parameters.k }}"}}
      low: {kind: pipeline, uses: ./inner.yaml, inputs: {cells: "${{ datasets.rows }}", floor: 0.9}}
      read:
        run: cat ${{ inputs.high }} ${{ inputs.low }} > ${{ outputs.o }}
        inputs: {high: "${{ steps.high.outputs.report }}", low: "${{ steps.low.outputs.report }}"}
        outputs: {o: file}
""",
        {"inner.yaml": INNER, "rows.txt": "rows"},
    ),
    "conditions that hold": Small(JUDGED),
    "conditions that do not hold": Small(
        JUDGED, asked={"parameters": {"floor": 0.8, "mode": "fast"}}, ends="failed"
    ),
    "a map over items": _map(
        """{items: [{key: "NO", d: 4, t: "it's \\"so\\" $(touch x)"}, {key: k.3, d: 6, t: ""}]}""",
        """echo ${{ item.key }} ${{ item.d }} "${{ item.t }}" "$C" | tee ${{ outputs.o }} > ${{ outputs.unread }}/x""",
        'env: {C: "in ${{ item.key }}"}',
        ", unread: folder",
    ),
    "a map over a range": _map(
        "{range: {start: 2, stop: 8, step: 2}}", "echo ${{ item }} > ${{ outputs.o }}"
    ),
    "a map over files": _map('{files: "${{ datasets.parts }}"}', "cp -- ${{ item }} ${{ outputs.o }}"),
    "a map over batches of files": _map(
        '{files: "${{ datasets.parts }}", batch: 2}',
        "find ${{ item }} -type f -exec cat {} + > ${{ outputs.o }}",
    ),
    "a map over groups of a table": _map(
        '{table: "${{ datasets.parts }}", by: [k]}',
        "cat ${{ item }}/* | tr -d '\\r' | sed s/^/${{ item.k }}:/ > ${{ outputs.o }}",
    ),
    "a map that tolerates a failure": _map(
        "{items: [a, b, c]}", "'echo ${{ item }} > ${{ outputs.o }}; test ${{ item }} != b'", "tolerate: 1"
    ),
    "a map that fails": _map(
        "{items: [a, b, c]}", "'echo ${{ item }} > ${{ outputs.o }}; test ${{ item }} != b'", ends="failed"
    ),
    "a search over a grid": Small(_search("grid", "{enum: [4, 7, 2]}")),
    "a search by chance": Small(_search("random", "{type: integer, minimum: 1, maximum: 900}")),
    "a search that learns": Small(_search("bayesian", "{type: integer, minimum: 1, maximum: 900}")),
    "a search whose objective is in the log": Small(f"""{TOOLKIT}
    steps:
      tune:
        kind: tune
        environment: lab
        run: |
          echo "recall=0.1; recall=0.${{{{ inputs.depth }}}}"; echo "recall=" >&2
          echo ${{{{ inputs.depth }}}} > ${{{{ outputs.model }}}}/w
        outputs: {{model: model}}
        search_space: {{depth: {{enum: [4, 7, 5]}}}}
        sampling: grid
        objective: {{metric: recall, goal: maximize, source: log, regex: "recall=([0-9.]+)"}}
        limits: {{trials: 3}}
"""),
    "tried again after any error": Small("""
    steps:
      flaky:
        run: test -d MARK || { mkdir -p MARK; exit 3; }; echo ok > ${{ outputs.o }}
        retry: {attempts: 2, errors: any}
        outputs: {o: file}
"""),
    "never right": Small(
        "steps: {one: {run: exit 3, retry: {attempts: 2, errors: any}}, last: {run: 'true', after: [one]}}",
        ends="failed",
    ),
    "longer than it may take": Small("steps: {one: {run: sleep 60, timeout: 1s}}", ends="failed"),
    "checkpoints": Small("""
    steps:
      fit:
        kind: train
        run: ls -A ${{ outputs.state }} > ${{ outputs.model }}/found; echo 1 > ${{ outputs.state }}/epoch
        outputs: {model: model, state: folder}
        checkpoint: {path: "${{ outputs.state }}"}
"""),
    "registered twice": Small("""
    steps:
      fit: {kind: train, run: "echo w > ${{ outputs.model }}/w", outputs: {model: model}}
      judge: {run: "echo '{\\"a\\": 1}' > ${{ outputs.m }}", outputs: {m: metrics}, after: [fit]}
      first: {kind: register, model: "${{ steps.fit.outputs.model }}", name: one, metrics: "${{ steps.judge.outputs.m }}"}
      second: {kind: register, model: "${{ steps.fit.outputs.model }}", name: two, approval: approved}
"""),  # noqa: E501
    "batch inference": Small(SCORED, ROWS),
    "a function of the service": Small(
        f"""
    steps:
      first: {{run: "echo 7 > ${{{{ outputs.n }}}}", outputs: {{n: file}}}}
      ask:
        kind: native
        inputs: {{word: it's}}
        after: [first]
        sagemaker:
          Type: Lambda
          FunctionArn: {ARN}
          OutputParameters: [{{OutputName: said, OutputType: String}}]
          Arguments: {{word: "${{{{ inputs.word }}}}"}}
        local: {{run: "echo asked ${{{{ inputs.word }}}}"}}
      last: {{run: "true", after: [ask]}}
""",
        {
            "penstock.yaml": f'lambdas: {{"{ARN}": {{handler: "handlers/f.py:answer"}}}}\n',
            "handlers/f.py": "def answer(event, context):\n    return {'said': event['word'] + '!'}\n",
        },
    ),
    "an answer from a queue": Small(
        f"""
    datasets: {{made: {{type: file, path: made.txt}}}}
    steps:
      first: {{run: "echo 7 > ${{{{ outputs.n }}}}/n", outputs: {{n: folder}}}}
      notify:
        kind: native
        inputs: {{n: "${{{{ steps.first.outputs.n }}}}"}}
        outputs: {{data: {{type: folder, from: "OutputParameters['data']"}}}}
        sagemaker:
          Type: Callback
          SqsQueueUrl: {QUEUE}
          OutputParameters: [{{OutputName: data, OutputType: String}}]
          Arguments: {{n: "${{{{ inputs.n }}}}"}}
        local: {{run: "cp ${{{{ inputs.n }}}}/n ${{{{ outputs.data }}}}/n"}}
      use:
        run: cat ${{{{ inputs.data }}}}/n > ${{{{ outputs.o }}}}
        inputs: {{data: "${{{{ steps.notify.outputs.data }}}}"}}
        outputs: {{o: file}}
""",
        {
            "penstock.yaml": f'callbacks: {{"{QUEUE}": {{run: python answer.py}}}}\n',
            "answer.py": "import json, os, sys\nn = json.load(sys.stdin)['arguments']['n']\n"
            "json.dump({'data': n}, open(os.environ['PENSTOCK_ANSWER'], 'w'))\n",
            "made.txt": "",
        },
    ),
    "without a network": Small(
        """
    steps:
      call:
        run: |
          python -c "import socket; socket.create_connection(('127.0.0.1', 9), 5)" || echo no > ${{ outputs.o }}
          python -c "import socket; print(sorted(n for _, n in socket.if_nameindex() if n != 'lo'))" >> ${{ outputs.o }}
        outputs: {o: file}
""",
        asked={"isolate": True},
    ),
}
