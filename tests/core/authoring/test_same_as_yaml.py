from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import penstock as ps
from penstock import discovery

ROOT = Path(__file__).parents[3]
IN_PYTHON = Path(__file__).with_name("tumour_for_tests.py")
IN_YAML = ROOT / "specs" / "tumour" / "pipeline.yaml"


@pytest.fixture(scope="module")
def tumour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tumour pipeline, with the Python form beside the YAML."""
    folder = tmp_path_factory.mktemp("tumour")
    for name in ("src", "data"):
        shutil.copytree(IN_YAML.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(IN_YAML, folder)
    shutil.copy(IN_PYTHON, folder / "pipeline.py")
    return folder


def test_python_and_yaml_make_the_same_spec(tumour: Path) -> None:
    assert ps.load(tumour / "pipeline.py") == ps.load(tumour / "pipeline.yaml")


@pytest.mark.parametrize("target", sorted(discovery.targets()))
def test_python_and_yaml_compile_to_the_same_bytes(tumour: Path, target: str) -> None:
    from_python = ps.compile(tumour / "pipeline.py", target)
    from_yaml = ps.compile(tumour / "pipeline.yaml", target)

    assert from_python.texts == from_yaml.texts
    assert from_python.assets == from_yaml.assets


def test_neither_has_findings_that_the_other_lacks(tumour: Path) -> None:
    found = {
        name: [(each.code, each.message) for each in ps.check(tumour / f"pipeline.{name}")]
        for name in ("py", "yaml")
    }

    assert found["py"] == found["yaml"]


def test_a_pipeline_from_yaml_goes_back_to_the_yaml_it_came_from(tumour: Path) -> None:
    pipeline = ps.Pipeline.from_yaml(tumour / "pipeline.yaml")

    (tumour / "again.yaml").write_text(pipeline.to_yaml())

    assert ps.load(tumour / "again.yaml") == ps.load(tumour / "pipeline.yaml")


def test_a_pipeline_from_yaml_can_be_gone_on_with(tumour: Path) -> None:
    pipeline = ps.Pipeline.from_yaml(tumour / "pipeline.yaml")
    evaluate = pipeline["evaluate"]

    pipeline.fail("no_numbers", when=evaluate.outputs.report["recall"] < 0.5, message="hopeless")

    assert pipeline.steps()[-1] == "no_numbers"
    assert pipeline.check() == ps.check(tumour / "pipeline.yaml")


def test_it_reads_like_the_yaml() -> None:
    document = ps.Pipeline.from_yaml(IN_YAML).to_yaml()
    written = IN_YAML.read_text(encoding="utf-8")

    ours = {line.strip() for line in document.splitlines()}
    same = [line for line in written.splitlines() if line.strip() in ours]
    # The rest is what a person broke, or quoted, otherwise.
    assert len(same) > 0.75 * len(written.splitlines())


def test_the_two_columns_of_the_readme_are_one_pipeline(tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The same in Python\n")[2]
    for language, name in (("yaml", "pipeline.yaml"), ("python", "pipeline.py")):
        (tmp_path / name).write_text(section.partition(f"```{language}\n")[2].partition("```")[0])

    assert ps.load(tmp_path / "pipeline.py") == ps.load(tmp_path / "pipeline.yaml")


def test_the_function_of_the_readme_can_be_a_step(tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The same in Python\n")[2]
    blocks = [each.partition("```")[0] for each in section.split("```python\n")[1:3]]
    (tmp_path / "pipeline.py").write_text(blocks[0] + blocks[1].replace('"fit", fit', '"fit_again", fit'))

    step = ps.load(tmp_path / "pipeline.py").model_dump()["steps"]["fit_again"]

    assert step["description"] == "Fit boosted trees."
    assert step["environment"] == "sklearn"
