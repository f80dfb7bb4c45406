"""A job's beginning and end, without bookmarks."""

from typing import Any


class Job:
    """Glue's ``init`` and ``commit``. Without bookmarks, both only mark the run."""

    def __init__(self, glue_context: Any) -> None:
        self.glue_context = glue_context
        self.name = ""
        self.committed = False

    def init(self, job_name: str, args: dict[str, str] | None = None) -> None:
        self.name = job_name
        self.arguments = dict(args or {})

    def isInitialized(self) -> bool:  # noqa: N802 - Glue's name
        return bool(self.name)

    def commit(self) -> None:
        self.committed = True
