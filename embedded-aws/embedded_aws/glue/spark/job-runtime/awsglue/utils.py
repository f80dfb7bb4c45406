"""Arguments of a job run, as Glue passes them on the script's command line.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

_ALWAYS = ("JOB_NAME", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "TempDir")


class GlueArgumentError(Exception):
    """A required argument is missing or has no value."""


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, str]:  # noqa: N802 - Glue's name
    """The values of the named options from ``sys.argv``: ``--name value`` or ``--name=value``.

    Hyphens in names become underscores. Raises GlueArgumentError when an option of ``options`` is missing.
    Other arguments are ignored, except Glue's own JOB_NAME, JOB_ID, JOB_RUN_ID, SECURITY_CONFIGURATION and
    TempDir, which are returned if they are given.
    """
    given = _given(args[1:])
    missing = [name for name in options if name not in given]
    if missing:
        raise GlueArgumentError(
            f"the following arguments are required: {', '.join('--' + n for n in missing)}"
        )
    wanted = [*options, *(name for name in _ALWAYS if name in given and name not in options)]
    return {name.replace("-", "_"): given[name] for name in wanted}


def _given(arguments: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    index = 0
    while index < len(arguments):
        word = arguments[index]
        index += 1
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        if equals:
            given[name] = value
        elif index < len(arguments) and not arguments[index].startswith("--"):
            given[name] = arguments[index]
            index += 1
    return given
