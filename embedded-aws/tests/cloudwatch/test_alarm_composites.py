"""Composite alarms of a harbour: rules over other alarms, and suppressors that delay their messages."""

import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
import watch
from conftest import ACCOUNT, Bench, wait_for
from watch import ALARM, allow, collect, messages, turns

TOLD: dict[str, Any] = {"AlarmActions": [watch.TOPIC], "OKActions": [watch.TOPIC]}
WAIT, EXTENSION = 3, 3
"""Minutes of a suppressor; a minute lasts a second here."""


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    started = watch.bench(tmp_path_factory.mktemp("harbour"))
    watch.make_inbox(started)
    here = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    watch.topic(started, "lighthouse", allow("sns:Publish", watch.TOPIC, "cloudwatch.amazonaws.com", here))
    for name in ("ice", "fog", "strike"):
        watch.alarm(started, name, "Nothing", TreatMissingData="ignore")
    yield started
    assert started.stop() == 0


@pytest.fixture(autouse=True)
def all_quiet(harbour: Bench) -> None:
    """Set every alarm to OK, delete composite alarms, and empty the inbox."""
    cloudwatch = harbour.client("cloudwatch")
    for alarm in cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]:
        cloudwatch.delete_alarms(AlarmNames=[alarm["AlarmName"]])
    for name in ("ice", "fog", "strike"):
        turn(harbour, name, "OK")
    messages(harbour)


def turn(bench: Bench, name: str, state: str) -> None:
    bench.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def composite(bench: Bench, rule: str, suppressor: str = "", **more: Any) -> None:
    """Put a composite alarm `closed` and read its first message, which says OK."""
    if suppressor:
        more |= {
            "ActionsSuppressor": suppressor,
            "ActionsSuppressorWaitPeriod": WAIT * 60,
            "ActionsSuppressorExtensionPeriod": EXTENSION * 60,
        }
    settings = {**TOLD, **more}
    bench.client("cloudwatch").put_composite_alarm(AlarmName="closed", AlarmRule=rule, **settings)
    assert turns(collect(bench, 1)) == ["closed INSUFFICIENT_DATA -> OK"]


def suppressed_by(bench: Bench) -> str | None:
    return watch.described(bench, "closed").get("ActionsSuppressedBy")


@pytest.mark.parametrize(
    ("rule", "turned", "expected"),
    [
        ('ALARM("ice") OR ALARM("fog")', {"fog": "ALARM"}, "ALARM"),
        ("ALARM(ice) AND ALARM(fog)", {"fog": "ALARM"}, "OK"),
        (f"ALARM(ice) AND ALARM({ALARM}fog)", {"fog": "ALARM", "ice": "ALARM"}, "ALARM"),
        ("NOT OK(ice)", {"ice": "INSUFFICIENT_DATA"}, "ALARM"),
        ("INSUFFICIENT_DATA(ice)", {"ice": "INSUFFICIENT_DATA"}, "ALARM"),
        ("(ALARM(ice) OR ALARM(fog)) AND NOT ALARM(strike)", {"ice": "ALARM", "strike": "ALARM"}, "OK"),
        ("ALARM(ice) OR ALARM(fog) AND ALARM(strike)", {"ice": "ALARM"}, "ALARM"),
        ("ALARM(ice) AND FALSE OR NOT TRUE", {"ice": "ALARM"}, "OK"),
    ],
)
def test_a_rule_decides(harbour: Bench, rule: str, turned: dict[str, str], expected: str) -> None:
    composite(harbour, rule)
    for name, state in turned.items():
        turn(harbour, name, state)
    assert watch.state(harbour, "closed") == expected


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("ALARM(ice) OR", "Error in AlarmRule"),
        ("ALARM(ice) XOR ALARM(fog)", "Error in AlarmRule"),
        ("ALARM(pirates)", "do not exist"),
        ("ALARM(ice", "Error in AlarmRule"),
    ],
)
def test_a_rule_that_aws_refuses_is_refused(harbour: Bench, rule: str, told: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=told):
        composite(harbour, rule)


def test_a_suppressor_needs_both_periods_and_must_exist(harbour: Bench) -> None:
    cloudwatch = harbour.client("cloudwatch")
    rule = {"AlarmName": "closed", "AlarmRule": "ALARM(ice)"}
    with pytest.raises(botocore.exceptions.ClientError, match="ActionsSuppressorExtensionPeriod is required"):
        cloudwatch.put_composite_alarm(**rule, ActionsSuppressor="fog", ActionsSuppressorWaitPeriod=60)
    with pytest.raises(botocore.exceptions.ClientError, match="suppressor pirates does not exist"):
        composite(harbour, "ALARM(ice)", "pirates")
    with pytest.raises(botocore.exceptions.ClientError, match="need an ActionsSuppressor"):
        cloudwatch.put_composite_alarm(**rule, ActionsSuppressorWaitPeriod=60)


def test_a_message_names_the_child_that_changed(harbour: Bench) -> None:
    composite(harbour, 'ALARM("ice") OR ALARM("fog")', AlarmDescription="The harbour is closed")
    turn(harbour, "fog", "ALARM")
    turn(harbour, "ice", "ALARM")
    (message,) = collect(harbour, 1)
    assert message["Subject"] == 'ALARM: "closed" in Europe (Ireland)'
    assert message["AlarmRule"] == 'ALARM("ice") OR ALARM("fog")'
    (child,) = message["TriggeringChildren"]
    assert (child["Arn"], child["State"]["Value"]) == (f"{ALARM}fog", "ALARM")
    assert message["NewStateReason"].startswith(f"{ALARM}fog transitioned to ALARM at ")
    assert "Trigger" not in message
    turn(harbour, "fog", "OK")
    assert messages(harbour) == []
    turn(harbour, "ice", "OK")
    assert turns(collect(harbour, 1)) == ["closed ALARM -> OK"]


def test_metric_data_lead_to_a_message_through_a_child(harbour: Bench) -> None:
    watch.alarm(harbour, "swell", "Swell")
    watch.until(harbour, "swell", "OK")
    composite(harbour, "ALARM(swell)")
    watch.put(harbour, "Swell", 4)
    fired, returned = collect(harbour, 2)
    assert turns([fired, returned]) == ["closed OK -> ALARM", "closed ALARM -> OK"]
    assert [child["Arn"] for child in fired["TriggeringChildren"]] == [f"{ALARM}swell"]


def test_without_a_suppressors_alarm_the_message_comes_after_the_wait_period(harbour: Bench) -> None:
    composite(harbour, "ALARM(ice)", "strike")
    turn(harbour, "ice", "ALARM")
    began = time.monotonic()
    assert watch.state(harbour, "closed") == "ALARM"
    assert suppressed_by(harbour) == "WaitPeriod"
    assert turns(collect(harbour, 1)) == ["closed OK -> ALARM"]
    assert time.monotonic() - began >= WAIT - 0.5
    assert suppressed_by(harbour) is None
    turn(harbour, "ice", "OK")
    assert turns(collect(harbour, 1)) == ["closed ALARM -> OK"]


def test_a_suppressor_in_alarm_within_the_wait_period_holds_the_message_back(harbour: Bench) -> None:
    composite(harbour, "ALARM(ice)", f"{ALARM}strike")
    turn(harbour, "ice", "ALARM")
    time.sleep(WAIT / 2)
    turn(harbour, "strike", "ALARM")
    wait_for(lambda: suppressed_by(harbour) == "Alarm")
    time.sleep(WAIT)
    assert messages(harbour) == []
    # The suppressor ends first, the composite alarm within the extension: no message is sent.
    turn(harbour, "strike", "OK")
    wait_for(lambda: suppressed_by(harbour) == "ExtensionPeriod")
    turn(harbour, "ice", "OK")
    wait_for(lambda: suppressed_by(harbour) is None)
    time.sleep(0.5)
    assert messages(harbour) == []


def test_an_alarm_longer_than_the_extension_sends_a_message(harbour: Bench) -> None:
    composite(harbour, "ALARM(ice)", "strike")
    turn(harbour, "strike", "ALARM")
    turn(harbour, "ice", "ALARM")
    assert suppressed_by(harbour) == "Alarm"
    time.sleep(1)
    turn(harbour, "strike", "OK")
    began = time.monotonic()
    assert turns(collect(harbour, 1)) == ["closed OK -> ALARM"]
    assert time.monotonic() - began >= EXTENSION - 0.5


def test_an_alarm_shorter_than_the_wait_period_sends_no_message(harbour: Bench) -> None:
    composite(harbour, "ALARM(ice)", "strike")
    turn(harbour, "ice", "ALARM")
    turn(harbour, "ice", "OK")
    wait_for(lambda: suppressed_by(harbour) is None)
    time.sleep(0.5)
    assert messages(harbour) == []


def test_a_composite_alarm_can_suppress_and_alarms_in_use_cannot_be_deleted(harbour: Bench) -> None:
    cloudwatch = harbour.client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="closed-for-good", AlarmRule="ALARM(strike)")
    composite(harbour, "ALARM(ice)", "closed-for-good")
    turn(harbour, "strike", "ALARM")
    turn(harbour, "ice", "ALARM")
    assert suppressed_by(harbour) == "Alarm"
    with pytest.raises(botocore.exceptions.ClientError, match="composite alarm"):
        cloudwatch.delete_alarms(AlarmNames=["ice"])


def test_a_new_definition_keeps_state_and_suppression(harbour: Bench) -> None:
    composite(harbour, "ALARM(ice)", "strike", AlarmDescription="old")
    turn(harbour, "strike", "ALARM")
    turn(harbour, "ice", "ALARM")
    assert suppressed_by(harbour) == "Alarm"
    harbour.client("cloudwatch").put_composite_alarm(
        AlarmName="closed",
        AlarmRule="ALARM(ice) OR ALARM(fog)",
        ActionsSuppressor="strike",
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=60,
    )
    now = watch.described(harbour, "closed")
    assert (now["StateValue"], now["ActionsSuppressedBy"]) == ("ALARM", "Alarm")
    assert (now["AlarmActions"], now.get("AlarmDescription")) == ([], None)
