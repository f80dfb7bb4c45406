"""Finds the numbers of lines in a delivered file. Spark knows the file of a row, but not its line."""

from collections.abc import Iterable, Iterator

from etl.ingest.unpacking import open_unpacked
from etl.io import StoredObject


def find_lines(file: StoredObject, texts: Iterable[str], space: str, most_bytes: int) -> dict[str, int]:
    """The numbers, from 1, of the first lines of a file that are the texts, `space` around them aside.
    Reads at most `most_bytes` of it, unpacked. Texts that are not found there are not in the answer. It is
    empty if the file cannot be read."""
    wanted = {text.strip(space): text for text in texts}
    found: dict[str, int] = {}
    try:
        with open_unpacked(file) as lines:
            for number, line in enumerate(_first_lines(lines, most_bytes), 1):
                held = line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode("utf-8", "replace")
                text = wanted.get(held.strip(space))
                if text is not None:
                    found.setdefault(text, number)
                if len(found) == len(wanted):
                    break
    except Exception:  # without a line number the reader must search, but the run goes on
        return {}
    return found


def _first_lines(lines: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    """The lines that end within the first `most_bytes`."""
    read = 0
    for line in lines:
        read += len(line)
        if read > most_bytes:
            return
        yield line
