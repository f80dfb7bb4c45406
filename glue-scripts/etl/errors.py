"""The errors that a job ends with: one class per thing the reader should do next."""


class JobError(Exception):
    """Base of all. Its subclasses are printed by their bare name, because the last line of a failed run
    (`MissingDelivery: no delivery under …`) is what the job run shows as its error message."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__module__ = "builtins"


class InvalidArguments(JobError):
    """The caller must change the arguments of the job run."""


class PlanRefused(JobError):
    """The compiled plan is of another version than this job reads: compile the contract again."""


class LockLost(JobError):
    """Another run is at work on the pipeline: once it has ended, continue this one."""


class SourceDrifted(JobError):
    """The source delivers other columns than the contract says: one of the two must be changed."""


class MissingDelivery(JobError):
    """The source has delivered nothing yet: run again once it has."""


class InvalidDelivery(JobError):
    """A delivered file is not of a known kind, is incomplete, or has another header than the contract:
    correct the file, or declare its shape or format."""


class TableRefused(JobError):
    """The table exists and does not fit the run: use a new one. Or another run has just written to it: run
    again."""


class ModelRefused(JobError):
    """The SELECT of a model does not give the table that is declared: one of the two must be changed."""


class InputRefused(JobError):
    """A table that a mart reads is gone, has lost a column or has changed a type: restore it, or declare it
    as it is."""


class MartViolated(JobError):
    """A mart breaks what always holds for its kind, and was rolled back: correct its inputs or its
    declaration."""


class Redelivered(JobError):
    """An object has changed since its rows were appended: remove its new version; use another name."""


class TooManyRows(JobError):
    """The run must be split: a state machine counts in 32 bits."""


class DataQualityCheckFailed(JobError):
    """The rows fail their rules, and nothing was published: correct the delivery or the rules."""


class BooksDoNotBalance(JobError):
    """A row has disappeared or was counted twice, or the books cannot be read."""


class StorageError(JobError):
    """An object could not be read, written or removed, or a table could not be queried."""


class SparkFailed(JobError):
    """Spark failed. The message is the root cause; the stack trace is above it in the log."""


class SourceUnavailable(JobError):
    """The database cannot be reached, refuses the login, or fails while it is read: fix it, then redrive."""


class ValueRefused(JobError):
    """The source holds values that the declared type cannot carry: declare another, or correct them."""
