"""The packings and encodings that a delivered file may have, and what is wrong with any other.

Hadoop looks at the end of the name only. Raw Snappy then gives no row and no error, gzip under another name
gives two lines of rubbish, and `.GZ` is gzip for Spark 4 but text for Spark 3.5. So the first bytes and the
name must agree, and only what every supported version of Spark reads to its end is accepted."""

import re
from dataclasses import dataclass

from etl.ingest.contract import JSON_LINES, Format

SEEN_BYTES = 4096  # of the beginning, packed and unpacked, that is looked at


@dataclass(frozen=True)
class Packing:
    """`beginning` is what its first bytes match."""

    name: str
    ending: str
    beginning: re.Pattern[bytes]


PACKINGS = (
    Packing("gzip", ".gz", re.compile(rb"\x1f\x8b\x08")),
    # A stream holds a block, or none: https://en.wikipedia.org/wiki/Bzip2#File_format
    Packing("bzip2", ".bz2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")),
)
ENDINGS = tuple(packing.ending for packing in PACKINGS)

_UNPACK = "unpack it, or pack it with gzip"
_EXPORT = "export it as CSV or as JSON lines"
# Kinds that are recognised by their first bytes, and what to do about each.
_KNOWN: tuple[tuple[bytes, str, str], ...] = (
    (rb"PK\x03\x04.{0,4000}(?:\[Content_Types\]\.xml|xl/)", "an Excel workbook", _EXPORT),
    (rb"PK(?:\x03\x04|\x05\x06|\x07\x08)", "a zip archive", "unpack it"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (rb"Rar!\x1a\x07", "a rar archive", "unpack it"),
    (rb".{257}ustar", "a tar archive", "deliver the files in it by themselves"),
    (rb"\x28\xb5\x2f\xfd", "zstd", _UNPACK),
    (rb"\xfd7zXZ\x00", "xz", _UNPACK),
    (rb"\x5d\x00\x00[\x00-\xff]{2}(?:\xff{8}|.{5}\x00{3})", "lzma", _UNPACK),
    (rb"(?:\x04\x22|\x02\x21)\x4d\x18|\x02\x21\x4c\x18|LZ4Block", "lz4", _UNPACK),
    (rb"[\x50-\x5f]\x2a\x4d\x18", "a frame of lz4 or zstd", _UNPACK),
    (rb"\x89LZO\x00", "lzop", _UNPACK),
    (rb"\x1f[\x9d\xa0]", "compress (.Z)", _UNPACK),
    (rb"x[\x01\x9c\xda]", "zlib", _UNPACK),
    (rb"\xff\x06\x00\x00sNaPpY", "Snappy in its framing format", _UNPACK),
    (rb"\x82SNAPPY\x00", "Snappy as a Java stream", _UNPACK),
    (rb"PAR[1E](?![ -~\t\r\n]{2}|[\t\r\n]?$)", "Parquet", _EXPORT),
    (rb"Obj\x01", "Avro", _EXPORT),
    (rb"ORC.{0,3}[\x00-\x08\x0e-\x1f]", "ORC", _EXPORT),
    # The byte is its version; 9 and above are a tab and ends of lines.
    (rb"SEQ[\x00-\x08]", "a sequence file of Hadoop", _EXPORT),
    (rb"(?:ARROW1|FEA1)(?![ -~\t\r\n]|$)", "Arrow", _EXPORT),
    (rb"SQLite format 3\x00", "a database of SQLite", _EXPORT),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, such as Excel's .xls", _EXPORT),
    (rb"%PDF-", "PDF", _EXPORT),
)
_BY_BYTES = [(re.compile(pattern, re.DOTALL), what, advice) for pattern, what, advice in _KNOWN]

# Ends of names that say a packing, an archive or a format of columns. Hadoop unpacks some of them by name.
_NAMED = {
    "gzip": ".gzip .gz .z",
    "bzip2": ".bzip2 .bz2 .bz",
    "Snappy": ".snappy .sz .snz",
    "lz4": ".lz4",
    "zstd": ".zst .zstd",
    "deflate": ".deflate .zlib .zz",
    "lzo": ".lzo .lzop .lzo_deflate",
    "xz": ".xz .lzma",
    "brotli": ".br",
    "an archive": ".zip .7z .rar .tar .tgz .taz .tbz .tbz2 .txz .tzst",
    "Parquet": ".parquet",
    "Avro": ".avro",
    "ORC": ".orc",
    "Excel": ".xls .xlsx .xlsm .xlsb",
    "PDF": ".pdf",
}
_BY_NAME = {ending: what for what, endings in _NAMED.items() for ending in endings.split()}

_BY_NULS: dict[tuple[bool, ...], str] = {
    (False, True, True, True): "UTF-32LE",
    (True, True, True, False): "UTF-32BE",
    (False, True, False, True): "UTF-16LE",
    (True, False, True, False): "UTF-16BE",
}


def packing_of(first: bytes) -> Packing | None:
    """The packing that begins with these bytes; None for plain text and for packings that are not
    accepted."""
    return next((one for one in PACKINGS if one.beginning.match(first)), None)


def find_mistake(name: str, first: bytes, unpacked: bytes, format_: Format = JSON_LINES) -> str:
    """Says what is wrong with a file and what to do; "" when it can be read. `first` are its first bytes,
    `unpacked` the same bytes unpacked. SEEN_BYTES of both are looked at."""
    held = packing_of(first)
    named = next((one for one in PACKINGS if name.endswith(one.ending)), None)
    text = _without_declared(unpacked[:SEEN_BYTES], format_)
    inside = _mistake_of_content(text, f"{held.name} of " if held else "", format_.encoding)
    if inside and (held or _known(text)):
        return inside
    if held is not named:
        return _mistake_of_name(name, held, named)
    if held is None and _ending_of(name).lower() in _BY_NAME:
        return _mistake_of_ending(_ending_of(name))
    return inside


def _mistake_of_name(name: str, held: Packing | None, named: Packing | None) -> str:
    if held is None:
        return _mistake_of_ending(named.ending if named else "")
    ending = _ending_of(name)
    bare = name[: -len(ending)] if _BY_NAME.get(ending.lower()) == held.name else name
    right = f"{bare.rpartition('/')[2]}{held.ending}"
    return f"it is {held.name}, and its name does not end in {held.ending}: rename it to {right}"


def _mistake_of_ending(ending: str) -> str:
    what = _BY_NAME[ending.lower()]
    is_read = what in {packing.name for packing in PACKINGS}
    why = f"and its bytes are not {what}" if is_read else "which is not read"
    advice = "deliver it plain or as gzip, under a name that says so"
    return f"its name ends in {ending}, for {what}, {why}: {advice}"


def _without_declared(text: bytes, format_: Format) -> bytes:
    """The text with a comma for each control character that the format declares, such as a delimiter of
    \\u0001: it is no sign of binary data."""
    declared = (format_.delimiter, format_.escape, format_.comment)
    controls = "".join(sign for sign in declared if sign is not None and sign < " ").encode()
    return text.translate(bytes.maketrans(controls, b"," * len(controls)))


def _mistake_of_content(text: bytes, of: str, declared: str) -> str:
    again = packing_of(text) if of else None
    if again is not None:
        return f"it is {of}{again.name}: unpack it once"
    if known := _known(text):
        what, advice = known
        return f"it is {of}{what}: {advice}"
    if encoding := _encoding_of(text):
        advice = f"convert it, e.g. iconv -f {encoding} -t {declared} old > new"
        return f"it is {of}text in {encoding}: {advice}"
    if declared != "UTF-8" and text.startswith(b"\xef\xbb\xbf"):
        advice = 'say "encoding": "UTF-8" in x-etl.format'
        return f"it is {of}text in UTF-8, as its byte-order mark says, and not in {declared}: {advice}"
    if _is_binary(text, declared):
        return f"it is {of}binary data, not text in {declared}: {_EXPORT}"
    return ""


def _known(text: bytes) -> tuple[str, str] | None:
    return next(((what, advice) for pattern, what, advice in _BY_BYTES if pattern.match(text)), None)


def _ending_of(name: str) -> str:
    last = name.rpartition("/")[2]
    return f".{last.rpartition('.')[2]}" if "." in last else ""


def _encoding_of(text: bytes) -> str:
    """UTF-16 or UTF-32, recognised by the byte-order mark or by the places of NULs beside ASCII
    characters."""
    if text.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    first = text[: min(256, len(text) // 4 * 4)]
    is_nul = [first[at::4].count(0) * 5 > len(first[at::4]) for at in range(4)]
    encoding = _BY_NULS.get(tuple(is_nul), "")
    if not encoding:
        return ""
    decoded = first.decode(encoding, "replace")
    return encoding if all(sign.isprintable() or sign in "\t\r\n\ufffd" for sign in decoded) else ""


def _is_binary(text: bytes, declared: str) -> bool:
    """Text may hold a NUL or two, or have lines in ISO 8859-1; in packed data all bytes are equally
    frequent."""
    few = len(text) // 50
    controls = sum(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in text)
    if declared == "UTF-8":
        return text.count(0) > max(few, 2) or (controls > max(few, 1) and not _is_utf8(text))
    return text.count(0) > max(few, 2) or controls > max(len(text) // 20, 8)


def _is_utf8(text: bytes) -> bool:
    """Valid UTF-8, except that the last character may be cut."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.end == len(text)
    return True
