"""Glue's answer to a call that it does not carry out."""


class RefusedError(Exception):
    """Glue's error code and message."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


def invalid(words: str) -> RefusedError:
    return RefusedError("InvalidInputException", words)


def missing(words: str) -> RefusedError:
    return RefusedError("EntityNotFoundException", words)
