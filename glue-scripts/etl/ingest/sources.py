"""The places that deliveries come from. A contract has one, or several that make one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from etl import io
from etl.errors import InvalidDelivery
from etl.ingest.contract import Contract
from etl.ingest.starts import MAX_NAMED
from etl.run.log import log

REFUSE, SKIP = "refuse", "skip"


@dataclass(frozen=True)
class DeliverySource:
    """A place of deliveries: `<location><folder><day>/`, where `layout` (an `etl.io.LAYOUTS`) says how the
    folder of a day is named. `name` is "" and `folder` too where a contract declares no sources. Sources may
    share a folder: then `endings` are the ends of the names of its files.

    `unknown_folders` says what becomes of what is no day: refuse, skip, or ignore (nobody looks).
    `when_missing` says what becomes of a date that only other sources have delivered: fail or report.
    `table` is the end of the name of its crawled table. `contract` is the contract as its rows see it."""

    name: str
    contract: Contract
    folder: str = ""
    layout: str = io.DT
    unknown_folders: str = "ignore"
    when_missing: str = "fail"
    table: str = ""
    endings: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """True if a file in its folder may be its own."""
        return not self.endings or name.endswith(self.endings)


@dataclass(frozen=True)
class Sources:
    """All sources of a table. `column` holds the name of a row's source; None where they have no names.
    `unknown` says what becomes of folders beside theirs: refuse, skip or ignore."""

    all: tuple[DeliverySource, ...]
    column: str | None = None
    unknown: str = "ignore"

    @property
    def contract(self) -> Contract:
        """The contract of the first: key, rules and output are those of all."""
        return self.all[0].contract

    @property
    def names(self) -> tuple[str, ...]:
        """The names; none where a contract declares no sources."""
        return tuple(one.name for one in self.all if one.name)

    def of(self, name: str) -> DeliverySource:
        return next(one for one in self.all if one.name == name)


@dataclass(frozen=True)
class Skipped:
    """A folder or file that belongs to no source, or to no day: its URI, and why it is not read."""

    uri: str
    why: str


def find_unknown(location: str, sources: Sources) -> list[Skipped]:
    """Lists what lies beside the folders of the sources and of their days and is skipped; it is logged.
    Costs one listing of names for each source, and one for each folder that holds sources. Raises
    InvalidDelivery with everything that is refused."""
    beside = [*_beside_sources(location, sources), *_beside_days(location, sources)]
    refused = [found for found, action in beside if action == REFUSE]
    if refused:
        more = len(refused) - MAX_NAMED
        texts = [f"{one.uri}: {one.why}" for one in refused[:MAX_NAMED]]
        raise InvalidDelivery("; ".join([*texts, *([f"and {more} more"] if more > 0 else [])]))
    skipped = [found for found, _ in beside]
    for one in skipped[:MAX_NAMED]:
        log(f"skipped {one.uri}: {one.why}")
    if len(skipped) > MAX_NAMED:
        log(f"skipped {len(skipped) - MAX_NAMED} more")
    return skipped


def _beside_sources(location: str, sources: Sources) -> list[tuple[Skipped, str]]:
    if sources.unknown not in (REFUSE, SKIP):
        return []
    advice = 'declare it in x-etl.sources, move it away, or say "unknownSources": "skip" in x-etl'
    known = {one.folder for one in sources.all}
    found = []
    # Beside the days of a source in the pipeline's own folder nothing else has a place.
    for parent in sorted({_parent(folder) for folder in known if folder} - known):
        for name in io.list_folder(f"{location}{parent}"):
            # The folder may lead to that of a source.
            if not any(folder.startswith(f"{parent}{name}") for folder in known):
                why = f"it belongs to no source of the contract ({', '.join(sources.names)})"
                found.append(
                    (
                        Skipped(f"{location}{parent}{name}", _with(why, advice, sources.unknown)),
                        sources.unknown,
                    )
                )
    return found


def _beside_days(location: str, sources: Sources) -> list[tuple[Skipped, str]]:
    found = []
    looked_at: set[str] = set()
    for source in sources.all:
        if source.unknown_folders not in (REFUSE, SKIP) or source.folder in looked_at:
            continue
        looked_at.add(source.folder)
        layout = io.LAYOUTS[source.layout]
        place = f"x-etl.sources.{source.name}"
        advice = f'rename it, move it away, or say "unknownFolders": "skip" in {place}'
        why = f"it is no day of source {source.name}, whose folders are named {layout.described}"
        for name in io.list_folder(f"{location}{source.folder}"):
            if not name.endswith("/") or layout.day_of(name[:-1]) is None:
                uri = f"{location}{source.folder}{name}"
                found.append(
                    (Skipped(uri, _with(why, advice, source.unknown_folders)), source.unknown_folders)
                )
    return found


def _with(why: str, advice: str, action: str) -> str:
    return f"{why}: {advice}" if action == REFUSE else why


def _parent(folder: str) -> str:
    return folder[: folder[:-1].rfind("/") + 1]


def days_between(first: date, last: date) -> Sequence[date]:
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
