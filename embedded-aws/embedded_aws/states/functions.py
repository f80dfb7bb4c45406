"""The integration `lambda:invoke`: the result of a function, or its error as the Task's.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
"""

import contextvars
import json
import threading
from typing import Any

from embedded_aws.states import services
from embedded_aws.states.execution import current, failure, pause
from embedded_aws.states.sync import TimedOutError, execution, timed_out

_POLL_SECONDS = 0.02


def invoke(service: services.Service, pattern: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Invoke a function with the state machine's role. Its result is JSON, its error the Task's error.

    A function goes on when its Task times out or its execution ends, as on AWS.
    """
    del pattern
    asked = {**parameters, "Payload": json.dumps(parameters.get("Payload", {})).encode()}
    client = execution().client(service.client)
    said, about = _in_background(lambda: services.answered(client, service, "Invoke", asked))
    text = str(said.get("Payload") or "")
    if said.pop("FunctionError", None):
        raise failure(_error_type(text), text)
    headers = {name: [value] for name, value in about.get("HTTPHeaders", {}).items()}
    return {
        **said,
        "Payload": json.loads(text) if text else None,
        "SdkHttpMetadata": {
            "AllHttpHeaders": headers,
            "HttpHeaders": {name: values[0] for name, values in headers.items()},
            "HttpStatusCode": about.get("HTTPStatusCode"),
        },
        "SdkResponseMetadata": {"RequestId": about.get("RequestId", "")},
    }


def _error_type(text: str) -> str:
    """The errorType of a function's error. Without one, AWS says Lambda.Unknown."""
    try:
        return str(json.loads(text)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Lambda.Unknown"


def _in_background(call: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The call's answer. The waiting ends with the state or the execution; the call goes on."""
    found: list[Any] = []
    done, over = threading.Event(), timed_out.get()

    def work() -> None:
        try:
            found.append(call())
        except Exception as error:
            found.append(error)
        finally:
            done.set()

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="lambda:invoke", daemon=True).start()
    while not done.wait(_POLL_SECONDS):
        if over is not None and over.is_set():
            raise TimedOutError
        if current.get() is not None:
            pause(0.0)
    if isinstance(found[0], BaseException):
        raise found[0]
    answer: tuple[dict[str, Any], dict[str, Any]] = found[0]
    return answer
