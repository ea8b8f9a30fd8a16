"""The schema of the ledger file, as the steps that lead from an empty file to the newest version.

`PRAGMA user_version` counts the steps that a file has taken. A released step is never edited: a change is a
new one. Which columns hold JSON is told by `penstock.runtime.rows`, which writes and reads them.
"""

from __future__ import annotations

APPLICATION_ID = 0x504E5354
"""Marks the file as Penstock's (`PRAGMA application_id`), so that no foreign database is written to."""

_RUNS_AND_MODELS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        pipeline TEXT NOT NULL,
        version TEXT NOT NULL,
        spec TEXT NOT NULL,
        target TEXT NOT NULL,
        status TEXT NOT NULL,
        started REAL NOT NULL,
        ended REAL,
        parameters TEXT NOT NULL,
        datasets TEXT NOT NULL,
        options TEXT NOT NULL,
        message TEXT NOT NULL,
        kpis TEXT NOT NULL,
        goal TEXT NOT NULL,
        pid INTEGER NOT NULL,
        pid_started REAL NOT NULL,
        outputs TEXT NOT NULL,
        penstock TEXT NOT NULL,
        host TEXT NOT NULL,
        resumes INTEGER NOT NULL,
        boot TEXT NOT NULL
    )
    """,
    "CREATE INDEX runs_by_start ON runs (started)",
    "CREATE INDEX runs_by_pipeline ON runs (pipeline, started)",
    """
    CREATE TABLE steps (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL REFERENCES runs (id),
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        started REAL,
        ended REAL,
        key TEXT NOT NULL,
        key_parts TEXT NOT NULL,
        cache TEXT NOT NULL,
        cache_reason TEXT NOT NULL,
        source_run TEXT NOT NULL,
        exit_code INTEGER,
        signal INTEGER,
        message TEXT NOT NULL,
        outputs TEXT NOT NULL,
        metrics TEXT NOT NULL,
        pid INTEGER NOT NULL,
        pid_started REAL NOT NULL,
        log TEXT NOT NULL,
        UNIQUE (run, name)
    )
    """,
    # Only results that were really computed can be reused, so re-runs full of hits leave this index small.
    """
    CREATE INDEX reusable_steps ON steps (key, ended)
    WHERE status = 'succeeded' AND cache <> 'hit' AND key <> ''
    """,
    """
    CREATE TABLE attempts (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        resume INTEGER NOT NULL,
        number INTEGER NOT NULL,
        status TEXT NOT NULL,
        started REAL,
        ended REAL,
        exit_code INTEGER,
        signal INTEGER,
        message TEXT NOT NULL,
        PRIMARY KEY (run, step, resume, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE produced (
        digest TEXT NOT NULL,
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        PRIMARY KEY (digest, run, step)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE model_versions (
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        digest TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        metrics TEXT NOT NULL,
        approval TEXT NOT NULL,
        lineage TEXT NOT NULL,
        serving TEXT NOT NULL,
        description TEXT NOT NULL,
        tags TEXT NOT NULL,
        created REAL NOT NULL,
        decided_by TEXT NOT NULL,
        decided_at REAL,
        comment TEXT NOT NULL,
        PRIMARY KEY (name, version),
        UNIQUE (name, digest, fingerprint)
    )
    """,
    """
    CREATE TABLE model_decisions (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        approval TEXT NOT NULL,
        decided_by TEXT NOT NULL,
        decided_at REAL NOT NULL,
        comment TEXT NOT NULL
    )
    """,
    "CREATE INDEX decisions_by_model ON model_decisions (name, version)",
    f"PRAGMA application_id = {APPLICATION_ID}",
)

_SEARCHES = ("ALTER TABLE steps ADD COLUMN search TEXT NOT NULL DEFAULT '{}'",)

_DETAILS = (
    "ALTER TABLE steps ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE runs ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_RUNS_AND_MODELS, _SEARCHES, _DETAILS)
