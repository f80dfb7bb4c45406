"""Proves that a whole delivery is complete, before a key that it lacks counts as deleted."""

import json
from collections.abc import Mapping
from datetime import date

from etl import io
from etl.errors import InvalidDelivery, StorageError
from etl.ingest.contract import Proof
from etl.ingest.deliveries import Deliveries, Delivery
from etl.run.quality import MILLION

_SO = "nothing was written, because a key that an incomplete delivery lacks is not deleted"


def check_files_of_proof(proof: Proof, deliveries: Deliveries, read: Mapping[date, int]) -> None:
    """Checks the count or the marker that lies with each delivery; `read` are its rows. Raises
    InvalidDelivery with every delivery that is not proved."""
    if proof.by == "floor":
        return
    found = ((day, _mistake(proof, one, read[day])) for day, one in sorted(deliveries.items()))
    _refuse([f"{day}: {mistake}" for day, mistake in found if mistake])


def check_floor(proof: Proof, delivered: Mapping[date, int], present: Mapping[date, int]) -> None:
    """`delivered` are the keys of each delivery, `present` those that were there before it. Raises
    InvalidDelivery with every delivery below the floor."""
    _refuse(
        [
            f"{day}: it has {keys} keys, and the floor is {proof.share / MILLION:g} of the {present[day]} "
            "that are present"
            for day, keys in sorted(delivered.items())
            if keys * MILLION < proof.share * present[day]
        ]
    )


def check_hidden_keys(unreadable: Mapping[date, int], absent: Mapping[date, int]) -> None:
    """`unreadable` are the rejected rows whose key cannot be read, `absent` the keys that would count as
    deleted. Raises InvalidDelivery where the rows may hold those keys."""
    _refuse(
        [
            f"{day}: {rows} rejected rows have no key that can be read, and {absent[day]} keys are absent, "
            "which may be theirs"
            for day, rows in sorted(unreadable.items())
            if rows and absent.get(day)
        ]
    )


def _refuse(mistakes: list[str]) -> None:
    if mistakes:
        raise InvalidDelivery(f"not proved to be complete: {'; '.join(mistakes)}. {_SO[0].upper()}{_SO[1:]}")


def _mistake(proof: Proof, delivery: Delivery, rows: int) -> str:
    files = [file for file in delivery.left_out if file.name.rpartition("/")[2] == proof.file]
    if len(files) != 1:
        return f"it has {len(files)} files {proof.file}, and must have one"
    if proof.by == "marker":
        return ""
    try:
        counted = json.loads(io.read_text(files[0].uri))[proof.member]
    except (StorageError, ValueError, KeyError, TypeError) as error:
        return f"{files[0].uri} does not give the number of rows as {proof.member} ({error!r})"
    if isinstance(counted, bool) or not isinstance(counted, int):
        return f"{files[0].uri} gives {counted!r} as {proof.member}, which is not a number of rows"
    return "" if counted == rows else f"{files[0].uri} says {counted} rows, and {rows} were read"
