"""Packages that jobs ask for by themselves, read off their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sagemaker_for_tests import compiled

from penstock_aws.sagemaker.emulator.images.packages_asked import (
    pip_installs,
    read_requirements,
    requirements_in,
)


def test_a_requirements_file_gives_its_requirements() -> None:
    text = (
        "\ufeff# what we need\r\n\r\npandas==2.2.3  # pinned\n"
        'tomli>=2 ; python_version < "3.11"\nscikit-learn \\\n  ==1.4.2\n'
        "numpy==2.1.0 --hash=sha256:00 \\\n  --hash=sha256:11\nmlflow[extras]\n"
    )

    assert requirements_in(text) == [
        "pandas==2.2.3",
        'tomli>=2 ; python_version < "3.11"',
        "scikit-learn    ==1.4.2",
        "numpy==2.1.0",
        "mlflow[extras]",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "--index-url https://h/simple",
        "-e .",
        "./wheel.whl",
        "git+https://h/r.git",
        "${NAME}==1",
    ],
)
def test_a_line_that_is_no_requirement_is_left_out_with_a_note(line: str) -> None:
    found, notes = read_requirements(f"{line}\npandas\n")

    assert found == ["pandas"]
    assert len(notes) == 1
    assert line in notes[0]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pip install pandas==2.2.3 'numpy>=2'", ["pandas==2.2.3", "numpy>=2"]),
        ("python3 -m pip install --quiet -U pandas", ["pandas"]),
        ("/opt/conda/bin/pip3.11 install pandas", ["pandas"]),
        ("sudo pip --no-input install pandas && python train.py numpy", ["pandas"]),
        ("cd x; pip3 install a; pip install b > log 2>&1 || exit 1", ["a", "b"]),
        ("A=1 B='2 3' pip install pandas", ["pandas"]),
        ("$(which python) -m pip install pandas", ["pandas"]),
        ("uv pip install --system pandas", ["pandas"]),
        (
            "pip install -r requirements.txt pandas -i https://h/simple --target ./x numpy",
            ["pandas", "numpy"],
        ),
        ("pip install . -e ./pkg $EXTRA ../y pandas # and numpy", ["pandas"]),
        ("pip install pandas \\\n  numpy", ["pandas", "numpy"]),
        ("# pip install pandas", []),
        ("echo pip install pandas", []),
        ("pip download pandas", []),
        ("pipx install pandas", []),
        ("apt-get install -y python3-pip jq", []),
        ("pip install 'open", []),
        ("", []),
    ],
)
def test_a_scripts_install_lines_name_packages(line: str, found: list[str]) -> None:
    assert pip_installs(f"#!/bin/bash\nset -e\n{line}\n") == found


def test_a_compiled_bundles_script_names_the_packages_of_its_environment(tmp_path: Path) -> None:
    wanted = ["pandas==2.2.3", "scikit-learn>=1.4,<2", "mlflow[extras]"]
    environment = f"environments: {{e: {{packages: {wanted}}}}}"

    found = compiled(
        tmp_path, f"{environment}\nsteps: {{a: {{run: echo pip install x, environment: e}}}}", "dev"
    )

    assert pip_installs(found.scripts()) == wanted


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(pip_installs(f"pip install {text}"), list)
    assert isinstance(requirements_in(text), list)
