"""Finds the tables and partitions of a crawl in a tree of folders.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html
https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from embedded_aws.glue.crawls import types
from embedded_aws.glue.crawls.classify import Classified
from embedded_aws.glue.crawls.types import Columns

SIMILAR = 0.7
"""Folders with more similar schemas than this are partitions of one table."""
_KEY_AND_VALUE = re.compile(r"([^=]+)=(.*)")


@dataclass(frozen=True)
class FoundFile:
    """A file: its key in the bucket, its size in bytes, and its classification."""

    key: str
    size: int
    kind: Classified


@dataclass
class Table:
    """A table to write: its folder (ends in ``/``, or is a file's key), format, columns and partitions."""

    name: str
    location: str
    kind: Classified
    columns: Columns
    keys: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], "Partition"] = field(default_factory=dict)
    files: list[FoundFile] = field(default_factory=list)


@dataclass
class Partition:
    """One partition's folder, columns and files."""

    location: str
    columns: Columns
    files: list[FoundFile]


@dataclass
class _Folder:
    """A folder that holds files, all of one format and one schema."""

    parts: tuple[str, ...]
    columns: Columns
    files: list[FoundFile]

    @property
    def kind(self) -> Classified:
        return self.files[0].kind


def table_name(folder: str) -> str:
    """A folder's or file's name as a table name: in lower case, with _ for all but letters and digits."""
    return re.sub(r"[^a-z0-9_]", "_", folder.lower())


def unique_name(name: str, location: str) -> str:
    """The name of a table whose plain name is taken: with a hash of its location.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
    """
    return f"{name}_{hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()}"


def find_tables(
    bucket: str, prefix: str, files: Iterable[FoundFile], combine: bool = False, level: int | None = None
) -> list[Table]:
    """The tables below ``prefix`` ("" or ending in ``/``), in the order of their location.

    ``combine`` ignores the similarity of schemas. ``level`` fixes the depth of tables; the bucket is level 1.
    """
    base = tuple(part for part in prefix.split("/") if part)
    tables: list[Table] = []
    folders = _folders(files, tables)
    if level is not None:
        depth = level - 1
        for root in sorted({folder.parts[:depth] for folder in folders if len(folder.parts) >= depth}):
            inside = [folder for folder in folders if folder.parts[:depth] == root]
            tables += _roots(bucket, root, inside, combine=True)
    elif folders:
        tables += _roots(bucket, base if combine else _start(base, folders), folders, combine)
    return sorted(tables, key=lambda table: table.location)


def _folders(files: Iterable[FoundFile], tables: list[Table]) -> list[_Folder]:
    """Group the files by folder. Files of one folder that do not fit together become a table each."""
    by_folder: dict[tuple[str, ...], list[FoundFile]] = {}
    for file in sorted(files, key=lambda found: found.key):
        by_folder.setdefault(tuple(file.key.split("/")[:-1]), []).append(file)
    folders = []
    for parts, inside in by_folder.items():
        columns: Columns = {}
        for file in inside:
            columns = types.merge(columns, file.kind.columns)
        if len({_compatibility(file.kind) for file in inside}) == 1:
            folders.append(_Folder(parts, columns, inside))
            continue
        for file in inside:
            name = table_name(file.key.rsplit("/", 1)[-1])
            tables.append(Table(name, file.key, file.kind, file.kind.columns, files=[file]))
    return folders


def _compatibility(kind: Classified) -> tuple[str, str, str]:
    return kind.classification, kind.compression, kind.details.get("delimiter", "")


def _start(base: tuple[str, ...], folders: list[_Folder]) -> tuple[str, ...]:
    """The include path, or the first folder below it with files, several folders, or named partitions."""
    root = base
    while True:
        if any(folder.parts == root for folder in folders):
            return root
        children = {folder.parts[len(root)] for folder in folders}
        if len(children) > 1 or _KEY_AND_VALUE.fullmatch(next(iter(children))):
            return root
        root = (*root, next(iter(children)))


def _roots(bucket: str, root: tuple[str, ...], folders: list[_Folder], combine: bool) -> list[Table]:
    """One table at ``root`` if the folders below it fit together, else the tables of each folder below it."""
    own = [folder for folder in folders if folder.parts == root]
    below = [folder for folder in folders if folder.parts != root]
    if own and below:
        deeper = _children(root, below)
        return _roots(bucket, root, own, combine) + [
            table
            for inside in deeper
            for table in _roots(bucket, inside[0].parts[: len(root) + 1], inside, combine)
        ]
    if own:
        return [_table(bucket, root, own)]
    together = _majority(folders, combine)
    children = _children(root, below)
    if together is None or (not combine and len(children) > 1 and _separate(root, children)):
        return [
            table
            for inside in children
            for table in _roots(bucket, inside[0].parts[: len(root) + 1], inside, combine)
        ]
    rest = [folder for folder in folders if folder not in together]
    return [_table(bucket, root, together), *(_table(bucket, folder.parts, [folder]) for folder in rest)]


def _children(root: tuple[str, ...], folders: list[_Folder]) -> list[list[_Folder]]:
    groups: dict[str, list[_Folder]] = {}
    for folder in folders:
        groups.setdefault(folder.parts[len(root)], []).append(folder)
    return list(groups.values())


def _majority(folders: list[_Folder], combine: bool) -> list[_Folder] | None:
    """The folders that make one table: same format and depth, similar schemas; None without a majority."""
    shapes = Counter((_compatibility(folder.kind), len(folder.parts)) for folder in folders)
    shape, _ = shapes.most_common(1)[0]
    alike = [folder for folder in folders if (_compatibility(folder.kind), len(folder.parts)) == shape]
    if not combine:
        first = alike[0].columns
        alike = [folder for folder in alike if types.similarity(first, folder.columns) > SIMILAR]
    if 2 * len(alike) > len(folders) or (combine and len(alike) == max(shapes.values())):
        return alike
    return None


def _separate(root: tuple[str, ...], children: list[list[_Folder]]) -> bool:
    """True if the folders at this level are separate tables, each with another schema."""
    schemas = [inside[0].columns for inside in children]
    return all(
        types.similarity(schemas[0], other) <= SIMILAR for other in schemas[1:]
    ) and not _KEY_AND_VALUE.fullmatch(children[0][0].parts[len(root)])


def _table(bucket: str, root: tuple[str, ...], folders: list[_Folder]) -> Table:
    columns: Columns = {}
    for folder in folders:
        columns = types.merge(columns, folder.columns)
    keys = _partition_keys([folder.parts[len(root) :] for folder in folders])
    location = "".join(f"{part}/" for part in root)
    table = Table(table_name(root[-1] if root else bucket), location, folders[0].kind, columns, keys)
    # A partition key that is also a column is listed once, as a key.
    table.columns = {name: kind for name, kind in columns.items() if name not in keys}
    for folder in folders:
        table.files += folder.files
        if keys:
            values = tuple(_value(part) for part in folder.parts[len(root) :])
            own = {name: kind for name, kind in folder.columns.items() if name not in keys}
            table.partitions[values] = Partition("".join(f"{p}/" for p in folder.parts), own, folder.files)
    return table


def _partition_keys(paths: list[tuple[str, ...]]) -> list[str]:
    """`dt` for folders named `dt=…`, `partition_N` for others; all of type string."""
    keys = []
    for index in range(len(paths[0]) if paths else 0):
        matches = [_KEY_AND_VALUE.fullmatch(path[index]) for path in paths]
        names = {match.group(1).lower() if match else "" for match in matches}
        keys.append(names.pop() if len(names) == 1 and "" not in names else f"partition_{index}")
    return keys


def _value(part: str) -> str:
    match = _KEY_AND_VALUE.fullmatch(part)
    return match.group(2) if match else part
