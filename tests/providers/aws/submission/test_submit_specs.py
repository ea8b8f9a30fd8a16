"""The ready-to-run pipelines, sent to an endpoint over HTTP, give what they give on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.providers.aws.submission.cloud_for_tests import Cloud
from tests.same_as_local_for_tests import differences

import penstock

SPECS = Path(__file__).parents[4] / "specs"
SLOW = pytest.mark.exhaustive


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        "screening/pipeline.yaml",
        pytest.param("tumour/pipeline.yaml", marks=SLOW),
        pytest.param("cultivar/pipeline.yaml", marks=SLOW),
        pytest.param("progression/pipeline.yaml", marks=SLOW),
        pytest.param("digits/pipeline.py", marks=SLOW),
    ],
)
def test_a_ready_to_run_pipeline_gives_over_http_what_it_gives_here(cloud: Cloud, spec: str) -> None:
    local = penstock.run(SPECS / spec, project=cloud.shop.folder)
    # Profiles are looked for from the spec's folder, and then from the current one.
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cloud.shop.folder)
        remote = cloud.submit(SPECS / spec)

    assert local.status == "succeeded"
    assert differences(local, remote) == []
    assert remote.kpis == local.kpis
