"""Writes a trace of IAM's decisions: one JSON line for every evaluated call of a role, a user or a service.

The calls of the account's owner and of unknown callers are left out. A call that needs several resources or a
key has a line for each. A line holds all condition keys, so that permission_replay can decide it again.
"""

import contextvars
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "a trace of decisions"
_MODULE = "core.iam_evaluator"
_LONGEST_LINE = 1 << 20
_seen: contextvars.ContextVar[list[tuple[Any, Any]] | None] = contextvars.ContextVar("iam_seen", default=None)


class Trace:
    """A file of whole lines. Each line is one write: threads do not mix them, and a kill loses none."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._drop_half_line()

    def _drop_half_line(self) -> None:
        """Remove the last line of an earlier server if a kill cut it."""
        size = os.fstat(self._descriptor).st_size
        tail = os.pread(self._descriptor, _LONGEST_LINE, max(size - _LONGEST_LINE, 0))
        os.ftruncate(self._descriptor, size - (len(tail) - tail.rfind(b"\n") - 1))

    def write(self, line: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(line, default=str).encode() + b"\n")


def install(settings: Settings) -> Callable[[], None]:
    """Wrap MiniStack's evaluator if there is a trace file. Install it before request_rights, which evaluates
    too.
    """
    if settings.trace is None:
        return lambda: None
    trace = Trace(settings.trace)
    parameters = ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context")
    emulator.replace(_MODULE, "enforce", parameters, lambda made: _enforce(made, trace), _BEHAVIOUR)
    emulator.replace(_MODULE, "evaluate", ("ctx", "policies", "limits"), _evaluate, _BEHAVIOUR)
    emulator.replace(
        _MODULE,
        "evaluate_resource_policy",
        ("doc", "ctx", "service", "named_only", "direct_only"),
        lambda made: _service_call(made, trace),
        _BEHAVIOUR,
    )
    trust = ("trust_doc", "caller_arn", "ctx")
    emulator.replace(
        _MODULE, "evaluate_trust_policy", trust, lambda made: _assumption(made, trace), _BEHAVIOUR
    )
    return lambda: None


# -- decisions --


def _enforce(original: Any, trace: Trace) -> Callable[..., Any]:
    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        seen: list[tuple[Any, Any]] = []
        token = _seen.set(seen)
        try:
            denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        finally:
            _seen.reset(token)
        if seen:  # the owner's calls are not evaluated at all
            context, by_identity = seen[0]
            trace.write(_line("call", _principal(context.principal_arn), context, _why(denied, by_identity)))
        return denied

    return enforce


def _evaluate(original: Any) -> Callable[..., Any]:
    """Collect the evaluations of a call. The first one is of the caller's own policies."""

    def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
        verdict = original(ctx, policies, *limits)
        seen = _seen.get()
        if seen is not None:
            seen.append((ctx, verdict))
        return verdict

    return evaluate


def _service_call(original: Any, trace: Trace) -> Callable[..., Any]:
    """Trace a service that assumes a role, publishes to a topic or uses a key."""

    def evaluate_resource_policy(
        doc: Any, ctx: Any, service: str | None = None, named_only: bool = False, direct_only: bool = False
    ) -> Any:
        verdict = original(doc, ctx, service, named_only, direct_only)
        if service and ctx.principal_type == "Service":
            kind = "trust" if ctx.action.startswith("sts:") else "service"
            allowed = verdict.decision == "Allow"
            trace.write(_line(kind, Principal(service), ctx, "" if allowed else _denied_by(verdict)))
        return verdict

    return evaluate_resource_policy


def _assumption(original: Any, trace: Trace) -> Callable[..., Any]:
    """Trace the decision of a role's trust policy on a role or a user."""

    def evaluate_trust_policy(trust_doc: Any, caller_arn: str, ctx: Any = None) -> bool:
        allowed = bool(original(trust_doc, caller_arn, ctx))
        if ctx is not None and not caller_arn.endswith(":root"):
            why = "" if allowed else "the role's trust policy"
            trace.write(_line("trust", _principal(caller_arn), ctx, why))
        return allowed

    return evaluate_trust_policy


# -- lines --


@dataclass(frozen=True)
class Principal:
    """The caller: a role's ARN with the session's name, a user's ARN, or a service."""

    name: str
    session: str = ""


def _principal(arn: str) -> Principal:
    if ":assumed-role/" not in arn:
        return Principal(arn)
    account = arn.split(":")[4]
    _, name, session = arn.split(":", 5)[5].split("/", 2)
    role = emulator.service("iam")._roles.get_scoped(account, None, name) or {}
    return Principal(str(role.get("Arn") or f"arn:aws:iam::{account}:role/{name}"), session)


def _why(denied: Any, by_identity: Any) -> str:
    """The reason of a denial; empty when the call was allowed."""
    if denied is None:
        return ""
    if by_identity.decision == "Allow" and denied.decision == "ImplicitDeny":
        return "the resource's policy does not allow it"
    return _denied_by(denied)


def _denied_by(verdict: Any) -> str:
    if verdict.decision != "Deny":
        return "no statement allows it"
    statement = f" ({verdict.matched_sid})" if verdict.matched_sid else ""
    of = verdict.resource_policy_arn
    return f"an explicit deny{statement} in the policy of {of}" if of else f"an explicit deny{statement}"


def _line(kind: str, principal: Principal, ctx: Any, denied_by: str) -> dict[str, Any]:
    given = {**ctx.service_context, **ctx.principal_keys}
    context = {name.lower(): value for name, value in given.items() if value is not None}
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "kind": kind,
        "principal": principal.name,
        "session": principal.session,
        "action": ctx.action,
        "resource": ctx.resource_arn,
        "account": ctx.principal_account,
        "region": ctx.region,
        "context": {
            **context,
            "aws:securetransport": ctx.secure_transport,
            "aws:sourceip": ctx.source_ip,
        },
        "verdict": "denied" if denied_by else "allowed",
        "deniedBy": denied_by,
    }
