"""Shows that each granted right is needed: removes one, and decides the calls of a trace again.

    python permission_replay.py --state DIR --trace FILE [--json OUT] [--not-shown FILE] [--denied FILE]
                                [--roles PATTERN | --other-roles PATTERN]

The policies come from the state of an embedded AWS, the calls from its --trace. A right is one action on one
resource of one statement; in a trust policy or a resource's policy, for one principal. It is needed if an
allowed call is denied without it. First, with all rights, every verdict must be the same as recorded.
Otherwise the replay proves nothing.

If several runs share the work, --roles judges the rights of some roles only, --other-roles those of all
others. Calls of services to resources that no longer exist, and calls of roles that no longer exist, are left
out, because the policies that decided them are gone too.

The exit code is 0; 1 if a right is not shown to be needed and --not-shown does not explain it, or a call was
denied and --denied does not explain it, or an entry of these files is out of date; 2 if the trace and the
state do not belong together or cannot be read. Without one of these files, its findings are only printed.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

from embedded_aws.permission_replay.recorded_calls import Call, Document, Policies, ReplayError, read_trace
from embedded_aws.permission_replay.report import Shown, name_of, problems_of, read_entries, report, summary

_ANY = ""


@dataclass(frozen=True)
class Grant:
    """One right: an action on a resource, for a principal where the policy names principals."""

    document: Document
    statement: int
    sid: str
    action: str
    resource: str = _ANY
    principal: tuple[str, str] = ("", "")
    condition: str = ""


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        recorded, lines = read_trace(options.trace)
        policies = Policies(options.state, account_of(recorded), recorded[0].region)
        calls = [call for call in recorded if not policies.is_gone(call)]
        not_shown, denied = read_entries(options.not_shown), read_entries(options.denied)
        reproduce(policies, calls)
    except (ReplayError, OSError) as error:
        print(f"permission replay: {error}", file=sys.stderr)
        return 2
    shown = [
        Shown(
            holder=grant.document.holder,
            kind=grant.document.kind,
            policy=grant.document.name,
            sid=grant.sid,
            action=grant.action,
            resource=grant.resource,
            principal=grant.principal[1],
            condition=grant.condition,
            needed_by=call,
        )
        for grant, call in judge(policies, calls)
        if _is_meant(grant.document.holder, options)
    ]
    if not shown:
        print("permission replay: none of the selected roles has a right", file=sys.stderr)
        return 2
    problems = problems_of(shown, calls, not_shown, denied)
    if options.json:
        options.json.write_text(
            json.dumps(summary(shown, calls, lines, not_shown, denied, problems), indent=1)
        )
    print("\n".join(report(shown, calls, lines, not_shown, denied)))
    if len(calls) < len(recorded):
        print(f"left out: {len(recorded) - len(calls)} calls of services to resources that no longer exist")
    for problem in problems:
        print(f"permission replay: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="the --state folder of an embedded AWS")
    parser.add_argument("--trace", type=Path, required=True, help="its --trace file")
    parser.add_argument("--json", type=Path, help="file to write all findings to")
    parser.add_argument(
        "--not-shown", type=Path, help="rights that a trace cannot show, and why they are granted"
    )
    parser.add_argument("--denied", type=Path, help="denials that are right, and why")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--roles", help="judge only the rights of roles with such a name")
    which.add_argument(
        "--other-roles",
        action="append",
        default=[],
        help="judge all rights except those of roles with such a name; may be repeated",
    )
    return parser.parse_args(arguments)


def _is_meant(holder: str, options: argparse.Namespace) -> bool:
    name = name_of(holder) if ":role/" in holder else ""
    if options.roles is not None:
        return fnmatchcase(name, options.roles)
    return not any(fnmatchcase(name, pattern) for pattern in options.other_roles)


def account_of(calls: list[Call]) -> str:
    """The account of the calls; calls of services have none. Raises ReplayError for several accounts."""
    accounts = sorted({call.account for call in calls if call.account})
    if len(accounts) != 1:
        raise ReplayError(f"the trace must have calls of one account, found {accounts}")
    return accounts[0]


def reproduce(policies: Policies, calls: list[Call]) -> None:
    """Raises ReplayError when a call is decided differently from its record."""
    others = [call for call in calls if policies.allows(call) != call.allowed]
    if others:
        told = "; ".join(
            f"{call.principal}: {call} was {'allowed' if call.allowed else 'denied'} at {call.time}"
            for call in others[:5]
        )
        raise ReplayError(
            f"{len(others)} of {len(calls)} calls are now decided differently: the policies have changed "
            f"since, or the trace lacks condition keys ({told})"
        )


def judge(policies: Policies, calls: list[Call]) -> Iterator[tuple[Grant, Call | None]]:
    """Each right with the first call that is denied without it; None if no call is."""
    allowed = [call for call in calls if call.allowed]
    concerned: dict[tuple[str, str], list[Call]] = defaultdict(list)
    resources: dict[str, Document] = {}
    for call in allowed:
        by = {"call": ("role", call.principal), "trust": ("trust", call.resource)}.get(call.kind)
        if by:
            concerned[by].append(call)
        found = policies.of_resource(call.resource) if call.kind != "trust" else None
        if found:
            concerned["resource", found[0].holder].append(call)
            resources[found[0].holder] = found[0]
    roles = policies.role_arns()
    documents = [document for arn in roles for document in (*policies.of_role(arn), policies.trust_of(arn))]
    for document in (*documents, *resources.values()):
        for grant in grants_of(document):
            less = without(grant)
            about = (
                call
                for call in concerned[document.kind, document.holder]
                if policies.matches(call, [grant.action], [grant.resource] if grant.resource else [])
            )
            yield grant, next((call for call in about if not policies.allows(call, less)), None)


def grants_of(document: Document) -> Iterator[Grant]:
    """The rights that a policy grants."""
    for index, statement in enumerate(document.statements()):
        if statement.get("Effect") != "Allow":
            continue
        sid, condition = str(statement.get("Sid", "")), _condition(statement)
        every = product(_actions(statement), _resources(statement), _principals(statement))
        for action, resource, principal in every:
            yield Grant(document, index, sid, action, resource, principal, condition)


def without(grant: Grant) -> Document:
    """The policy without this right."""
    statements = grant.document.statements()
    statement = statements[grant.statement]
    actions, resources, principals = _actions(statement), _resources(statement), _principals(statement)
    one = {**statement, **({"Action": grant.action} if "Action" in statement else {})}
    less = [{**statement, "Action": [name for name in actions if name != grant.action]}]
    less.append({**one, "Resource": [name for name in resources if name != grant.resource]})
    if "Resource" in one:
        one["Resource"] = grant.resource
    rest = [named for named in principals if named != grant.principal]
    less.append({**one, "Principal": _principal_element(rest)})
    kept = [
        part
        for part, left in zip(less, (len(actions), len(resources), len(principals)), strict=True)
        if left > 1
    ]
    text = json.dumps(
        {"Statement": [*statements[: grant.statement], *kept, *statements[grant.statement + 1 :]]}
    )
    return Document(grant.document.holder, grant.document.kind, grant.document.name, text)


def _listed(value: Any) -> list[str]:
    return list(dict.fromkeys([value] if isinstance(value, str) else value))


def _actions(statement: dict[str, Any]) -> list[str]:
    return _listed(statement["Action"]) if "Action" in statement else ["*"]


def _resources(statement: dict[str, Any]) -> list[str]:
    return _listed(statement["Resource"]) if "Resource" in statement else [_ANY]


def _principals(statement: dict[str, Any]) -> list[tuple[str, str]]:
    named = statement.get("Principal")
    if not isinstance(named, dict):
        return [("", str(named or ""))]
    return [(kind, name) for kind, names in named.items() for name in _listed(names)]


def _condition(statement: dict[str, Any]) -> str:
    """A statement's conditions in one line: `kms:ViaService=s3.eu-west-1.amazonaws.com`."""
    asked = [
        f"{key}={'|'.join(_listed(values) if isinstance(values, list) else [str(values)])}"
        for block in (statement.get("Condition") or {}).values()
        for key, values in block.items()
    ]
    return " & ".join(asked)


def _principal_element(principals: list[tuple[str, str]]) -> dict[str, list[str]]:
    element: dict[str, list[str]] = defaultdict(list)
    for kind, name in principals:
        element[kind].append(name)
    return dict(element)
