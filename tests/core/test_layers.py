"""The rules of the house, held by reading the sources and by looking at what a verb loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "penstock"
PROVIDERS = ROOT / "providers"
PACKAGES = sorted(each.name for each in PROVIDERS.iterdir() if (each / "__init__.py").is_file())
SOURCES = sorted([*CORE.rglob("*.py"), *PROVIDERS.rglob("*.py")])
SDKS = {"boto3", "botocore", "azure", "sagemaker", "moto", "mlflow"}
HEAVY = SDKS | {"pandas", "scipy", "numpy", "sklearn", "optuna", "starlette", "uvicorn"}

CLOUD_WORDS = re.compile(r"sagemaker|azure|amazon|boto|(?<![a-z])aws(?![a-z])", re.IGNORECASE)
MAY_NAME_A_CLOUD = {
    # The package's own docstring shows the call that a reader comes for.
    "__init__.py": r"sagemaker",
    # An example of a profile's name in a hint, as the language's own page writes it.
    "profiles.py": r"aws",
}


def imported(file: Path) -> Iterator[tuple[str, bool]]:
    """Give the modules that a file imports, and whether it does so when it is loaded."""
    tree = ast.parse(file.read_text(encoding="utf-8"))

    def walk(node: ast.AST, at_load: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((each.name, at_load) for each in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}:{child.lineno} imports relatively"
                yield child.module or "", at_load
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from walk(child, at_load and not inside and not typing)

    yield from walk(tree, True)


def roots(file: Path) -> set[str]:
    return {name.partition(".")[0] for name, _ in imported(file)}


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert "penstock_local" in PACKAGES
    assert len(SOURCES) > 100


@pytest.mark.slow
def test_core_imports_no_provider() -> None:
    assert [shown(each) for each in CORE.rglob("*.py") if roots(each) & set(PACKAGES)] == []


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_provider_imports_no_sibling(package: str) -> None:
    siblings = set(PACKAGES) - {package}

    assert [shown(each) for each in (PROVIDERS / package).rglob("*.py") if roots(each) & siblings] == []


def test_core_names_no_cloud() -> None:
    found: list[str] = []
    for each in sorted(CORE.rglob("*.py")):
        allowed = MAY_NAME_A_CLOUD.get(str(each.relative_to(CORE)), "(?!)")
        for number, line in enumerate(each.read_text(encoding="utf-8").splitlines(), 1):
            words = [word[0] for word in CLOUD_WORDS.finditer(line)]
            if any(not re.fullmatch(allowed, word) for word in words):
                found.append(f"{shown(each)}:{number}: {line.strip()}")
    assert found == []


def test_the_exceptions_are_still_needed() -> None:
    for name in MAY_NAME_A_CLOUD:
        assert CLOUD_WORDS.search((CORE / name).read_text(encoding="utf-8")), name


@pytest.mark.slow
def test_cloud_sdks_are_imported_by_clients_and_snapshots_alone_and_late() -> None:
    found: list[str] = []
    for each in SOURCES:
        for name, at_load in imported(each):
            allowed = each.name in ("client.py", "snapshot.py") or "endpoint" in each.parts
            if name.partition(".")[0] in SDKS and (at_load or not allowed):
                found.append(f"{shown(each)} imports {name}")
    assert found == []


@pytest.mark.parametrize("package", ["expressions", "runtime", "models"])
def test_what_a_cached_run_needs_imports_no_pydantic_yaml_or_rich(package: str) -> None:
    files = [*(CORE / package).rglob("*.py"), *(CORE / "ir").rglob("*.py")]
    files += [CORE / "diagnostics.py", CORE / "codec.py"]

    late = {"pydantic", "yaml", "rich"}
    assert [
        shown(each) for each in files if {name.partition(".")[0] for name, _ in imported(each)} & late
    ] == []


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {shown(each): len(each.read_text(encoding="utf-8").splitlines()) for each in SOURCES}

    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_file_is_named_for_nothing() -> None:
    empty = re.compile(r"(^|_)(managers?|handlers?|helpers?|utils?|common|base|misc|services?|engines?)(_|$)")

    assert [shown(each) for each in SOURCES if empty.search(each.stem)] == []
    folders = {each.parent for each in SOURCES}
    assert [shown(each) for each in folders if empty.search(each.name)] == []


def test_every_package_is_typed() -> None:
    packages = [CORE, *(PROVIDERS / name for name in PACKAGES)]

    assert [each.name for each in packages if not (each / "py.typed").is_file()] == []


def loaded(words: list[str], cwd: Path) -> set[str]:
    """Run a verb in a fresh process and give the top names of everything that it loaded."""
    script = (
        "import sys\nfrom penstock.cli import main\n"
        "try:\n    main()\nfinally:\n    print('LOADED', *sorted(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    (line,) = [each for each in ran.stderr.splitlines() if each.startswith("LOADED")]
    return set(line.split()[1:])


def tops(modules: set[str]) -> set[str]:
    return {each.partition(".")[0] for each in modules}


@pytest.fixture
def project(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PENSTOCK_PROJECT", str(shop.folder))
    shop.write("steps: {one: {run: 'echo x > ${{ outputs.o }}', outputs: {o: file}}}")
    return shop


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["check", "--help"]])
def test_help_loads_click_and_next_to_nothing(words: list[str], project: Shop) -> None:
    if words == ["--version"]:
        assert not tops(loaded(words, project.folder)) & (HEAVY | {"pydantic", "yaml", "rich"})
        return
    modules = loaded(words, project.folder)

    assert "click" in modules
    assert not tops(modules) & (HEAVY | {"pydantic", "yaml", "rich", "sqlite3"})
    assert "importlib.metadata" not in modules


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "words",
    [
        ["check", "pipeline.yaml"],
        ["run", "pipeline.yaml"],
        ["runs", "list"],
        ["models", "list"],
        ["providers"],
        ["graph", "pipeline.yaml"],
        ["schema"],
    ],
)
def test_verbs_load_no_cloud_sdk_and_no_data_library(words: list[str], project: Shop) -> None:
    project.run()

    assert not tops(loaded(words, project.folder)) & HEAVY


@pytest.mark.slow
def test_checking_and_compiling_for_every_target_loads_no_cloud_sdk(project: Shop) -> None:
    from penstock import discovery

    for name in sorted(discovery.targets()):
        assert not tops(loaded(["check", "pipeline.yaml", "--target", name], project.folder)) & HEAVY
        words = ["compile", "pipeline.yaml", "--target", name, "-o", f"out-{name}"]
        assert not tops(loaded(words, project.folder)) & HEAVY


def test_a_cached_run_loads_neither_pydantic_nor_yaml_nor_another_provider(project: Shop) -> None:
    project.run()

    modules = loaded(["run", "pipeline.yaml"], project.folder)

    assert not tops(modules) & (HEAVY | {"pydantic", "pydantic_core", "yaml", "rich"})
    assert tops(modules) & set(PACKAGES) == {"penstock_local"}
