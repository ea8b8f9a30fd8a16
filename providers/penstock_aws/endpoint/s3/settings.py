"""Settings of a bucket that change nothing of what is stored or read here: kept as they were sent, and given back.

Those that would change something (versioning, notifications, replication, …) are refused instead.
"""

from __future__ import annotations

from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.calls import Answer
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.documents import parsed, written

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS setting (bucket TEXT NOT NULL REFERENCES bucket(name) ON DELETE CASCADE,"
    " name TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (bucket, name)) WITHOUT ROWID",
)

_XML = "application/xml"
KEPT: dict[str, tuple[str, str]] = {
    "cors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "encryption": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    "ownershipControls": ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    "policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "publicAccessBlock": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "tagging": ("NoSuchTagSet", "The TagSet does not exist"),
}
"""Subresource → what is said where it was never set."""

EMPTY: dict[str, str] = {
    "versioning": "VersioningConfiguration",
    "notification": "NotificationConfiguration",
    "logging": "BucketLoggingStatus",
    "accelerate": "AccelerateConfiguration",
}
"""Subresource → the element that says it is off; they cannot be set."""

ABSENT: dict[str, tuple[str, str]] = {
    "lifecycle": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "replication": ("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    "website": ("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    "object-lock": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}
"""Subresource → what is said of it always; they cannot be set."""


class Settings:
    """The settings of all buckets, beside them in one file of tables."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        with buckets.tables.write() as connection:
            for statement in _SCHEMA:
                connection.execute(statement)

    def read(self, bucket: str, name: str) -> Answer:
        """Give what was set. Raises ServiceFault where nothing was."""
        self._buckets.demand(bucket)
        if name in EMPTY:
            return written(EMPTY[name], {})
        rows = self._buckets.tables.read(
            "SELECT content FROM setting WHERE bucket = ? AND name = ?", (bucket, name)
        )
        if not rows:
            code, message = KEPT[name] if name in KEPT else ABSENT[name]
            raise ServiceFault(code, message, 404, details={"BucketName": bucket})
        return Answer(200, rows[0][0], {"content-type": "application/json" if name == "policy" else _XML})

    def write(self, bucket: str, name: str, content: bytes) -> Answer:
        """Keep a setting. Raises ServiceFault for what is no XML where that is due."""
        self._buckets.demand(bucket)
        if name != "policy":
            parsed(content, "")
        with self._buckets.tables.write() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", (bucket, name, content))
        return Answer(204 if name == "policy" else 200)

    def remove(self, bucket: str, name: str) -> Answer:
        """Forget a setting; one that was never set is no fault."""
        self._buckets.demand(bucket)
        with self._buckets.tables.write() as connection:
            connection.execute("DELETE FROM setting WHERE bucket = ? AND name = ?", (bucket, name))
        return Answer(204)
