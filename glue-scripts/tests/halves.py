"""Two halves of the test files, about equally long, which `npm test` runs as two suites."""

from zlib import crc32

HALVES = ("first", "second")

# The files that need most time, longest first. They are dealt in turn, so that the halves are even.
LONGEST = ("test_faults.py",)


def half_of(file: str) -> str:
    """The half that a test file is in: each is in one, whatever other files there are."""
    if file in LONGEST:
        # First, second, second, first, as teams are chosen.
        turn = LONGEST.index(file) % 4
        return HALVES[turn in (1, 2)]
    return HALVES[crc32(file.encode()) % 2]
