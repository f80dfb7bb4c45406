"""The errors a job ends with: one class per thing the reader should do next."""


class JobError(Exception):
    """Base of all. Its subclasses are printed by their bare name, because the last line of a failed run
    (`MissingDelivery: no delivery under …`) is what the job run shows as its error message."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__module__ = "builtins"


class InvalidArguments(JobError):
    """The caller must change the arguments of the job run."""


class InvalidContract(JobError):
    """The contract file must be corrected."""


class InvalidQuality(JobError):
    """The quality file must be corrected."""


class LockLost(JobError):
    """Another execution is at work on the pipeline: once it has ended, redrive this one."""


class SourceDrifted(JobError):
    """The source delivers other columns than the contract says: one of the two must be changed."""


class MissingDelivery(JobError):
    """The source has delivered nothing yet: run again once it has."""


class InvalidDelivery(JobError):
    """A delivered file is of no kind that is read, is not whole, or has another header than the contract:
    correct the file, or declare its shape or format."""


class TableRefused(JobError):
    """The table that is there is written in another way, so take a new one; or by another run just now, so
    run again."""


class Redelivered(JobError):
    """An object that was taken once has changed since: deliver what is new under another name."""


class TooManyRows(JobError):
    """The run must be split: a state machine counts in 32 bits."""


class StorageError(JobError):
    """An object could not be read, written or removed, or a table not be asked."""


class SparkFailed(JobError):
    """Spark gave up; the message is its root cause, the stack trace stands above it in the log."""
