"""Gives URLs to real JDBC drivers: `dial_jdbc.py JAR_FOLDER [JAVA_OPTION ...]`.

Standard input is a JSON list of `{url, user, password}`. Standard output is one of `{driver, error, rows}`:
the class of the driver that takes the URL, the messages of the refusal and its causes, the answer to
`select 1`. Each may be null.
"""

import json
import sys
from pathlib import Path
from typing import Any

from py4j.java_gateway import JavaGateway, find_jar_path
from py4j.protocol import Py4JJavaError

SECONDS = 20


def dial(jvm: Any, url: str, user: str, password: str) -> dict[str, Any]:
    manager = jvm.java.sql.DriverManager
    manager.setLoginTimeout(SECONDS)
    credentials = jvm.java.util.Properties()
    credentials.setProperty("user", user)
    credentials.setProperty("password", password)
    try:
        driver = manager.getDriver(url).getClass().getName()
    except Py4JJavaError as error:
        return {"driver": None, "error": messages(error.java_exception), "rows": None}
    try:
        connection = manager.getConnection(url, credentials)
    except Py4JJavaError as error:
        return {"driver": driver, "error": messages(error.java_exception), "rows": None}
    rows = connection.createStatement().executeQuery("select 1")
    rows.next()
    answer = rows.getInt(1)
    connection.close()
    return {"driver": driver, "error": None, "rows": answer}


def messages(exception: Any) -> str:
    """The message of an exception and those of its causes."""
    said: list[str] = []
    while exception is not None and len(said) < 10:
        said.append(f"{exception.getClass().getSimpleName()}: {exception.getMessage()}")
        exception = exception.getCause()
    return " | ".join(said)


def main() -> None:
    jars = sorted(str(jar) for jar in Path(sys.argv[1]).glob("*.jar"))
    gateway = JavaGateway.launch_gateway(
        jarpath=find_jar_path(), classpath=":".join(jars), javaopts=sys.argv[2:], die_on_exit=True
    )
    try:
        wanted = json.load(sys.stdin)
        print(json.dumps([dial(gateway.jvm, **one) for one in wanted]))
    finally:
        gateway.shutdown()


if __name__ == "__main__":
    main()
