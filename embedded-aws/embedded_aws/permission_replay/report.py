"""Reports a replay as a table and as JSON, and compares it with the user's explanations.

An explanation is an entry of a JSON list: `{"role", "action", "why", "page"}`. `"resource"`, `"condition"`
and `"principal"` narrow it to some rights. All but why and page are patterns with `*`. A role is named by its
name or ARN, the holder of a resource's policy by the resource's ARN, a condition and a principal as in the
table.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from embedded_aws.permission_replay.recorded_calls import Call, ReplayError


@dataclass(frozen=True)
class Shown:
    """A right and the call that needs it; None if no call does."""

    holder: str
    kind: str
    policy: str
    sid: str
    action: str
    resource: str
    principal: str
    condition: str
    needed_by: Call | None

    def __str__(self) -> str:
        on = f" on {self.resource}" if self.resource else ""
        to = f" to {self.principal}" if self.principal else ""
        where = f" if {self.condition}" if self.condition else ""
        return f"{self.action}{on}{to}{where}"

    @property
    def named(self) -> "Named":
        return Named(self.holder, self.action, self.resource, self.condition, self.principal)


class Named(NamedTuple):
    """A right or a denial that an explanation can cover."""

    holder: str
    action: str
    resource: str
    condition: str = ""
    principal: str = ""

    def __str__(self) -> str:
        to = f" to {self.principal}" if self.principal else ""
        where = f" if {self.condition}" if self.condition else ""
        return f"{self.action}{f' on {self.resource}' if self.resource else ''}{to}{where}"


@dataclass(frozen=True)
class Entry:
    """One explanation."""

    role: str
    action: str
    resource: str
    condition: str
    principal: str
    why: str
    page: str

    def covers(self, one: Named) -> bool:
        patterns = (self.action, self.resource, self.condition, self.principal)
        return any(_like(name, self.role) for name in (one.holder, name_of(one.holder))) and all(
            _like(value, pattern) for value, pattern in zip(one[1:], patterns, strict=True)
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.action} on {self.resource}"


def _like(text: str, pattern: str) -> bool:
    """Compare as IAM does: `*` is anything, `?` is one character, nothing else is special."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text, re.DOTALL) is not None


def name_of(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.split(":", 5)[-1].rsplit("/", 1)[-1]


def read_entries(file: Path | None) -> list[Entry] | None:
    """The explanations of a file; None without a file.

    Raises ReplayError when an entry lacks a field or has an unknown one.
    """
    if file is None:
        return None
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReplayError(f"{file} is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise ReplayError(f"{file} is not a list")
    return [_entry(entry, f"entry {number} of {file}") for number, entry in enumerate(entries, 1)]


def _entry(entry: Any, place: str) -> Entry:
    needed, more = ("role", "action", "why", "page"), ("resource", "condition", "principal")
    if not isinstance(entry, dict) or not set(needed) <= set(entry) <= {*needed, *more}:
        raise ReplayError(f"{place} must have {', '.join(needed)} and may have {', '.join(more)}")
    if not all(isinstance(value, str) and value.strip() for value in entry.values()):
        raise ReplayError(f"{place} must have a text for each field")
    if not entry["page"].startswith("https://"):
        raise ReplayError(f"the page of {place} must be an https:// address")
    return Entry(**{"resource": "*", "condition": "*", "principal": "*", **entry})


# -- judging --


def problems_of(
    shown: list[Shown], calls: list[Call], not_shown: list[Entry] | None, denied: list[Entry] | None
) -> list[str]:
    """The findings without an explanation, and the explanations without a finding."""
    open_rights = [one.named for one in shown if one.needed_by is None]
    denials = [Named(call.principal, call.action, call.resource) for call in calls if not call.allowed]
    problems = []
    if not_shown is not None:
        problems += _held_against(open_rights, not_shown, "no call needs", "is needed, or not granted")
    if denied is not None:
        problems += _held_against(denials, denied, "denied was", "is not denied")
    return problems


def _held_against(found: list[Named], entries: list[Entry], said: str, stale: str) -> list[str]:
    unexplained = [
        f"{name_of(one.holder)}: {said} {one}, and nothing explains it"
        for one in dict.fromkeys(found)
        if _explanation(one, entries) is None
    ]
    useless = [
        f"the explanation '{entry}' is out of date: the right {stale}"
        for entry in entries
        if not any(entry.covers(one) for one in found)
    ]
    return [*unexplained, *useless]


def _explanation(one: Named, entries: list[Entry] | None) -> Entry | None:
    return next((entry for entry in entries or [] if entry.covers(one)), None)


# -- output --


def report(
    shown: list[Shown],
    calls: list[Call],
    lines: int,
    not_shown: list[Entry] | None,
    denied: list[Entry] | None,
) -> list[str]:
    """The table of rights by role, the denials, and one line with the numbers."""
    told = []
    for holder in dict.fromkeys(one.holder for one in shown):
        told.append(f"\n{holder}")
        for one in (entry for entry in shown if entry.holder == holder):
            told.append(f"  {one} → {_verdict(one, not_shown)}")
    refused = dict.fromkeys(
        (call.principal, call.action, call.resource, call.denied_by) for call in calls if not call.allowed
    )
    told.append(f"\ndenied: {len(refused)}")
    for principal, action, resource, why in refused:
        entry = _explanation(Named(principal, action, resource), denied)
        told.append(f"  {name_of(principal)}: {action} on {resource}: {entry.why if entry else why}")
    needed = sum(one.needed_by is not None for one in shown)
    told.append(
        f"\n{lines} evaluations, {len(calls)} different, all decided as recorded; {len(shown)} rights: "
        f"{needed} needed, {len(shown) - needed} not shown"
    )
    return told


def _verdict(one: Shown, not_shown: list[Entry] | None) -> str:
    if one.needed_by:
        call = one.needed_by
        return f"needed by {call} ({call.session or call.principal}, {call.time})"
    entry = _explanation(one.named, not_shown)
    return f"not shown: {entry.why} ({entry.page})" if entry else "not shown"


def summary(
    shown: list[Shown],
    calls: list[Call],
    lines: int,
    not_shown: list[Entry] | None,
    denied: list[Entry] | None,
    problems: list[str],
) -> dict[str, Any]:
    """All findings, for other programs."""
    return {
        "evaluations": lines,
        "calls": len(calls),
        "rights": [_right(one, not_shown) for one in shown],
        "denied": [
            {
                "principal": call.principal,
                "action": call.action,
                "resource": call.resource,
                "deniedBy": call.denied_by,
                "explained": bool(_explanation(Named(call.principal, call.action, call.resource), denied)),
            }
            for call in calls
            if not call.allowed
        ],
        "problems": problems,
    }


def _right(one: Shown, not_shown: list[Entry] | None) -> dict[str, Any]:
    call = one.needed_by
    entry = None if call else _explanation(one.named, not_shown)
    return {
        "holder": one.holder,
        "kind": one.kind,
        "policy": one.policy,
        "sid": one.sid,
        "action": one.action,
        "resource": one.resource,
        "principal": one.principal,
        "condition": one.condition,
        "neededBy": call
        and {"action": call.action, "resource": call.resource, "session": call.session, "time": call.time},
        "notShown": entry and {"why": entry.why, "page": entry.page},
    }
