"""The calls of a trace, each once, and the policies in a server's state that decide them again.

MiniStack's own evaluator decides. Its policies come from here, so that a statement can be removed from them.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SERVICES = ("iam", "kms", "sns", "s3", "sqs")
_SUPPORTED = ("call", "trust", "service")


class ReplayError(Exception):
    """The trace or the state cannot be used. The text says why."""


@dataclass(frozen=True)
class Call:
    """One recorded evaluation. Equal evaluations are one call. ``context`` is sorted JSON."""

    kind: str
    principal: str
    session: str
    action: str
    resource: str
    account: str
    region: str
    context: str
    allowed: bool
    denied_by: str
    time: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.action} {self.resource}"


@dataclass(frozen=True)
class Document:
    """One policy: its holder (a role's or a resource's ARN), its kind and its name."""

    holder: str
    kind: str
    """`role` for a role's rights, `trust` for a role's trust policy, `resource` for a resource's policy."""
    name: str
    text: str

    def statements(self) -> list[dict[str, Any]]:
        found = json.loads(self.text or "{}").get("Statement", [])
        return [found] if isinstance(found, dict) else list(found)


def read_trace(file: Path) -> tuple[list[Call], int]:
    """The calls, each once, in the order of their first occurrence, and the number of lines.

    Raises ReplayError when there are no calls, or a line does not belong to a trace.
    """
    calls: dict[Call, None] = {}
    lines = 0
    with file.open(encoding="utf-8") as trace:
        for number, text in enumerate(trace, 1):
            if not text.endswith("\n"):
                break  # the server was killed while it wrote this line
            try:
                line = json.loads(text)
                call = _call(line)
            except (ValueError, KeyError, TypeError) as error:
                raise ReplayError(f"line {number} of {file} is not a line of a trace: {error}") from error
            lines += 1
            calls.setdefault(call)
    if not calls:
        raise ReplayError(f"{file} holds no calls")
    return list(calls), lines


def _call(line: dict[str, Any]) -> Call:
    if line["kind"] not in _SUPPORTED:
        raise ValueError(f"its kind is {line['kind']}")
    texts = {name: str(line[name]) for name in ("kind", "principal", "session", "action", "resource")}
    return Call(
        **texts,
        account=line["account"],
        region=line["region"],
        context=json.dumps(line["context"], sort_keys=True),
        allowed=line["verdict"] == "allowed",
        denied_by=line["deniedBy"],
        time=line["time"],
    )


class Policies:
    """The policies that a stopped or running server left in its ``--state``, and the evaluator."""

    def __init__(self, state: Path, account: str, region: str) -> None:
        services = state / "services"
        if not (services / "iam.json").is_file():
            raise ReplayError(
                f"{state} is not the --state folder of an embedded AWS: services/iam.json is missing"
            )
        os.environ.update(
            {
                "PERSIST_STATE": "1",
                "STATE_DIR": str(services),
                "MINISTACK_ACCOUNT_ID": account,
                "MINISTACK_REGION": region,
                "AUTH": "true",
            }
        )
        from embedded_aws.core import emulator

        self._evaluator = emulator.module("core.iam_evaluator")
        load = emulator.module("core.persistence").load_state
        for name in _SERVICES:
            saved = load(name)
            if saved:
                emulator.module(f"services.{name}").load_persisted_state(saved)
        self._iam = emulator.module("services.iam")
        self._account = account
        self._of_role: dict[str, list[Document]] = {}
        self._of_resource: dict[str, tuple[Document, str | None] | None] = {}
        self._parsed: dict[str, list[Any]] = {}

    def role_arns(self) -> list[str]:
        return sorted(str(record["Arn"]) for record in self._iam._roles.values())

    def of_role(self, arn: str) -> list[Document]:
        """A role's inline and attached policies; empty if the role does not exist."""
        if arn not in self._of_role:
            record = self._record(arn) or {}
            named = dict(record.get("InlinePolicies") or {})
            for policy in record.get("AttachedPolicies", []):
                named[policy] = self._evaluator._resolve_managed_policy_document(policy, self._account)
            self._of_role[arn] = [
                Document(arn, "role", name, _text(document)) for name, document in named.items() if document
            ]
        return self._of_role[arn]

    def trust_of(self, arn: str) -> Document:
        record = self._record(arn) or {}
        return Document(arn, "trust", "trust", _text(record.get("AssumeRolePolicyDocument") or "{}"))

    def of_resource(self, arn: str) -> tuple[Document, str | None] | None:
        """A resource's own policy with its owner's account; None without one. An object has its bucket's."""
        holder = arn.split("/", 1)[0] if arn.startswith("arn:aws:s3:::") else arn
        if holder not in self._of_resource:
            service = arn.split(":")[2] if arn.startswith("arn:") else ""
            found = self._evaluator._resource_policy(service, arn)
            document = Document(holder, "resource", "policy", _text(found[0])) if found else None
            self._of_resource[holder] = (document, found[1]) if document else None
        return self._of_resource[holder]

    def _record(self, arn: str) -> dict[str, Any] | None:
        record = self._iam._roles.get_scoped(arn.split(":")[4], None, arn.rsplit("/", 1)[-1])
        return dict(record) if record else None

    # -- deciding --

    def is_gone(self, call: Call) -> bool:
        """True if a service called a resource that no longer exists, or if the role that called or was taken
        no longer exists, so that the policy is gone too."""
        if call.kind == "service":
            return self.of_resource(call.resource) is None
        role = call.resource if call.kind == "trust" else call.principal
        return ":role/" in role and self._record(role) is None

    def allows(self, call: Call, instead: Document | None = None) -> bool:
        """True if the policies allow a call. ``instead`` replaces the document that it is a version of."""

        def now(document: Document) -> Document:
            same = instead is not None and (document.holder, document.kind, document.name) == (
                instead.holder,
                instead.kind,
                instead.name,
            )
            return instead if same and instead is not None else document

        context = self._context(call)
        if call.kind == "call":
            return self._allows_call(call, context, now)
        if call.kind == "trust":
            trust = now(self.trust_of(call.resource)).text
            if call.principal.startswith("arn:"):
                arn = context.principal_arn
                return bool(self._evaluator.evaluate_trust_policy(trust, arn, context))
            text: str | None = trust
        else:
            found = self.of_resource(call.resource)
            text = now(found[0]).text if found else None
        verdict = self._evaluator.evaluate_resource_policy(text, context, service=call.principal)
        return bool(verdict.decision == "Allow")

    def _allows_call(self, call: Call, context: Any, now: Any) -> bool:
        """Combine identity policies, boundary and resource policy as MiniStack's `enforce` does."""
        evaluator = self._evaluator
        documents = [now(document) for document in self.of_role(call.principal)]
        name = call.principal.rsplit("/", 1)[-1]
        limits = evaluator._permissions_boundary(self._iam._roles, name, call.account)
        verdict = evaluator.evaluate(context, [self._parse(one.text) for one in documents], *limits)
        found = self.of_resource(call.resource)
        if found is not None:
            service = call.action.partition(":")[0]
            verdict = evaluator.combine_resource_policy(
                verdict,
                context,
                now(found[0]).text,
                found[1],
                required=service in evaluator._POLICY_REQUIRED,
                limits=limits,
            )
        return bool(verdict.decision == "Allow")

    def _parse(self, text: str) -> list[Any]:
        if text not in self._parsed:
            self._parsed[text] = self._evaluator.parse_policy_document(text)
        return self._parsed[text]

    def matches(self, call: Call, actions: Iterable[str], resources: Iterable[str]) -> bool:
        """True if a statement with these actions and resources (none: any) applies to the call."""
        evaluator = self._evaluator
        return bool(
            evaluator._action_matches(call.action, list(actions), [])
            and evaluator._resource_matches(call.resource, list(resources), [])
        )

    def _context(self, call: Call) -> Any:
        """The context of conditions, from the line of the trace."""
        context = {"aws:tagkeys": None, **json.loads(call.context)}
        arn = call.principal
        kind = "AssumedRole" if ":role/" in arn else "User" if arn.startswith("arn:") else "Service"
        if call.session:
            name = arn.rsplit("/", 1)[-1]
            arn = f"arn:aws:sts::{call.account}:assumed-role/{name}/{call.session}"
        return self._evaluator.EvalContext(
            principal_arn=arn,
            principal_type=kind,
            principal_account=call.account,
            action=call.action,
            resource_arn=call.resource,
            region=call.region,
            source_ip=str(context.pop("aws:sourceip", "")),
            secure_transport=bool(context.pop("aws:securetransport", False)),
            service_context=context,
        )


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
