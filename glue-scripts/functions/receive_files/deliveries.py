"""Names the delivery of a key, and judges whether a delivery is complete. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

WAITING, DONE, QUARANTINED = "waiting", "done", "quarantined"
GONE, LEFT_ALONE, COPIED = "gone", "leftAlone", "copied"  # these are not counted as files that are in
MOST_NAMED = 5

_MILLIS = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_DAY_MILLIS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Place:
    """The folder of one source of a pipeline: below it lie the folders of days."""

    pipeline: str
    prefix: str
    layout: str

    def folder_of(self, day: date) -> str:
        if self.layout == "dt":
            return f"{self.prefix}dt={day}/"
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return f"{self.prefix}{int(midnight.timestamp()) * 1000}/"

    def day_of(self, folder: str) -> date | None:
        """The day of a folder's name, None for another name."""
        try:
            if self.layout == "dt":
                day = date.fromisoformat(folder.removeprefix("dt="))
                return day if folder == f"dt={day}" else None
            if not _MILLIS.fullmatch(folder) or int(folder) % _DAY_MILLIS:
                return None
            return date(1970, 1, 1) + timedelta(milliseconds=int(folder))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Delivery:
    """The files of all sources of a pipeline for a day."""

    pipeline: str
    day: date

    @property
    def id(self) -> str:
        return f"{self.pipeline}/{self.day}"


@dataclass(frozen=True)
class Located:
    """A key: without a place it is a stranger, without a day it lies beside the folders of days. `reason`
    says why it has no day; `is_undated` that it lies in no folder that looks like a day."""

    place: Place | None
    day: date | None = None
    reason: str = ""
    is_undated: bool = False


@dataclass(frozen=True)
class File:
    """A file of the ledger. `arrived` is S3's time, `recorded` the ledger's, both in seconds since 1970."""

    key: str
    state: str
    version: str
    arrived: float
    recorded: float
    size: int = 0
    run: str = ""

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]


def places_of(settings: Mapping[str, Any]) -> list[Place]:
    found = [
        Place(one["name"], place["prefix"], place["layout"])
        for one in settings["pipelines"]
        for place in one["places"]
    ]
    return sorted(found, key=lambda place: len(place.prefix), reverse=True)


def locate(key: str, places: Sequence[Place]) -> Located:
    """The place with the longest prefix, and the day of the folder below it."""
    for place in places:
        if not key.startswith(place.prefix):
            continue
        folder, slash, name = key[len(place.prefix) :].partition("/")
        day = place.day_of(folder) if slash and name else None
        if day is not None:
            return Located(place, day)
        wanted = "dt=YYYY-MM-DD" if place.layout == "dt" else "milliseconds of a UTC midnight"
        if slash and re.match(r"dt=|\d+$", folder):
            return Located(place, None, f"its folder must be named {wanted}, got {folder!r}")
        return Located(place, None, f"it lies in no folder named {wanted}", is_undated=True)
    return Located(None)


def is_hidden(key: str, folder: str) -> bool:
    """True if jobs leave it out: its name or a folder below the day begins with `_` or `.`."""
    return any(part.startswith(("_", ".")) for part in key[len(folder) :].split("/"))


def is_folder_marker(key: str, size: int) -> bool:
    return key.endswith("/") and size == 0


# -- whether a delivery is complete --


@dataclass(frozen=True)
class Judgement:
    """`missing` says what a delivery waits for; empty when it is complete. `ready_at` is when a quiet period
    will have passed, in seconds since 1970, if nothing more arrives."""

    missing: str = ""
    ready_at: float | None = None

    @property
    def is_complete(self) -> bool:
        return self.missing == ""


COMPLETE = Judgement()


def judge_part(
    rule: Mapping[str, Any], folder: str, files: Sequence[File], manifest: str | None, now: float
) -> Judgement:
    """Judges the files of one source and day below `folder`. `manifest` is the text of the rule's manifest,
    None if it has not arrived."""
    alive = [file for file in files if file.state in (WAITING, DONE)]
    data = [file for file in alive if not is_hidden(file.key, folder)]
    kind = rule["rule"]
    if kind == "quiet":
        return _judge_quiet(rule["seconds"], alive, now)
    if kind == "count":
        lacking = rule["files"] - len(data)
        return Judgement(f"{len(data)} of {rule['files']} files have arrived") if lacking > 0 else COMPLETE
    control = next((file for file in alive if file.key == f"{folder}{rule['name']}"), None)
    if control is None:
        return Judgement(f"{rule['name']} has not arrived")
    if kind == "manifest":
        return _judge_manifest(rule["name"], folder, manifest, data)
    later = [file for file in data if file.state == WAITING and file.arrived > control.arrived]
    if later:
        return Judgement(f"{len(later)} files are newer than {rule['name']}: {_some(later)}")
    return COMPLETE


def _judge_quiet(seconds: float, files: Sequence[File], now: float) -> Judgement:
    last = max((file.recorded for file in files if file.state == WAITING), default=0.0)
    if now >= last + seconds:
        return COMPLETE
    return Judgement(f"files arrived during the last {seconds} seconds", last + seconds)


def _judge_manifest(name: str, folder: str, manifest: str | None, data: Sequence[File]) -> Judgement:
    if manifest is None:
        return Judgement(f"{name} has not arrived")
    try:
        wanted = read_manifest(manifest)
    except ValueError as error:
        return Judgement(f"{name} cannot be read: {error}")
    found = {file.key[len(folder) :]: file for file in data}
    missing = [one for one in wanted if one not in found]
    if missing:
        return Judgement(f"{len(missing)} of {len(wanted)} files of {name} have not arrived: {_few(missing)}")
    short = [one for one, size in wanted.items() if size is not None and found[one].size != size]
    if short:
        sizes = [f"{one} has {found[one].size} bytes, {name} says {wanted[one]}" for one in short]
        return Judgement(f"{len(short)} files have another size: {_few(sizes)}")
    return COMPLETE


def read_manifest(text: str) -> dict[str, int | None]:
    """The files that a manifest names, with their sizes in bytes where it has them:
    `{"files": ["a.csv", {"name": "b.csv", "bytes": 12}]}`. Raises ValueError with what is wrong."""
    try:
        files = json.loads(text)["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError('it must be JSON as {"files": ["a.csv"]}') from error
    if not isinstance(files, list) or not files:
        raise ValueError("its 'files' must be a list with a name or more")
    wanted: dict[str, int | None] = {}
    for one in files:
        name, size = (one.get("name"), one.get("bytes")) if isinstance(one, dict) else (one, None)
        if not isinstance(name, str) or name == "" or not (size is None or isinstance(size, int)):
            raise ValueError(f"a file must be a name, or a name with its bytes, got {json.dumps(one)[:80]}")
        wanted[name] = size
    return wanted


def _some(files: Sequence[File]) -> str:
    return _few([file.name for file in files])


def _few(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


# -- which days a run takes --


@dataclass(frozen=True)
class Due:
    """A complete delivery with something new. `is_alone` is one of a run of several days that failed."""

    day: date
    is_alone: bool = False


def next_days(due: Sequence[Due], most: int) -> tuple[date, date] | None:
    """The first and last day of the next run: days that follow each other, at most so many; days that are to
    run alone come last, so that a bad one does not hold up the others."""
    together = sorted(one.day for one in due if not one.is_alone)
    if together:
        first = last = together[0]
        for day in together[1:]:
            if day != last + timedelta(days=1) or (day - first).days >= most:
                break
            last = day
        return first, last
    alone = sorted(one.day for one in due)
    return (alone[0], alone[0]) if alone else None
