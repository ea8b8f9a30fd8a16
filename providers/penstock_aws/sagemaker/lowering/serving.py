"""The container that serves a model: for a model package, and for a model that batch inference uses."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from penstock.diagnostics import At, error
from penstock.ir import Predict, Register, Serving
from penstock.provider import Asset
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import join
from penstock_aws.sagemaker.lowering.job import image
from penstock_aws.sagemaker.lowering.ports import Source


def container(
    step: Register | Predict, serving: Serving | None, environment: str, made: Source, draft: Draft
) -> dict[str, Any]:
    """Describe a model's container: image, the model's data, and its serving code where it has any."""
    chosen = image(step, environment, draft)
    found: dict[str, Any] = {"Image": chosen.uri}
    if made.archive:
        found["ModelDataUrl"] = made.uri
    elif made.file:
        found["ModelDataUrl"] = join("/", made.uri, made.file)
    else:
        # A processing job leaves a folder, which is served as it is.
        found["ModelDataSource"] = {
            "S3DataSource": {
                "S3Uri": join("/", made.uri, ""),
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        }
    if serving and serving.code:
        if chosen.code_in_model:
            tag = chosen.uri.rpartition("/")[2]
            message = f"the image {tag} takes serving code from the model's archive alone"
            hint = "let the train step copy it to code/ in its model, and leave 'code' out here; or name an image"
            draft.found.append(error("P302", message, At((*step.path, "serving", "code")), hint))
        described = draft.environment(environment)
        added: dict[str, str] = {}
        if described and described.packages and "requirements.txt" not in serving.code.files:
            # The serving toolkit installs what this file in the source folder lists.
            added = {"requirements.txt": "".join(f"{each}\n" for each in described.packages)}
        code = serving.code
        digest = sha256((code.digest + "".join(added.values())).encode()).hexdigest()
        asset = Asset(
            "sourcedir.tar.gz", digest, source=code.path, files=code.files, archive=True, added=added
        )
        found["Environment"] = {
            "SAGEMAKER_PROGRAM": serving.entry or "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": draft.upload(asset),
            "SAGEMAKER_REGION": draft.place.region,
        }
    return found
