"""A client of the tracking server that speaks HTTP alone, as any client would have to."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from penstock_azure.azureml.mlflow import Tracking

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


class Client:
    """A connection for each call, so that none is left open; `kept` holds one for several."""

    def __init__(self, tracking: Tracking) -> None:
        split = urlsplit(tracking.uri)
        self.connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=20)
        self.headers = {"Authorization": f"Bearer {tracking.secret}"}
        self.kept = False
        self.experiment = tracking.experiment_id

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a call as it is, and give the status and the body of the answer."""
        try:
            self.connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        finally:
            if not self.kept:
                self.connection.close()

    def call(self, method: str, path: str, /, **fields: Any) -> Any:
        """Send a call of the API that is answered."""
        status, answer = self._call(method, path, fields)
        assert status == 200, answer
        return json.loads(answer)

    def get(self, path: str, /, **fields: Any) -> Any:
        return self.call("GET", path, **fields)

    def post(self, path: str, /, **fields: Any) -> Any:
        return self.call("POST", path, **fields)

    def refused(self, method: str, path: str, /, **fields: Any) -> tuple[str, str]:
        """Send a call that is refused, and give the code and the message."""
        status, answer = self._call(method, path, fields)
        told = json.loads(answer)
        assert status >= 400, told
        assert set(told) == {"error_code", "message"}
        return told["error_code"], told["message"]

    def put(self, path: str, content: bytes) -> int:
        """Upload a file, and give the status."""
        return self.send("PUT", f"{FILES}/{quote(path)}", content)[0]

    def _call(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, bytes]:
        if method == "GET":
            query = f"?{urlencode(fields, doseq=True)}" if fields else ""
            return self.send(method, f"{API}{path}{query}")
        return self.send(method, API + path, json.dumps(fields).encode())

    def run(self, name: str = "", **tags: str) -> str:
        """Make a run of the job's experiment."""
        sent = [{"key": key, "value": value} for key, value in tags.items()]
        made = self.post("runs/create", experiment_id=self.experiment, run_name=name, tags=sent)
        return str(made["run"]["info"]["run_id"])

    def search(self, filter: str = "", *order_by: str) -> list[str]:
        """Give the names of the runs that a search finds."""
        found = self.post(
            "runs/search", experiment_ids=[self.experiment], filter=filter, order_by=list(order_by)
        )
        return [each["info"]["run_name"] for each in found.get("runs", [])]
