"""The model registry through MlflowClient: names, versions, stages, aliases, tags, and searching for them."""

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

client = MlflowClient()
with mlflow.start_run() as run:
    mlflow.log_text("weights", "net/weights.txt")
source = f"{run.info.artifact_uri}/net"
client.create_registered_model("net", tags={"team": "blue"}, description="a network")
for number in range(1, 4):
    version = client.create_model_version("net", source, run.info.run_id, tags={"number": str(number)})
    assert str(version.version) == str(number), version

client.update_model_version("net", "1", description="the first")
client.set_model_version_tag("net", "1", "checked", "yes")
client.set_registered_model_tag("net", "owner", "kim")
client.set_registered_model_alias("net", "best", "2")
client.transition_model_version_stage("net", "1", "Production")
client.transition_model_version_stage("net", "2", "Production", archive_existing_versions=True)

first = client.get_model_version("net", "1")
assert (first.description, first.tags["checked"], first.current_stage) == ("the first", "yes", "Archived")
assert str(client.get_model_version_by_alias("net", "best").version) == "2"
latest = {each.current_stage: str(each.version) for each in client.get_latest_versions("net")}
assert latest == {"None": "3", "Production": "2", "Archived": "1"}, latest
assert client.get_model_version_download_uri("net", "3") == source
found = client.search_model_versions("name = 'net' and tags.number = '2'")
assert [str(each.version) for each in found] == ["2"]
assert [each.name for each in client.search_registered_models("name LIKE 'n%'")] == ["net"]
assert [each.name for each in client.search_registered_models("tags.team = 'red'")] == []
assert client.get_registered_model("net").tags == {"team": "blue", "owner": "kim"}
copied = client.copy_model_version("models:/net/3", "net-prod")
assert str(copied.version) == "1"
client.delete_model_version("net", "3")
client.delete_registered_model_alias("net", "best")
client.rename_registered_model("net", "network")
assert client.get_model_version("network", "2").current_stage == "Production"

for call, code in (
    (lambda: client.create_registered_model("network"), "RESOURCE_ALREADY_EXISTS"),
    (lambda: client.get_model_version("network", "9"), "RESOURCE_DOES_NOT_EXIST"),
    (lambda: client.get_registered_model("none"), "RESOURCE_DOES_NOT_EXIST"),
    (lambda: client.create_model_version("network", "/etc"), "INVALID_PARAMETER_VALUE"),
    (lambda: client.get_model_version_by_alias("network", "best"), "INVALID_PARAMETER_VALUE"),
):
    try:
        call()
    except MlflowException as fault:
        assert fault.error_code == code, (fault.error_code, str(fault))
    else:
        raise AssertionError(f"no {code}")
