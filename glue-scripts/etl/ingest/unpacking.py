"""The bytes that delivered files hold, unpacked strictly: what Hadoop would silently leave out is an error
here."""

import bz2
import io as streams
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from etl import io
from etl.ingest.packings import packing_of
from etl.io import StoredObject

START_BYTES = 64 * 1024  # of the first read: enough for the kind of the file and for a header
_PIECE = 1024 * 1024

_BZIP2_END = 0x177245385090
_BZIP2_END_BYTES = 11  # the mark (48 bits) and a checksum (32), which begin and end at any bit


class BrokenFileError(Exception):
    """A packed file that cannot be unpacked to its end."""


@contextmanager
def open_unpacked(stored: StoredObject, start: bytes | None = None) -> Iterator[streams.BufferedReader]:
    """The content of the object as a stream, which raises BrokenFileError. `start` are its first
    START_BYTES if they were read before. No more is requested than is read."""
    first = read_start(stored) if start is None else start
    packing = packing_of(first)
    unpack = {"": _plain, "gzip": _gunzip, "bzip2": _bunzip2}["" if packing is None else packing.name]
    with closing(_pieces(stored, first)) as packed:
        yield streams.BufferedReader(_Stream(unpack(packed)), _PIECE)


def read_start(stored: StoredObject) -> bytes:
    return io.read_bytes(stored, 0, START_BYTES)


def has_whole_end(stored: StoredObject) -> bool:
    """True if a bzip2 file ends with its last stream. Hadoop does not notice a file that was cut between two
    blocks, or one with something after its end."""
    if stored.size < 14:
        return False
    end = int.from_bytes(io.read_bytes(stored, stored.size - _BZIP2_END_BYTES, _BZIP2_END_BYTES), "big")
    return any(
        end >> (32 + unused) & (2**48 - 1) == _BZIP2_END and end & (2**unused - 1) == 0 for unused in range(8)
    )


def ends_in_nul(stored: StoredObject, start: bytes) -> bool:
    """True if the last byte is NUL, as after a crash or an interrupted copy. `start` are the first
    START_BYTES. Spark's CSV reader takes NULs for a blank line."""
    is_whole = stored.size <= len(start)
    return (start[-1:] if is_whole else io.read_bytes(stored, stored.size - 1, 1)) == b"\0"


def find_broken(objects: Iterable[StoredObject]) -> list[str]:
    """The URIs of objects that cannot be unpacked to their end, each with the reason. Packed objects are read
    whole. This is for a run that has failed: Spark does not say in which file."""
    return [f"{stored.uri}: {reason}" for stored in objects if (reason := _why_broken(stored))]


def _why_broken(stored: StoredObject) -> str:
    try:
        start = read_start(stored)
        if packing_of(start) is not None:
            with open_unpacked(stored, start) as file:
                while file.read(_PIECE):
                    pass
    except BrokenFileError as error:
        return str(error)
    return ""


def _pieces(stored: StoredObject, start: bytes) -> Generator[bytes, None, None]:
    yield start
    if stored.size > len(start) >= START_BYTES:
        yield from io.read_pieces(stored, len(start), _PIECE)


def _plain(pieces: Iterator[bytes]) -> Iterator[bytes]:
    return pieces


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member, is_within = zlib.decompressobj(31), False
    for piece in pieces:
        left = piece
        while left:
            try:
                yield member.decompress(left, _PIECE)
            except zlib.error as error:
                raise BrokenFileError(_unpackable("gzip", str(error))) from error
            is_within = not member.eof
            left = member.unused_data if member.eof else member.unconsumed_tail
            if member.eof:
                member = zlib.decompressobj(31)
    if is_within:
        raise BrokenFileError(_unpackable("gzip", "it is cut: its end is missing"))


def _bunzip2(pieces: Iterator[bytes]) -> Iterator[bytes]:
    stream, is_within = bz2.BZ2Decompressor(), False
    for piece in pieces:
        left = piece
        while left or not (stream.needs_input or stream.eof):
            try:
                yield stream.decompress(left, _PIECE)
            except OSError as error:
                raise BrokenFileError(_unpackable("bzip2", str(error))) from error
            is_within = not stream.eof
            left = stream.unused_data if stream.eof else b""
            if stream.eof:
                stream = bz2.BZ2Decompressor()
    if is_within:
        raise BrokenFileError(_unpackable("bzip2", "it is cut: its end is missing"))


def _unpackable(packing: str, reason: str) -> str:
    return f"its {packing} cannot be unpacked to its end ({reason}): deliver it whole, with nothing after it"


class _Stream(streams.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
