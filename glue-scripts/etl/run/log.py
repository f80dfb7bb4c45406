"""The log of a job run."""


def log(text: str) -> None:
    print(text, flush=True)
