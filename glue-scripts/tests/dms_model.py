"""An independent model of a table of every version, out of changes of a source: the changes in the files of
some days in, the history and the figures out. It knows nothing of runs, and nothing of files but their
order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from changes_model import Event, Key, Model, Version, _versions

# The files of a day in their order, and the changes of each; a full load is a file of inserts.
Files = Sequence[Sequence[Any]]


@dataclass
class DmsModel(Model):
    """`valid_from` of a version is that of its change, by key, run date and number."""

    valid_from: dict[tuple[Key, str, int], str] = field(default_factory=dict)


def of_files(days: Mapping[str, Files], time_of: Any) -> DmsModel:
    """`time_of` gives what orders a change before its place does: its sequence, its commit time, or None."""
    model = DmsModel()
    events: dict[Key, list[Event]] = {}
    for day in sorted(days):
        rows = [one for file in days[day] for one in file]
        # The sort keeps the order of files and lines among equals.
        rows.sort(key=lambda one: time_of(one) or "")
        numbers: dict[Key, int] = {}
        for one in rows:
            key = (one.row["shop"], int(one.row["sku"]))
            numbers[key] = numbers.get(key, 0) + 1
            values = (one.row["name"], _price(one.row["price"]))
            event = Event(day, numbers[key], values, time_of(one), one.op == "D")
            events.setdefault(key, []).append(event)
            model.valid_from[key, day, numbers[key]] = f"{one.commit:%Y-%m-%d %H:%M:%S}"
    written = dict.fromkeys(days, 0)
    for key, of_key in events.items():
        for version in _versions(key, of_key):
            model.versions.append(version)
            written[version[1]] += 1
    for day, files in days.items():
        read = sum(map(len, files))
        model.figures[day] = (read, written[day], read - written[day], 0)
    return model


def _price(text: str | None) -> str | None:
    return None if text is None else f"{float(text):.4f}"


def ends_of_days(versions: Sequence[Version]) -> list[Version]:
    """The versions that snapshots at the ends of days would give: at most one of a key and day, and none
    where the state is as on the day before. `versions` are those of each key in order."""
    found: list[Version] = []
    last: dict[tuple[Key, str], Version] = {(one[0], one[1]): one for one in versions}
    before: dict[Key, tuple[bool, Any]] = {}
    for (key, day), one in sorted(last.items(), key=lambda item: (item[0][0], item[0][1])):
        is_there, values = one[3] != "delete", (one[5], one[6])
        was_there, old = before.get(key, (False, None))
        if is_there != was_there or (is_there and values != old):
            change = "delete" if not is_there else "update" if was_there else "insert"
            # A delete has the last values that a snapshot has seen.
            shown = values if is_there else old
            found.append((key, day, 1, change, day, *shown, None))
        before[key] = (is_there, values if is_there else None)
    return found
