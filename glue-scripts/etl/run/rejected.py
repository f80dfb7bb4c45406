"""Rejected rows, as the books and the message of a refusal show them."""

from dataclasses import dataclass
from typing import Any

A_VALUE = "a value"
RULE = "rule "


@dataclass(frozen=True)
class Place:
    """The place of a rejected row: the URI of its file, the number of its line (from 1, with the header; of
    its row in XML and Parquet; None if it is not known), and the delivered value of the column (None if there
    was no value)."""

    file: str
    line: int | None = None
    value: str | None = None


@dataclass(frozen=True)
class Rejected:
    """Rejected rows with one reason and one column; "" means the row as a whole. `first` is the place of the
    first of them, None if it was not looked for. `source` is the name of their source, "" if it has none."""

    reason: str
    column: str
    expected: str
    rows: int
    first: Place | None = None
    source: str = ""

    @property
    def clause(self) -> str:
        """For example `unit_price is not a number`, with the source behind it if that has a name."""
        return self._clause + (f" (source {self.source})" if self.source else "")

    @property
    def _clause(self) -> str:
        if self.expected == A_VALUE:
            return f"{self.column} is missing"
        if self.expected.startswith(RULE):
            about = f" ({self.column})" if self.column else ""
            return f"{self.expected} is broken{about}"
        whole = "the line" if self.expected.startswith(("an ", "a ")) else "some value"
        return f"{self.column or whole} is not {self.expected}"

    def entry(self, *, with_value: bool) -> dict[str, Any]:
        """The entry in the books. The value is left out unless asked for: it may be personal data."""
        place: dict[str, Any] = {}
        if self.first is not None:
            place = {"file": self.first.file, "line": self.first.line}
            place |= {"value": self.first.value} if with_value else {}
        entry = {"reason": self.reason, "column": self.column, "expected": self.expected, "rows": self.rows}
        return entry | ({"source": self.source} if self.source else {}) | place
