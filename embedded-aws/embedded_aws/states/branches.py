"""Runs the branches of a Parallel state and the items of an inline Map state.

They run at the same time, each with its own place in the definition, so that a redrive continues only those
that did not succeed. The first that fails stops the others, and its error is the state's.
https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

import contextvars
import copy
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.states import history
from embedded_aws.states.execution import Ended, Execution, current, failure

MOST_ITEMS_AT_ONCE = 40
"""https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html"""

RunMachine = Callable[[dict[str, Any], dict[str, Any], Any, Execution, dict[str, Any]], str]
Answer = tuple[Any, str | None]


def is_distributed(state: dict[str, Any]) -> bool:
    """True for a Map whose items are executions of their own."""
    return bool((_processor(state).get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED")


def _processor(state: dict[str, Any]) -> dict[str, Any]:
    return dict(state.get("ItemProcessor") or state.get("Iterator") or {})


class _Child:
    """A branch or an item: its machine, its context, and what it makes of the state's input."""

    def __init__(
        self,
        machine: dict[str, Any],
        ctx: dict[str, Any],
        data: Callable[[], Any],
        iteration: tuple[str, int] | None = None,
    ) -> None:
        self.machine, self.ctx, self.data = machine, ctx, data
        self._iteration = iteration

    def note(self, execution: Execution, event_type: str) -> None:
        """Record what became of an item; branches have no events of their own."""
        if self._iteration is not None:
            history.iteration(execution.record, event_type, *self._iteration)


def run(
    state: dict[str, Any],
    data: Any,
    place: dict[str, Any],
    execution: Execution,
    ctx: dict[str, Any],
    run_machine: RunMachine,
) -> Answer:
    """Run what has not succeeded of a Parallel or an inline Map. Returns its output and the next state."""

    def attempt() -> Answer:
        if state["Type"] == "Parallel":
            children = _branches(state, data, ctx)
            at_once, ended = len(children), history.parallel
            history.parallel(execution.record, "Started")
        else:
            effective = emulator.service("stepfunctions")._apply_input_path(state, data, ctx)
            children = _items(state, data, effective, ctx)
            at_once = _concurrency(state, data, effective, ctx) or MOST_ITEMS_AT_ONCE
            ended = history.map_ended
            history.map_started(execution.record, len(children))
        return _answer(state, data, _run_all(children, place, execution, run_machine, at_once, ended), ctx)

    return _with_rules(state, data, place, ctx, attempt)


def _branches(state: dict[str, Any], data: Any, ctx: dict[str, Any]) -> list[_Child]:
    states = emulator.service("stepfunctions")
    effective = (
        states._apply_jsonata_arguments(state, data, ctx)
        if _is_jsonata(state, ctx)
        else states._apply_parameters(state, states._apply_input_path(state, data, ctx), ctx)
    )
    return [
        _Child(branch, copy.deepcopy(ctx), lambda: copy.deepcopy(effective))
        for branch in state.get("Branches", [])
    ]


def _items(state: dict[str, Any], data: Any, effective: Any, ctx: dict[str, Any]) -> list[_Child]:
    name = str(ctx["State"]["Name"])
    return [
        _item(state, data, effective, ctx, name, index, item)
        for index, item in enumerate(_values(state, data, effective, ctx))
    ]


def _with_rules(
    state: dict[str, Any],
    data: Any,
    place: dict[str, Any],
    ctx: dict[str, Any],
    attempt: Callable[[], Answer],
) -> Answer:
    """Apply Retry and Catch. A retry runs everything again; only a redrive keeps what has succeeded."""
    begun = False

    def once() -> Answer:
        nonlocal begun
        if begun:
            place["children"] = None
        begun = True
        return attempt()

    answer = emulator.service("stepfunctions")._with_retry_and_catch(state, data, ctx, once)
    return answer[0], answer[1]


def _run_all(
    children: list[_Child],
    place: dict[str, Any],
    execution: Execution,
    run_machine: RunMachine,
    at_once: int,
    note: Callable[[dict[str, Any], str], None],
) -> list[Any]:
    """Run the children that have not succeeded, and return the results of all in order.

    Raises the error of the first one that fails, after the others have stopped. ``note`` records the end.
    """
    kept: list[dict[str, Any]] | None = place.get("children")
    if kept is None or len(kept) != len(children):
        kept = [{"place": None, "output": None} for _ in children]
        place["children"] = kept
    scope = execution.branch()
    failed: list[tuple[_Child, Exception]] = []
    ending = threading.Lock()

    def run(child: _Child, holder: dict[str, Any]) -> None:
        own = scope.branch()
        current.set(own)
        try:
            if holder["place"] is None:
                child.note(own, "Started")
            given = child.data() if holder["place"] is None else None
            holder["output"] = run_machine(child.machine, holder, given, own, child.ctx)
        except Ended:
            return
        except Exception as error:
            with ending:
                if own.live:
                    child.note(own, "Failed")
                    execution.last_event = own.last_event
                    failed.append((child, error))
                    scope.ended.set()
            return
        with ending:
            child.note(own, "Succeeded")
            execution.last_event = own.last_event or execution.last_event

    with ThreadPoolExecutor(max_workers=max(1, at_once)) as pool:
        for child, holder in zip(children, kept, strict=True):
            if holder["output"] is None:
                pool.submit(contextvars.copy_context().run, run, child, holder)
    if not execution.live:
        raise Ended
    if failed:
        cause, error = failed[0]
        for child, holder in zip(children, kept, strict=True):
            if child is not cause and holder["place"] is not None and holder["output"] is None:
                child.note(execution, "Aborted")
        note(execution.record, "Failed")
        if isinstance(error, emulator.service("stepfunctions")._ExecutionError):
            raise error
        raise failure("States.Runtime", str(error)) from error
    note(execution.record, "Succeeded")
    return [json.loads(holder["output"]) for holder in kept]


def _is_jsonata(state: dict[str, Any], ctx: dict[str, Any]) -> bool:
    return bool(emulator.service("stepfunctions")._state_query_language(state, ctx) == "JSONata")


def _answer(state: dict[str, Any], data: Any, results: list[Any], ctx: dict[str, Any]) -> Answer:
    states = emulator.service("stepfunctions")
    if _is_jsonata(state, ctx):
        output = states._apply_jsonata_output(state, data, ctx, result=results, default=results)
        states._apply_state_assign(state, data, ctx, result=results)
    else:
        output = states._apply_result_path(state, data, states._apply_result_selector(state, results))
        output = states._apply_output_path(state, output, ctx)
    return output, states._next_or_end(state)


def _values(state: dict[str, Any], data: Any, effective: Any, ctx: dict[str, Any]) -> list[Any]:
    states = emulator.service("stepfunctions")
    if _is_jsonata(state, ctx) and "Items" in state:
        return list(states._jsonata_state_field(state, "Items", "array", data, ctx))
    path = state.get("ItemsPath", "$")
    items = states._resolve_path_or_ctx(path, effective, ctx)
    if not isinstance(items, list):
        raise failure("States.Runtime", f'Reference path "{path}" must point to array.')
    return items


def _concurrency(state: dict[str, Any], data: Any, effective: Any, ctx: dict[str, Any]) -> int:
    """The most items at once; 0 leaves it to the service."""
    states = emulator.service("stepfunctions")
    if "MaxConcurrencyPath" in state:
        return int(states._resolve_path_or_ctx(state["MaxConcurrencyPath"], effective, ctx))
    if _is_jsonata(state, ctx) and "MaxConcurrency" in state:
        return int(states._jsonata_state_field(state, "MaxConcurrency", "number", data, ctx))
    return int(state.get("MaxConcurrency", 0))


def _item(
    state: dict[str, Any], data: Any, effective: Any, ctx: dict[str, Any], name: str, index: int, item: Any
) -> _Child:
    states = emulator.service("stepfunctions")
    own = copy.deepcopy(ctx)
    own["Map"] = {"Item": {"Index": index, "Value": item}}
    # Parameters is the older name of ItemSelector.
    selector = state.get("ItemSelector") or state.get("Parameters")

    def given() -> Any:
        if not selector:
            return item
        if _is_jsonata(state, ctx):
            return states._apply_jsonata_template(selector, data, own)
        return states._resolve_params_obj(selector, effective, own)

    return _Child(_processor(state), own, given, (name, index))
