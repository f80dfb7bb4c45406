"""Rejected rows, as the books and the message of a refusal show them."""

from dataclasses import dataclass
from typing import Any

A_VALUE = "a value"
RULE = "rule "


@dataclass(frozen=True)
class Place:
    """Where a rejected row was delivered: the URI of its file, the number of its line (from 1, the header
    counted; None where it is not known), and what was delivered for the column (None for nothing)."""

    file: str
    line: int | None = None
    value: str | None = None


@dataclass(frozen=True)
class Rejected:
    """Rejected rows with one reason and one column; "" is the row as a whole. `first` is the first of them,
    None where nobody asked."""

    reason: str
    column: str
    expected: str
    rows: int
    first: Place | None = None

    @property
    def clause(self) -> str:
        """`unit_price is no number`."""
        if self.expected == A_VALUE:
            return f"{self.column} is missing"
        if self.expected.startswith(RULE):
            about = f" ({self.column})" if self.column else ""
            return f"{self.expected} is broken{about}"
        for article in ("an ", "a "):
            if self.expected.startswith(article):
                return f"{self.column or 'the line'} is no {self.expected.removeprefix(article)}"
        return f"{self.column or 'some value'} is not {self.expected}"

    def entry(self, *, with_value: bool) -> dict[str, Any]:
        """As the books hold it; without the value, which may be somebody's."""
        place: dict[str, Any] = {}
        if self.first is not None:
            place = {"file": self.first.file, "line": self.first.line}
            place |= {"value": self.first.value} if with_value else {}
        entry = {"reason": self.reason, "column": self.column, "expected": self.expected, "rows": self.rows}
        return entry | place
