"""Refuses resources of a policy that IAM refuses and MiniStack accepts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "policies on ARNs"
_ARN = re.compile(r"arn:[^:\s]+:[^:\s]*:[^:\s]*:[^:\s]*:.+")


def install(settings: Settings) -> Callable[[], None]:
    """Wrap the validation of policy documents."""
    emulator.replace("core.iam_evaluator", "validate_policy_document", ("doc",), _judged, _BEHAVIOUR)
    return lambda: None


def _judged(original: Any) -> Callable[..., Any]:
    def validate_policy_document(doc: Any) -> str | None:
        wrong: str | None = original(doc)
        return wrong or next(_wrong_resources(json.loads(doc) if isinstance(doc, str) else doc), None)

    return validate_policy_document


def _wrong_resources(document: dict[str, Any]) -> Iterator[str]:
    for statement in _listed(document["Statement"]):
        for resource in _listed(statement.get("Resource", statement.get("NotResource"))):
            if resource != "*" and not _ARN.fullmatch(str(resource)):
                yield f'Resource {resource} must be in ARN format or "*".'


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
