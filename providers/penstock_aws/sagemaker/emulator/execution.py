"""One execution under way: the definition, what its expressions are worth so far, and its storage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.interface import Interface
from penstock.runtime.offline import OfflineRun
from penstock.runtime.stand_ins import StandIns
from penstock_aws.sagemaker.emulator.account import Account
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault
from penstock_aws.sagemaker.emulator.definition import Definition, Step
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values
from penstock_aws.sagemaker.emulator.hosting import Hosting
from penstock_aws.sagemaker.validation.findings import is_object
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

_LARGEST_PROPERTY_FILE = 2 << 20


class Execution:
    """What all steps of an execution share.

    Attributes:
        interface: what the pipeline is by its spec; `None` for a definition that Penstock did not write.
        stand_ins: what penstock.yaml says of images, functions and queues.
        hosted: its place at an endpoint; `None` for one that runs alone.
        responses: step → its Describe-shaped record; steps that have not ended are missing.
    """

    def __init__(
        self,
        run: OfflineRun,
        definition: Definition,
        account: Account,
        parameters: Mapping[str, Any],
        stand_ins: StandIns,
        interface: Interface | None,
        hosted: Hosting | None = None,
    ) -> None:
        self.run = run
        self.definition = definition
        self.account = account
        self.parameters = parameters
        self.stand_ins = stand_ins
        self.interface = interface
        self.hosted = hosted
        self.storage = hosted.storage if hosted else Storage(run.store, run.index)
        self.responses: dict[str, Any] = {}
        started = datetime.fromtimestamp(run.record.started, UTC)
        moment = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.values = Values(
            parameters,
            {
                "StartDateTime": moment,
                "CurrentDateTime": moment,
                "PipelineName": account.pipeline,
                "PipelineArn": account.pipeline_arn,
                "PipelineExecutionId": account.execution,
                "PipelineExecutionArn": account.execution_arn,
            },
            self.responses,
            self.property_file,
            # Who follows an execution elsewhere puts storage of its own in this one's place.
            lambda address: self.storage.read(address),
        )

    def results(self, step: str) -> Mapping[str, Any]:
        """Give what the bundle says of where a step's outputs stand; empty where it says nothing."""
        found: Mapping[str, Any] = self.interface.results.get(step, {}) if self.interface else {}
        return found

    def job_name(self, step: Step, attempt: int = 1) -> str:
        """Name what an attempt at a step makes; a name in its own request is a prefix. Raises ValueFault."""
        member = STEP_TYPES[step.type].generated
        given = step.arguments.get(member) if member and is_object(step.arguments) else None
        prefix = str(self.values.resolve(given)) if given is not None else ""
        if step.type == "Tuning":
            return self.account.search_name(step.name, attempt, self.run.record.id, prefix)
        return self.account.job_name(step.name, attempt, self.run.record.id, prefix)

    def folder(self, step: str, attempt: int) -> Path:
        """Give the folder of an attempt, which nobody else uses."""
        return self.run.folder / "steps" / step / f"attempt-{attempt}"

    def property_file(self, step: str, name: str) -> Any:
        """Read a property file of a Processing step that has ended. Raises ValueFault."""
        declared = self.definition.steps[step].body.get("PropertyFiles") or ()
        found = next((each for each in declared if each["PropertyFileName"] == name), None)
        response = self.responses.get(step)
        if found is None or response is None:
            raise ValueFault(f"property file '{name}' is not there: step '{step}' has not run")
        outputs = response["ProcessingOutputConfig"]["Outputs"]
        named = (each for each in outputs if each["OutputName"] == found["OutputName"])
        place = next(named, dict[str, Any]()).get("S3Output")
        if not place:
            said = f"output '{found['OutputName']}' does not go to S3"
            raise ValueFault(f"property file '{name}' of step '{step}' cannot be read: {said}")
        address = f"{place['S3Uri'].rstrip('/')}/{found['FilePath']}"
        try:
            content = self.storage.read(address, _LARGEST_PROPERTY_FILE)
            return json.loads(content)
        except StorageFault as fault:
            raise ValueFault(f"property file '{name}' of step '{step}' cannot be read: {fault}") from None
        except (ValueError, RecursionError) as fault:
            message = f"property file '{name}' of step '{step}' is not JSON: {fault}"
            raise ValueFault(message) from None
