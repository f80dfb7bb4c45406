"""Cuts an answer into pages: MaxResults, and NextToken where a page does not reach the end."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from embedded_aws.glue.answers import invalid

_Item = TypeVar("_Item")


def page(items: Sequence[_Item], data: Mapping[str, Any], most: int) -> tuple[list[_Item], dict[str, str]]:
    """The page that a call asks for, of at most ``most`` items, and the next one's token if there is one."""
    token = str(data.get("NextToken") or "0")
    size = int(data.get("MaxResults") or most)
    if not token.isdigit():
        raise invalid("NextToken is not valid")
    if not 1 <= size <= most:
        raise invalid(f"MaxResults must be from 1 to {most}")
    end = int(token) + size
    return list(items[int(token) : end]), {"NextToken": str(end)} if end < len(items) else {}
