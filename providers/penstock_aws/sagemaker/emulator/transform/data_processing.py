"""What batch transform does to records on their way: filter the input, join answers to it, filter what is kept.

CSV rows are arrays of fields, and a field keeps its text, quotes included, from input to output. JSON values are
written anew, without spaces, in the order of their input.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, cast

from penstock.frozen import dataclass
from penstock_aws.sagemaker.emulator.transform.data_paths import DataPath, PathFault
from penstock_aws.sagemaker.emulator.transform.records import lines

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)
INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
_FIELD = re.compile(r'"(?:[^"]|"")*"(?=,|\Z)|[^",][^,]*|(?=,|\Z)')


class ProcessingFault(ValueError):
    """A record cannot be filtered or joined."""


@dataclass(frozen=True, slots=True)
class DataProcessing:
    """Filters and join of a job.

    Attributes:
        input: what of a record the model gets to see.
        output: what is kept of the answer, or of record and answer joined.
        join: whether answers are joined to their records.
        content_type: the records' format, one of `FORMATS`.
        accept: the answers' format.
        cut: whether objects were split, so that each record is one value.
    """

    input: DataPath
    output: DataPath
    join: bool
    content_type: str
    accept: str
    cut: bool

    def records(self, batch: list[bytes]) -> list[bytes]:
        """Give the records of a request: JSON Lines hold one a line even where objects are not split."""
        if self.content_type == JSON_LINES and not self.cut:
            return [record for each in batch for record in lines(each)]
        return batch

    def narrowed(self, record: bytes) -> bytes:
        """Apply the input filter.

        Raises:
            ProcessingFault: the record is in another format, or lacks what the filter names.
        """
        if self.input.whole:
            return record
        found = _selected(self.input, _read(record, self.content_type, "the input"))
        ending = re.search(rb"\r?\n\Z", record)
        return _written(found, self.content_type) + (ending[0] if ending else b"")

    def kept(self, records: Sequence[bytes], answer: bytes) -> list[bytes]:
        """Join an answer to the records that were asked about, apply the output filter, and give what is kept of each.

        Raises:
            ProcessingFault: the answer is in another format, has another number of records, or lacks what is kept.
        """
        if self.output.whole and not self.join:
            return [answer]
        answers = self._answers(len(records), answer)
        if not self.join:
            read = [_read(each, self.accept, "the output") for each in answers]
            return [self._output(each, self.accept) for each in read]
        if len(answers) != len(records):
            told = f"{len(records)} records were asked about, and {len(answers)} lines came back"
            raise ProcessingFault(f"mismatched line count between the input and the output: {told}")
        return [self._joined(record, each) for record, each in zip(records, answers, strict=True)]

    def _answers(self, asked: int, answer: bytes) -> list[bytes]:
        if asked == 1 and self.accept != CSV and (self.accept == JSON or self.join):
            return [answer]
        return [each.removesuffix(b"\n").removesuffix(b"\r") for each in lines(answer)]

    def _joined(self, record: bytes, answer: bytes) -> bytes:
        given = _read(record, self.content_type, "the input")
        made = _read(answer, self.accept, "the output")
        if self.content_type == CSV:
            joined: Any = [*given, *made]
        elif isinstance(given, dict):
            joined = {**cast("dict[str, Any]", given), OUTPUT: made}
        else:
            joined = {INPUT: given, OUTPUT: made}
        return self._output(joined, self.content_type)

    def _output(self, value: Any, content_type: str) -> bytes:
        written = _written(_selected(self.output, value), content_type)
        # A JSON line is one however answers are put together.
        return written + b"\n" if JSON_LINES in (content_type, self.accept) else written


def fields(row: str) -> list[str]:
    """Cut a CSV row at its commas; a field keeps its quotes.

    Raises:
        ProcessingFault: a quote is not closed, or text follows the closing one.
    """
    if '"' not in row:
        return row.split(",")
    found: list[str] = []
    at = 0
    while True:
        field = _FIELD.match(row, at)
        if not field:
            raise ProcessingFault(f"no CSV: a quote is not closed, or text follows it: {_short(row)}")
        found.append(field[0])
        at = field.end() + 1
        if at > len(row):
            return found


def _read(record: bytes, content_type: str, which: str) -> Any:
    if content_type == CSV:
        # Bytes that are no UTF-8 come out as they went in.
        return fields(record.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r"))
    try:
        return json.loads(record, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as fault:
        text = _short(record.decode("utf-8", "replace"))
        raise ProcessingFault(f"failed to parse {which} as JSON: {fault}: {text}") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON can hold")
    return number


def _selected(path: DataPath, value: Any) -> Any:
    try:
        return path.select(value)
    except PathFault as fault:
        raise ProcessingFault(str(fault)) from None


def _written(value: Any, content_type: str) -> bytes:
    if content_type == CSV:
        row = value if isinstance(value, str) else ",".join(value)
        return row.encode("utf-8", "surrogateescape")
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise ProcessingFault("a joined record is nested too deeply to be written") from None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # Half a surrogate pair, escaped in the input, has no other form.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
