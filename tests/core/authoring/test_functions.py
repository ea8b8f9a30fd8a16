from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock as ps
from penstock import discovery
from penstock.authoring.shipping import code_folder
from penstock.errors import PenstockError, SpecError

PIPELINE = '''
from typing import Literal, Optional

import penstock as ps
from penstock import Pipeline, step
from parts.numbers import total

FLOOR = 0.5
pipeline = Pipeline("probe")
rows = pipeline.dataset("rows", "file", path="rows.csv")
times = pipeline.parameter("times", "integer", default=3)


@step
def prepare(
    rows: ps.File, kept: ps.Output[ps.Folder], scale: float = 1.5, loud: bool = False, way: Literal["a", "b"] = "a"
) -> None:
    """Add the rows up,
    and scale them.

    More than anyone needs to know.
    """
    (kept / "sum.txt").write_text(f"{total(rows) * scale} {loud} {way}")


@ps.step(kind="train", returns="report", files={"report": "evaluation.json"}, retry={"attempts": 2})
def fit(
    kept: ps.Folder, model: ps.Output[ps.Model], times: int, prior: Optional[ps.MetricsFile] = None
) -> ps.Metrics:
    text = (kept / "sum.txt").read_text()
    (model / "weights").write_text(text * times)
    return {"length": len(text) * times, "floor": FLOOR, "first": prior is None, "odd": float("nan")}


@step
def judge(report: ps.Metrics, floor: float) -> ps.Metrics:
    import sys

    print("penstock from", getattr(sys.modules["penstock"], "__file__", "nowhere"))
    print("pydantic", "pydantic" in sys.modules)
    return {"enough": report["length"] > floor}


one = pipeline.step("prepare", prepare, inputs={"rows": rows, "loud": True})
two = pipeline.step("fit", fit, inputs={"kept": one.outputs.kept, "times": times})
three = pipeline.step("judge", judge, inputs={"report": two.outputs.report, "floor": FLOOR})
pipeline.fail("stop", when=three.outputs.metrics["enough"] == False, message="short")
pipeline.output("model", two.outputs.model)
assert len(pipeline.steps()) == 4
first, *others = pipeline.steps()
for each in others:
    assert pipeline[each].name
'''


@pytest.fixture
def written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PENSTOCK_PROJECT", str(shop.folder))
    shop.file("pipeline.py", PIPELINE)
    shop.file("rows.csv", "1 2 3")
    shop.file("parts/__init__.py")
    shop.file("parts/numbers.py", "from . import _sum\ndef total(path): return _sum.add(path.read_text())\n")
    shop.file("parts/_sum.py", "def add(text): return sum(map(int, text.split()))\n")
    shop.file("parts/unused.py", "raise SystemError\n")
    return shop


def run(shop: Shop) -> ps.Run:
    return ps.run(shop.folder / "pipeline.py", project=shop.folder, watch=shop.events.append)


def test_functions_run_as_steps_with_nothing_of_penstock_in_their_process(written: Shop) -> None:
    made = run(written)

    assert made.succeeded
    assert text_of(made, "prepare", "kept") == "9.0 True a"
    assert text_of(made, "fit", "model") == "9.0 True a" * 3
    assert made.metrics["fit"]["report"] == {"length": 30, "floor": 0.5, "first": True, "odd": None}
    assert made.metrics["judge"]["metrics"] == {"enough": True}
    assert written.lines("judge") == ["penstock from nowhere", "pydantic False"]


def test_the_signature_gives_the_ports(written: Shop) -> None:
    spec = ps.load(written.folder / "pipeline.py").model_dump(exclude_defaults=True)

    prepare, fit = spec["steps"]["prepare"], spec["steps"]["fit"]
    assert prepare["description"] == "Add the rows up, and scale them."
    assert prepare["inputs"] == {"rows": {"value": "${{ datasets.rows }}"}, "loud": {"value": True}}
    assert prepare["outputs"] == {"kept": {"type": "folder"}}
    assert prepare["run"][:7] == [
        *("python", "penstock_step.py", "pipeline:prepare"),
        *("--rows", "${{ inputs.rows }}", "--loud:boolean", "${{ inputs.loud }}"),
    ]
    assert fit["kind"] == "train"
    assert fit["retry"] == {"attempts": 2}
    assert fit["outputs"] == {
        "model": {"type": "model"},
        "report": {"type": "metrics", "file": "evaluation.json"},
    }


def test_what_ships_is_the_module_its_local_imports_and_the_driver(written: Shop) -> None:
    step = ps.load(written.folder / "pipeline.py").model_dump()["steps"]["fit"]

    folder = written.folder / step["code"]
    assert folder.parent == written.folder / ".penstock" / "functions"
    files = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())
    assert files == [
        "parts/__init__.py",
        "parts/_sum.py",
        "parts/numbers.py",
        "penstock_step.py",
        "pipeline.py",
    ]


def test_the_code_folder_is_named_for_its_content(written: Shop) -> None:
    def code() -> Path:
        steps = ps.load(written.folder / "pipeline.py").model_dump()["steps"]
        return written.folder / str(steps["fit"]["code"])

    first = code()
    assert code() == first
    (first / "pipeline.py").write_text("changed by hand")
    assert code() == first
    assert (first / "pipeline.py").read_text() == PIPELINE
    written.file("parts/_sum.py", "def add(text): return 0\n")
    assert code() != first


def test_a_written_pipeline_is_whole(written: Shop, tmp_path: Path) -> None:
    from penstock.authoring.script import load_script

    loaded = load_script(written.folder / "pipeline.py")
    assert loaded.spec is not None
    probe = f"""
        import runpy, sys
        sys.path.insert(0, {str(written.folder)!r})
        made = runpy.run_path({str(written.folder / "pipeline.py")!r}, run_name="pipeline")
        made["pipeline"].write({str(tmp_path / "out" / "deep" / "pipeline.yaml")!r})
    """
    subprocess.run([sys.executable, "-c", dedent(probe)], check=True, cwd=written.folder)
    for name in ("pipeline.py", "parts/_sum.py", "parts/numbers.py", "parts/__init__.py"):
        (written.folder / name).unlink()

    made = ps.run(tmp_path / "out" / "deep" / "pipeline.yaml", project=written.folder)

    assert made.succeeded
    step = ps.load(tmp_path / "out" / "deep" / "pipeline.yaml").model_dump()["steps"]["fit"]
    assert step["code"].startswith("functions/pipeline-")
    assert ps.load(tmp_path / "out" / "deep" / "pipeline.yaml").datasets["rows"].path == "../../rows.csv"


def test_called_directly_a_function_is_what_it_was(tmp_path: Path) -> None:
    @ps.step(kind="train")
    def fit(data: ps.File, model: ps.Output[ps.Model], depth: int = 4) -> ps.Metrics:
        """Fit."""
        model.write_text(data.read_text() * depth)
        return {"depth": depth}

    (tmp_path / "data").write_text("x")

    assert fit(tmp_path / "data", tmp_path / "model", depth=2) == {"depth": 2}
    assert (tmp_path / "model").read_text() == "xx"
    assert fit.function.__name__ == "fit" and fit.__doc__ == "Fit."


def refused(shop: Shop, code: str, text: str) -> str:
    """Load a file and give the message of its one finding, its excerpt marked."""
    shop.file("pipeline.py", "import penstock as ps\npipeline = ps.Pipeline('probe')\n" + dedent(text))
    (found,) = ps.check(shop.folder / "pipeline.py")
    assert found.code == code, found
    assert found.hint and found.place
    start = found.place.column - 1
    marked = found.place.excerpt[start : start + found.place.length]
    return f"{found.message} | {marked}"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("f = ps.step(lambda a: None)", "a lambda cannot be a step | f = ps.step(lambda a: None)"),
        (
            "@ps.step\ndef f(*rows: ps.File) -> None: ...",
            "f() cannot be a step: 'rows' has no name of its own for callers | rows",
        ),
        (
            "@ps.step\ndef f(rows) -> None: ...",
            "f() cannot be a step: parameter 'rows' has no annotation | rows",
        ),
        (
            "@ps.step\ndef f(\n    a: int,\n    rows: list,\n) -> None: ...",
            "f() cannot be a step: parameter 'rows' has the type list, which no port has | rows",
        ),
        (
            "@ps.step\ndef f(a: int) -> float: ...",
            "f() cannot be a step: it returns something other than metrics | def f(a: int) -> float: ...",
        ),
        (
            "@ps.step\ndef f(a: 'Gone') -> None: ...",
            "f() cannot be a step: an annotation cannot be understood: name 'Gone' is not defined "
            "| def f(a: 'Gone') -> None: ...",
        ),
        (
            "@ps.step\ndef f(metrics: ps.Output[ps.File]) -> ps.Metrics: ...",
            "f() cannot be a step: 'metrics' is both written and returned | metrics",
        ),
        (
            "@ps.step(files={'x': 'a.json'})\ndef f(a: int) -> ps.Metrics: ...",
            "f() cannot be a step: it has no output 'x' to name a file for | def f(a: int) -> ps.Metrics: ...",
        ),
        (
            "def make():\n    @ps.step\n    def f(a: int) -> None: ...\n    return f\nf = make()",
            "f() cannot be a step: it stands inside another function | def f(a: int) -> None: ...",
        ),
        (
            "class A:\n    @ps.step\n    def f(self, a: int) -> None: ...\nf = A.f",
            "f() cannot be a step: it is a method | def f(self, a: int) -> None: ...",
        ),
        ("def f(a: int) -> None: ...", "f() is no step function yet | 'one'"),
        (
            "@ps.step\nasync def f(a: int) -> None: ...",
            "f() cannot be a step: it is a coroutine or a generator | async def f(a: int) -> None: ...",
        ),
    ],
)
def test_a_function_that_cannot_be_a_step(shop: Shop, function: str, said: str) -> None:
    assert refused(shop, "P145", f"{function}\npipeline.step('one', f, inputs={{'a': 1}})\n") == said


BUILT = "which exists only while the pipeline is built"
TAKEN = "its name is given to something else here, and the module would hold that"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("@ps.step\ndef f() -> None: print(1 > floor)\ng = f", f"it reads 'floor', {BUILT} | floor"),
        (
            "@ps.step\ndef f() -> None:\n    return [\n        [1 for _ in 'ä' if floor]\n    ]\ng = f",
            f"it reads 'floor', {BUILT} | floor",
        ),
        (
            "def much():\n    return floor\n@ps.step\ndef f() -> None:\n    much()\ng = f",
            f"it reads 'floor', {BUILT} | floor",
        ),
        ("@ps.step\ndef f() -> None:\n    pipeline.run()\ng = f", f"it reads 'pipeline', {BUILT} | pipeline"),
        (
            "LIMIT = len(pipeline.steps())\n@ps.step\ndef f() -> None:\n    print(LIMIT)\ng = f",
            f"it reads 'LIMIT', {BUILT} | LIMIT",
        ),
        (
            "import near\n@ps.step\ndef f() -> None:\n    much()\nfrom near import much\ng = f",
            f"it reads 'HERE', {BUILT} | HERE",
        ),
        ("@ps.step\ndef f() -> None: ...\ng = f\nf = pipeline.condition('c', 'true')", f"{TAKEN} | f = pip"),
        ("def f() -> None: ...\ng = f = ps.step(f)", f"{TAKEN} | g = f ="),
    ],
)
def test_what_only_building_makes_is_not_there_in_a_step(shop: Shop, lines: str, said: str) -> None:
    shop.file(
        "near.py", "import penstock\nHERE = penstock.expression('1 > 0')\ndef much():\n    return HERE\n"
    )
    text = f"floor = pipeline.parameter('floor', 'number', default=1)\n{lines}\npipeline.step('one', g)\n"

    assert refused(shop, "P145", text).startswith(f"f() cannot be a step: {said}")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("open('codes.csv')", "codes.csv"),
        ("pd.read_csv('deep/codes.csv')", "deep/codes.csv"),
        ("(Path(__file__).parent / 'deep' / 'codes.csv').open()", "deep/codes.csv"),
        ("os.path.join(os.path.dirname(__file__), 'codes.csv')", "codes.csv"),
        ("(CODES / 'codes.csv').open()", "codes.csv"),
        ("list((HERE / 'deep').iterdir())", "deep"),
        ("files('kit').joinpath('codes.csv')", "codes.csv"),
        # What a step writes may have the name of a file that lies here.
        ("(out / 'codes.csv').write_text('')", ""),
        ("out.joinpath('codes.csv')", ""),
        ("os.path.join(out, 'codes.csv')", ""),
        ("open('gone.csv')", ""),
        ("open('/etc/passwd')", ""),
        ("print('near.py', 'x' * 3, chr(0), 'a\\0b', '.')", ""),
        ("open('.')", ""),
    ],
)
@pytest.mark.parametrize("module", ["pipeline", "near"])
def test_a_file_that_stays_behind_is_warned_of(shop: Shop, line: str, named: str, module: str) -> None:
    for each in ("codes.csv", "deep/codes.csv", "rows.csv"):
        shop.file(each, "x\n")
    body = "import os\nfrom pathlib import Path\nHERE = Path(__file__).parent\nCODES = HERE\n"
    does = f"{body}def does(out):\n    {line}\n"
    shop.file("near.py", does if module == "near" else "")
    shop.file(
        "pipeline.py",
        f"import near\nimport penstock as ps\n{does if module == 'pipeline' else 'from near import does'}\n"
        "pipeline = ps.Pipeline('probe')\nrows = pipeline.dataset('rows', 'file', path='rows.csv')\n"
        "@ps.step\ndef f(rows: ps.File) -> None:\n    does(rows)\n"
        "for name in ('one', 'two'):\n    pipeline.step(name, f, inputs={'rows': rows})\n",
    )

    found = ps.check(shop.folder / "pipeline.py")

    assert [each.code for each in found] == (["P148"] if named else [])
    for warned in found:
        assert f"'{named}' lies beside" in warned.message
        assert warned.place and warned.place.file.endswith(f"{module}.py")
        assert warned.place.excerpt[warned.place.column - 1 :].startswith(named.split("/")[0])


def test_every_function_that_cannot_be_shipped_is_told_at_once(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        "import penstock as ps\npipeline = ps.Pipeline('probe')\n"
        "@ps.step\ndef f() -> None:\n    pipeline\n@ps.step\ndef g() -> None:\n    pipeline\n"
        "pipeline.step('one', f)\npipeline.step('two', g)\npipeline.step('three', g)\n",
    )

    found = ps.check(shop.folder / "pipeline.py")

    assert [(each.code, each.place.line if each.place else 0) for each in found] == [("P145", 5), ("P145", 8)]


def test_names_that_building_does_not_make_may_be_read(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        """
from typing import Annotated
import penstock as ps
pipeline = ps.Pipeline("probe")
Rows = Annotated[ps.File, "rows"]
LIMIT = 3
floor = pipeline.parameter("floor", "number", default=1)
def lower(floor: float) -> float:
    return floor - LIMIT
@ps.step
def other() -> None:
    lower(1)
@ps.step
def f() -> ps.Metrics:
    pipeline: Rows = None
    floor = 4
    other()
    return {"low": lower(floor), "rows": Rows is None}
pipeline.step("one", f)
for name in ("two", "three"):
    step = pipeline.step(name, f)
""",
    )

    assert run(shop).metrics["two"]["metrics"] == {"low": 1, "rows": False}


def test_a_function_without_a_file() -> None:
    scope: dict[str, object] = {"__name__": "__main__"}
    exec("import penstock as ps\n@ps.step\ndef f(a: int) -> None: ...\n", scope)
    pipeline = ps.Pipeline("probe")

    with pytest.raises(SpecError) as fault:
        pipeline.step("one", scope["f"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    (found,) = fault.value.diagnostics
    assert found.code == "P145"
    assert "notebook" in found.message and "import it" in found.hint


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("{'a': 1, 'bb': 2, 'b': 3}", "step 'one' binds 'bb', which f() does not take | 'bb'"),
        ("{'a': 1}", "step 'one' does not bind 'b', which f() needs | inputs"),
        ("{'a': 1, 'b': 'four'}", "step 'one' binds 'four' to 'b' of f() | 'four'"),
        ("{'a': 4.7, 'b': 1}", "step 'one' binds 4.7 to 'a' of f() | 4.7"),
        ("{'a': True, 'b': 1}", "step 'one' binds True to 'a' of f() | True"),
        ("{'a': 1, 'b': {'value': 'x'}}", "step 'one' binds 'x' to 'b' of f() | 'b'"),
        ("{'a': 1, 'b': 1, 'way': 'c'}", "step 'one' binds 'c' to 'way' of f() | 'c'"),
    ],
)
def test_inputs_that_do_not_fit(shop: Shop, inputs: str, said: str) -> None:
    text = f"""from typing import Literal
@ps.step
def f(a: int, b: int, c: float = 1, way: Literal['a', 'b'] = 'a') -> None: ...
pipeline.step('one', f, inputs={inputs})
"""

    assert refused(shop, "P146", text) == said


def test_a_local_module_that_is_no_python(shop: Shop) -> None:
    shop.file("late.py", "x = = 1\n")
    shop.file(
        "pipeline.py",
        "import penstock as ps\npipeline = ps.Pipeline('probe')\n"
        "@ps.step\ndef f(a: int) -> None:\n    import late\npipeline.step('one', f, inputs={'a': 1})\n",
    )

    (found,) = ps.check(shop.folder / "pipeline.py")

    assert found.code == "P147"
    assert found.place and found.place.file.endswith("late.py") and found.place.excerpt == "x = = 1"


def test_a_folder_that_cannot_be_written(written: Shop) -> None:
    written.file(".penstock/functions", "in the way")

    found = ps.check(written.folder / "pipeline.py")

    assert [each.code for each in found] == ["P480"]


def test_an_artifact_of_another_type_is_seen_as_the_function_says(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        """
import penstock as ps
from penstock import discovery
from penstock.authoring.shipping import code_folder
pipeline = ps.Pipeline("probe")
made = pipeline.train("made", run="true ${{ outputs.model }}", outputs={"model": "model"})
@ps.step
def look(model: ps.Folder, other: ps.Folder) -> ps.Metrics:
    return {"files": len(list(model.iterdir()))}
pipeline.step("look", look, inputs={"model": made.outputs.model, "other": made.outputs["model"]})
""",
    )

    made = run(shop)

    assert made.metrics["look"]["metrics"] == {"files": 0}
    inputs = ps.load(shop.folder / "pipeline.py").model_dump(exclude_defaults=True)["steps"]["look"]["inputs"]
    assert inputs["model"] == {"value": "${{ steps.made.outputs.model }}", "type": "folder"}


def test_an_input_that_may_stay_unbound(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        """
import penstock as ps
from penstock import discovery
from penstock.authoring.shipping import code_folder
pipeline = ps.Pipeline("probe")
champion = pipeline.dataset("champion", "metrics", optional=True)
@ps.step
def look(champion: ps.Metrics | None = None) -> ps.Metrics:
    return {"first": champion is None}
pipeline.step("look", look, inputs={"champion": ps.InputPort(value=champion, optional=True)})
""",
    )

    spec = ps.load(shop.folder / "pipeline.py").model_dump()["steps"]["look"]
    assert spec["run"][3] == ["--champion:metrics", "${{ inputs.champion }}"]
    shop.file("champion.json", json.dumps({"recall": 1}))
    made = ps.run(
        shop.folder / "pipeline.py",
        project=shop.folder,
        datasets={"champion": shop.folder / "champion.json"},
    )
    assert made.metrics["look"]["metrics"] == {"first": False}


def test_a_failing_function_shows_the_line_of_its_own_file(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        "import penstock as ps\n\npipeline = ps.Pipeline('probe')\n\n\n@ps.step\ndef f(a: int) -> None:\n"
        "    raise ValueError(a)\n\n\npipeline.step('one', f, inputs={'a': 4})\n",
    )

    made = run(shop)

    assert made.states["one"] == "failed"
    assert [each for each in shop.lines("one") if "pipeline.py" in each][-1].endswith("line 8, in f")
    assert shop.lines("one")[-1] == "ValueError: 4"


def test_what_is_no_dictionary_is_told(shop: Shop) -> None:
    shop.file(
        "pipeline.py",
        "import penstock as ps\npipeline = ps.Pipeline('probe')\n@ps.step\ndef f(a: int) -> ps.Metrics:\n"
        "    return a\npipeline.step('one', f, inputs={'a': 4})\n",
    )

    made = run(shop)

    assert made.states["one"] == "failed"
    assert shop.lines("one") == ["f returned int, and metrics are a dictionary"]


def test_penstock_errors_are_one_family() -> None:
    assert issubclass(SpecError, PenstockError)


def test_compiled_from_another_folder_it_is_the_same(
    written: Shop, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "deep"
    shutil.copytree(written.folder, elsewhere)
    link = elsewhere.parent / "link"
    link.symlink_to(elsewhere)

    made: list[dict[str, object]] = []
    for folder in (written.folder, elsewhere, link):
        monkeypatch.setenv("PENSTOCK_PROJECT", str(folder))
        bundles = {name: ps.compile(folder / "pipeline.py", name) for name in discovery.targets()}
        made.append({name: each.texts for name, each in bundles.items()})

    assert made[0] == made[1] == made[2]


def test_a_module_among_installed_packages_ships_its_own_package_alone(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    for name, text in {
        "ours/__init__.py": "",
        "ours/steps.py": "import penstock as ps\nimport other, ours.near\n@ps.step\ndef f(a: int) -> None: ...\n",
        "ours/near.py": "",
        "other.py": "",
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    scope = {"__name__": "ours.steps", "__file__": str(site / "ours" / "steps.py")}
    exec(compile("def f(a: int) -> None: ...", scope["__file__"], "exec"), scope)

    shipped = code_folder(scope["f"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert sorted(shipped.files) == ["ours/__init__.py", "ours/near.py", "ours/steps.py", "penstock_step.py"]
