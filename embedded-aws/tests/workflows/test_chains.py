"""Random workflows against an independent model: what starts depends on how jobs end, not on their order."""

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from brewery import after, on_demand
from conftest import settings_in

from embedded_aws.core import snapshots
from embedded_aws.glue import outcomes
from embedded_aws.glue.answers import RefusedError
from embedded_aws.glue.jobs import runs as job_runs
from embedded_aws.glue.workflows import chains as chains_module
from embedded_aws.glue.workflows.chains import Chains, Loose, Trigger

FIRST = random.Random(0)  # noqa: S311 - test data
STATES = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")


class Plant:
    """Job runs that end when the test says so, as the state that it has chosen for the job."""

    def __init__(self, ends: dict[str, str]) -> None:
        self.ends = ends
        self.ids = itertools.count()
        self.running: list[dict[str, Any]] = []
        self.started: list[str] = []

    def start(self, _settings: Any, data: dict[str, Any], by: Any) -> dict[str, Any]:
        name = data["JobName"]
        self.started.append(name)
        assert len(self.started) < 1000, "triggers fire without an end"
        if self.ends[name] == "refused":
            raise RefusedError("ConcurrentRunsExceededException", "too many")
        run = {"Id": f"jr_{next(self.ids)}", "JobName": name, "JobRunState": "RUNNING"}
        self.running.append(run)
        return run

    def end(self, chance: random.Random) -> None:
        run = self.running.pop(chance.randrange(len(self.running)))
        run["JobRunState"] = self.ends[run["JobName"]]
        outcomes.job_run_ended(run)


class Whole(Loose):
    """A chain that counts how often it is over."""

    ended = 0

    def over(self) -> None:
        self.ended += 1


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    made = Plant({})
    monkeypatch.setattr(job_runs, "start", made.start)
    refused = {"Id": "jr_refused", "JobRunState": "FAILED"}
    monkeypatch.setattr(job_runs, "refused_run", lambda *_: refused)
    monkeypatch.setattr(outcomes, "announce", lambda _run: None)
    monkeypatch.setattr(outcomes, "_job_listeners", [])
    monkeypatch.setattr(outcomes, "_crawl_listeners", [])
    monkeypatch.setattr(snapshots, "changed", lambda: None)
    return made


def invent(chance: random.Random) -> tuple[list[Trigger], dict[str, str]]:
    """A start and conditional triggers over a few jobs, and how each job ends."""
    jobs = [f"job-{number}" for number in range(chance.randint(2, 7))]
    ends = {job: chance.choice([*STATES, "SUCCEEDED", "refused"]) for job in jobs}
    triggers = [on_demand("start", *({"JobName": job} for job in chance.sample(jobs, chance.randint(1, 2))))]
    for number in range(chance.randint(1, 8)):
        watched = chance.sample(jobs, chance.randint(1, min(3, len(jobs) - 1)))
        others = [job for job in jobs if job not in watched]
        started = [{"JobName": job} for job in chance.sample(others, chance.randint(1, len(others)))]
        watch = [(job, chance.choice([*STATES, "SUCCEEDED", "SUCCEEDED"])) for job in watched]
        logical = chance.choice(["AND", "ANY"])
        triggers.append(after(f"trigger-{number}", watch, *started, logical=logical))
    return triggers, ends


def model(triggers: list[Trigger], ends: dict[str, str]) -> list[str]:
    """The jobs that start, each as often as it does: a fixed point over triggers that fire at most once."""
    state = {job: "FAILED" if end == "refused" else end for job, end in ends.items()}
    fired, started = {"start"}, [action["JobName"] for action in triggers[0]["Actions"]]
    while True:
        more = None
        for trigger in triggers[1:]:
            asked = trigger["Predicate"]
            met = [
                one["JobName"] in started and state[one["JobName"]] == one["State"]
                for one in asked["Conditions"]
            ]
            if trigger["Name"] not in fired and (any if asked["Logical"] == "ANY" else all)(met):
                more = trigger
        if more is None:
            return sorted(started)
        fired.add(more["Name"])
        started += [action["JobName"] for action in more["Actions"]]


@pytest.mark.parametrize("seed", range(300))
def test_what_starts_is_what_the_model_says(seed: int, plant: Plant, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data
    triggers, ends = invent(chance)
    plant.ends = ends
    chains = Chains(settings_in(tmp_path))
    chain = Whole(lambda: triggers[1:])
    chains.fire(chain, [(triggers[0], None)])
    while plant.running:
        assert chain.ended == 0
        plant.end(chance)
    assert chain.ended == 1
    assert sorted(plant.started) == model(triggers, ends)


def test_a_run_that_no_trigger_started_fires_nothing(plant: Plant, tmp_path: Path) -> None:
    triggers = [on_demand("start", {"JobName": "a"}), after("next", [("b", "SUCCEEDED")], {"JobName": "c"})]
    plant.ends = {"a": "SUCCEEDED", "b": "SUCCEEDED", "c": "SUCCEEDED"}
    chains = Chains(settings_in(tmp_path))
    chains.fire(Loose(lambda: triggers[1:]), [(triggers[0], None)])
    outcomes.job_run_ended({"Id": "jr_by_hand", "JobName": "b", "JobRunState": "SUCCEEDED"})
    assert plant.started == ["a"]


def test_two_chains_do_not_mix(plant: Plant, tmp_path: Path) -> None:
    """A trigger that waits for both jobs does not fire when each ends in another chain."""
    starts = [on_demand(name, {"JobName": name}) for name in ("a", "b")]
    both = after("both", [("a", "SUCCEEDED"), ("b", "SUCCEEDED")], {"JobName": "c"})
    plant.ends = dict.fromkeys("abc", "SUCCEEDED")
    chains = Chains(settings_in(tmp_path))
    for start in starts:
        chains.fire(Loose(lambda: [both]), [(start, None)])
    while plant.running:
        plant.end(FIRST)
    assert plant.started == ["a", "b"]


def test_nothing_follows_once_the_server_ends(plant: Plant, tmp_path: Path) -> None:
    plant.ends = {"a": "STOPPED", "b": "SUCCEEDED"}
    chains = Chains(settings_in(tmp_path))
    stopped = after("stopped", [("a", "STOPPED")], {"JobName": "b"})
    chain = Whole(lambda: [stopped])
    chains.fire(chain, [(on_demand("start", {"JobName": "a"}), None)])
    chains.close()
    plant.end(FIRST)
    assert (plant.started, chain.ended) == (["a"], 0)
    assert chains_module.last_ends(chain.attempts) != {}
