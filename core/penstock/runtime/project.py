"""Where a project keeps what its runs leave behind."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass

HOME = ".penstock"
VARIABLE = "PENSTOCK_PROJECT"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder whose runs share one ledger, one artifact store and one cache. `root` is absolute."""

    root: Path

    @property
    def home(self) -> Path:
        """The folder that holds everything below; deleting it forgets all runs and harms nothing else."""
        return self.root / HOME

    @property
    def ledger(self) -> Path:
        """The SQLite file of runs and registered models."""
        return self.home / "ledger.db"

    @property
    def artifacts(self) -> Path:
        """The content-addressed store."""
        return self.home / "artifacts"

    @property
    def runs(self) -> Path:
        """One folder a run: work folders and logs."""
        return self.home / "runs"

    @property
    def plans(self) -> Path:
        """Compiled plans, as validated JSON."""
        return self.home / "plans"

    @property
    def stat_index(self) -> Path:
        """What spares unchanged files a second hashing."""
        return self.home / "stat-index"

    def create_home(self) -> Path:
        """Create `.penstock`, closed to other users and ignored by git; one that exists stays as it is.

        Raises:
            RunError: the folder cannot be made, or a file stands in its place (P480).
        """
        home = self.home
        ignore = home / ".gitignore"
        try:
            home.mkdir(mode=0o700, exist_ok=True)
            if not ignore.exists():
                # Two runs may start at once, in one process too, and either may be killed here: the file
                # appears whole or not at all.
                draft = home / f".gitignore.{os.getpid()}.{threading.get_ident()}"
                draft.write_text("*\n", encoding="utf-8")
                draft.replace(ignore)
        except FileExistsError as found:
            message = f"{home} is in the way: it has to be a folder"
            raise RunError([error("P480", message, hint="move it aside")]) from found
        except OSError as found:
            message = f"the project folder {home} cannot be made: {found.strerror or found}"
            hint = f"make {self.root} writable, or name another project folder with {VARIABLE}"
            raise RunError([error("P480", message, hint=hint)]) from found
        return home


def find_project(start: Path) -> Project:
    """Find the project that a folder, or a file such as a spec, belongs to. Nothing is created.

    The environment variable PENSTOCK_PROJECT decides where it is set; else the nearest folder from `start`
    upwards that holds `.penstock/`, `penstock.yaml` or `.git`; else `start` itself. Symbolic links are
    followed, so that two ways to one folder lead to one project.

    Raises:
        RunError: PENSTOCK_PROJECT names something that is not a folder (P480).
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen:
        root = Path(chosen).expanduser().resolve()
        if not root.is_dir():
            message = f"{VARIABLE} names {chosen}, which is not a folder"
            raise RunError([error("P480", message, hint="create the folder, or unset the variable")])
        return Project(root)
    folder = start.resolve()
    if os.path.isfile(folder):
        folder = folder.parent
    for each in (folder, *folder.parents):
        if _is_root(each):
            return Project(each)
    return Project(folder)


def _is_root(folder: Path) -> bool:
    # os.path answers False for a folder that may not be looked into, where Path's methods raise.
    return (
        os.path.isdir(folder / HOME)
        or os.path.isfile(folder / "penstock.yaml")
        or os.path.exists(folder / ".git")
    )
