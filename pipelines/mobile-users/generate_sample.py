"""Makes the sample of mobile-users: calls of two apps that do not exist, as Segment's S3 destination lays
them out, `segment-logs/<source>/<milliseconds of the UTC day of reception>/<file>.gz`. All is synthetic.

The same arguments give the same calls: nothing depends on the clock, the machine or the version of Python.
Only the packed bytes depend on the zlib that Python was built with.

    python3 pipelines/mobile-users/generate_sample.py --into /tmp/mobile --first-day 2026-03-07 --days 4
"""

import argparse
import copy
import gzip
import json
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

FIRST_DAY = date(2025, 11, 20)
DAYS = 3
CALLS_A_DAY = 620  # of each platform, before retries
FILES_A_DAY = 4  # of each platform
PEOPLE = 240
PLATFORMS = ("ios", "android")

Call = dict[str, Any]
Choice = TypeVar("Choice")


class Dice:
    """Chance that is the same everywhere: of `random`, only `random()` gives the same numbers in each version
    (https://docs.python.org/3/library/random.html#notes-on-reproducibility)."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 (not for a secret)

    def below(self, end: int) -> int:
        return int(self._random.random() * end)

    def between(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def pick(self, choices: Sequence[Choice]) -> Choice:
        return choices[self.below(len(choices))]

    def hex(self, digits: int) -> str:
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))

    def uuid(self) -> str:
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-a{self.hex(3)}-{self.hex(12)}"


@dataclass(frozen=True)
class Device:
    """The words of one installed app's library about itself in each call."""

    platform: str
    anonymous_id: str
    app: Call
    device: Call
    os: Call
    carrier: str
    screen: Call
    locale: str
    time_zone: str


@dataclass(frozen=True)
class Person:
    user_id: str | None
    devices: tuple[Device, ...]


@dataclass
class Sent:
    """A call as it is received; `line` is its text where that is not the JSON of `call`."""

    call: Call
    received: datetime
    platform: str
    line: str | None = None

    def text(self) -> str:
        if self.line is not None:
            return self.line
        # One library escapes what is not ASCII, the other does not.
        return json.dumps(self.call, separators=(",", ":"), ensure_ascii=self.platform == "android")


@dataclass
class Delivered:
    """The lines of one file. A bare file has no byte, not even those of a packing."""

    sent: list[Sent] = field(default_factory=list)
    ends_with_line_end: bool = True
    is_bare: bool = False

    def content(self) -> bytes:
        text = "\n".join(one.text() for one in self.sent)
        return (text + ("\n" if self.sent and self.ends_with_line_end else "")).encode()

    def packed(self) -> bytes:
        return b"" if self.is_bare else gzip.compress(self.content(), compresslevel=9, mtime=0)


IPHONES = (("iPhone15,2", 1179, 2556), ("iPhone14,5", 1170, 2532), ("iPhone12,8", 750, 1334))
IPADS = (("iPad13,18", 1640, 2360), ("iPad14,3", 1668, 2388))
ANDROIDS = (
    ("Google", "Pixel 8", "shiba", 1080, 2400, 2.625),
    ("samsung", "SM-S911U", "dm1q", 1080, 2340, 3.0),
    ("motorola", "moto g power", "tonga", 1080, 2400, 2.55),
    ("OnePlus", "CPH2451", "OP594DL1", 1440, 3216, 3.5),
)
CARRIERS = ("Carrier One", "Carrier Two", "Carrier Three", "Télécom Exemple")
PLACES = (
    *(("en-US", "America/Los_Angeles"),) * 6,
    *(("en-US", "America/New_York"),) * 3,
    ("es-US", "America/Denver"),
    ("fr-FR", "Europe/Paris"),
    ("ja-JP", "Asia/Tokyo"),
)
# Prices as they are written in JSON; one has more digits than a cent.
PRODUCTS = tuple(
    (f"SKU-{1000 + 7 * number}", price)
    for number, price in enumerate((4.35, 12.5, 19.99, 0.99, 149, 7.125, 33.33, 59.9, 2.05, 8, 24.75, 1.005))
)


def make_people(dice: Dice, number: int) -> list[Person]:
    """Some use both platforms, some are never logged in."""
    people = []
    for index in range(number):
        place = dice.pick(PLACES)
        kind = dice.below(100)
        platforms = PLATFORMS if kind < 18 else (PLATFORMS[kind % 2],)
        devices = tuple(make_device(dice, platform, place) for platform in platforms)
        people.append(Person(None if dice.chance(0.2) else f"user-{10000 + index}", devices))
    return people


def make_device(dice: Dice, platform: str, place: tuple[str, str]) -> Device:
    if platform == "ios":
        is_tablet = dice.chance(0.2)
        model, width, height = dice.pick(IPADS if is_tablet else IPHONES)
        app: Call = {"build": dice.pick(("412", "407", "398")), "namespace": "com.example.shop.ios"}
        device: Call = {"manufacturer": "Apple", "type": "ios"}
        os: Call = {
            "name": "iPadOS" if is_tablet else "iOS",
            "version": dice.pick(("18.1", "17.6.1", "18.0.1")),
        }
        screen: Call = {"width": width, "height": height}
    else:
        maker, model, name, width, height, density = dice.pick(ANDROIDS)
        app = {"build": dice.pick((412, 407, 398)), "namespace": "com.example.shop.android"}
        device = {"manufacturer": maker, "name": name, "type": "android"}
        os = {"name": "Android", "version": dice.pick(("14", "13", "15"))}
        screen = {"width": width, "height": height, "density": density}
    app |= {"name": "Example Shop", "version": {"4": "5.4.0", "3": "5.3.2"}[str(app["build"])[0]]}
    personal = {"id": dice.uuid(), "advertisingId": dice.uuid(), "adTrackingEnabled": dice.chance(0.5)}
    return Device(
        platform=platform,
        anonymous_id=dice.uuid(),
        app=app,
        device=device | {"model": model, "token": dice.hex(16)} | personal,
        os=os,
        carrier=dice.pick(CARRIERS),
        screen=screen,
        locale=place[0],
        time_zone=place[1],
    )


def instant(moment: datetime) -> str:
    """As Segment writes it, to the millisecond."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def make_call(dice: Dice, person: Person, device: Device, moment: datetime, received: datetime) -> Sent:
    """One call of a session, as both libraries send it."""
    sent = received - timedelta(milliseconds=dice.between(40, 900))
    message_id = dice.uuid()
    call: Call = {
        "anonymousId": device.anonymous_id,
        "channel": "mobile",
        "context": make_context(dice, device),
        "integrations": {},
        "messageId": message_id.upper() if device.platform == "ios" else message_id,
        "originalTimestamp": instant(moment + timedelta(milliseconds=dice.between(-4000, 4000))),
        "receivedAt": instant(received),
        "sentAt": instant(sent),
        "timestamp": instant(moment),
        "writeKey": "synthetic",
        "version": 2,
    }
    if person.user_id is not None:
        call["userId"] = person.user_id
    return Sent(call | make_subject(dice, person), received, device.platform)


def make_context(dice: Dice, device: Device) -> Call:
    network: Call = {"wifi": dice.chance(0.6)}
    network["cellular"] = not network["wifi"]
    if device.platform == "android":
        network["bluetooth"] = dice.chance(0.3)
    if device.platform == "ios" or not network["wifi"] or dice.chance(0.5):
        network["carrier"] = device.carrier
    return {
        "app": dict(device.app),
        "device": dict(device.device),
        "ip": f"192.0.2.{dice.between(1, 254)}",
        "library": {"name": f"analytics-{device.platform}", "version": "4.1.8"},
        "locale": device.locale,
        "network": network,
        "os": dict(device.os),
        "screen": dict(device.screen),
        "timezone": device.time_zone,
        "userAgent": "Example Shop",
    }


def make_subject(dice: Dice, person: Person) -> Call:
    """The content of a call: its type, its name and its properties."""
    product, price = dice.pick(PRODUCTS)
    quantity = dice.between(1, 4)
    kind = dice.below(100)
    if kind < 34:
        properties: Call = {"product_id": product} if kind < 12 else {}
        return {
            "type": "screen",
            "name": "Product" if kind < 12 else dice.pick(("Home", "Cart", "Search")),
            "properties": properties,
        }
    if kind < 38:
        return {
            "type": "identify",
            "traits": {"plan": dice.pick(("free", "plus")), "email": "someone@example.com"},
        }
    if kind < 39:
        return {"type": "group", "groupId": f"team-{dice.between(1, 9)}", "traits": {}}
    if kind < 66:
        return track("Product Viewed", {"product_id": product, "price": price, "currency": "USD"})
    if kind < 82:
        cart = {"product_id": product, "price": price, "quantity": quantity, "cart_id": dice.hex(8)}
        return track("Product Added", cart)
    if kind < 92:
        return track("Search Performed", {"query": dice.pick(("lamp", "tea “set”", "büro", '12" ruler'))})
    lines: list[Call] = [{"product_id": product, "quantity": quantity, "price": price}]
    if dice.chance(0.5):
        other, its_price = dice.pick(PRODUCTS)
        lines.append({"product_id": other, "quantity": 1, "price": its_price})
    cents = sum(round(line["price"] * 100) * line["quantity"] for line in lines)
    order = {"order_id": dice.hex(10), "currency": "USD", "products": lines}
    if kind < 94:
        return track("Order Refunded", order | {"revenue": -cents / 100})
    return track("Order Completed", order | {"revenue": cents / 100})


def track(event: str, properties: Call) -> Call:
    return {"type": "track", "event": event, "properties": properties}


Change = Callable[[Sent, Dice], None]


def drop(*path: str) -> Change:
    def change(sent: Sent, dice: Dice) -> None:
        node = sent.call
        for name in path[:-1]:
            node = node[name]
        node.pop(path[-1], None)

    return change


def put(value: Any, *path: str) -> Change:
    def change(sent: Sent, dice: Dice) -> None:
        node = sent.call
        for name in path[:-1]:
            node = node.setdefault(name, {})
        node[path[-1]] = value

    return change


def both(*changes: Change) -> Change:
    def change(sent: Sent, dice: Dice) -> None:
        for one in changes:
            one(sent, dice)

    return change


def broken(make: Callable[[str], str]) -> Change:
    def change(sent: Sent, dice: Dice) -> None:
        sent.line = make(sent.text())

    return change


def late(days: int) -> Change:
    """The device was offline: the call is as old as that, its reception is not."""

    def change(sent: Sent, dice: Dice) -> None:
        moment = sent.received - timedelta(days=days, minutes=dice.between(1, 90))
        sent.call["timestamp"] = instant(moment)
        sent.call["originalTimestamp"] = instant(moment + timedelta(milliseconds=dice.between(-900, 900)))

    return change


def at(hour: int, minute: int, second: int, millisecond: int) -> Change:
    """The last such time of a UTC day before the reception, on the same day or the day before."""

    def change(sent: Sent, dice: Dice) -> None:
        moment = sent.received.replace(
            hour=hour, minute=minute, second=second, microsecond=millisecond * 1000
        )
        sent.call["timestamp"] = instant(moment - timedelta(days=int(moment > sent.received)))

    return change


def in_zone(hours: int) -> Change:
    """The same instant with an offset instead of Z."""

    def change(sent: Sent, dice: Dice) -> None:
        moment = datetime.fromisoformat(sent.call["timestamp"]) + timedelta(hours=hours)
        sent.call["timestamp"] = f"{instant(moment)[:-1]}{'-' if hours < 0 else '+'}{abs(hours):02}:00"

    return change


def to_the_second(sent: Sent, dice: Dice) -> None:
    sent.call["timestamp"] = f"{sent.call['timestamp'][:19]}Z"


def track_of(properties: Any) -> Change:
    return both(put("track", "type"), put("Product Added", "event"), put(properties, "properties"))


CART = {"product_id": "SKU-1014", "price": 19.99, "quantity": 2}

# Drift of good calls, by the format's page; "both" platforms or one of them. Each happens on each day.
DRIFT: tuple[tuple[str, Change], ...] = (
    # A new field anywhere.
    ("both", put({"name": "autumn", "medium": "push"}, "context", "campaign")),
    ("both", put("shop-7", "projectId")),
    ("android", put(True, "context", "device", "foldable")),
    ("both", put({"variant": "b", "steps": [1, 2]}, "properties", "experiment")),
    # A field that changes from number to text, or back.
    ("ios", put(412, "context", "app", "build")),
    ("android", put("412", "context", "app", "build")),
    ("android", put(14, "context", "os", "version")),
    ("both", put(778899, "userId")),
    ("both", track_of(CART | {"price": "12.50"})),
    ("android", track_of(CART | {"quantity": "3"})),
    ("android", track_of(CART | {"revenue": "12.50"})),
    ("ios", track_of(CART | {"product_id": 85123})),
    # Half a cent, up and down; a product of more digits than a cent.
    ("both", track_of({"revenue": 19.995})),
    ("both", track_of({"revenue": -0.125})),
    ("android", track_of(CART | {"price": "7.125", "quantity": 3})),
    # One of price and quantity; a list of products beside them, and one that is empty.
    ("both", track_of({"product_id": "SKU-1014", "price": 19.99})),
    ("both", track_of({"quantity": 2, "products": [{"product_id": "SKU-1007", "quantity": 9, "price": 1}]})),
    ("both", track_of({"products": []})),
    # Parts that are left out: a struct, the properties, one of the two ids, a name.
    ("android", drop("context", "network")),
    ("both", drop("context")),
    ("both", drop("properties")),
    ("both", put({}, "properties")),
    ("both", put(None, "properties")),
    ("both", both(put("user-10003", "userId"), drop("anonymousId"))),
    ("both", both(put(None, "userId"), put("anonymous-only", "anonymousId"))),
    ("both", both(put("page", "type"), drop("event"), drop("name"))),
    ("both", drop("receivedAt")),
    # Clocks: offsets, no fraction, the ends of a local day in summer and in winter, the hours of a change.
    ("both", in_zone(-8)),
    ("both", in_zone(2)),
    ("both", to_the_second),
    *(("both", at(hour, 59, 59, 999)) for hour in (6, 7, 8, 9)),
    *(("both", at(hour, 0, 0, 0)) for hour in (7, 8, 9, 10)),
    # Offline devices.
    ("both", late(1)),
    ("both", late(1)),
    ("both", late(3)),
)

# Calls that go to quarantine, by reason. Each happens on each day, on both platforms.
REJECTED: tuple[Change, ...] = (
    # malformed
    broken(lambda text: text[: len(text) * 2 // 3]),
    broken(lambda text: f"[{text}]"),
    broken(lambda text: "2025-11-20 00:00:00 INFO rotated"),
    # missing_message_id
    drop("messageId"),
    put("  ", "messageId"),
    # missing_type
    put(None, "type"),
    put("", "type"),
    # missing_user
    both(drop("userId"), drop("anonymousId")),
    both(put("", "userId"), put(None, "anonymousId")),
    # wrong_type
    put({"id": "user-10001"}, "userId"),
    track_of(CART | {"quantity": 1.5}),
    track_of(CART | {"revenue": "twelve"}),
    track_of(CART | {"price": True}),
    put("yes", "context", "network", "wifi"),
    # invalid_timestamp
    drop("timestamp"),
    put(1763596800000, "timestamp"),
    put("yesterday", "timestamp"),
    put("2025-02-30T10:00:00.000Z", "timestamp"),
    put("soon", "receivedAt"),
)

HOURS_OF_A_FILE = 24 // FILES_A_DAY
# The file of the afternoon (UTC), in which a struct is missing, and that of the evening.
AFTERNOON, EVENING = 2, 3


def number_of_file(received: datetime) -> int:
    return received.hour // HOURS_OF_A_FILE


def start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def millis(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def receive_day(dice: Dice, day: date, platform: str, people: Sequence[Person], number: int) -> list[Sent]:
    """The good calls of a platform that are received on a UTC day, in the order of their reception."""
    users = [
        (person, device) for person in people for device in person.devices if device.platform == platform
    ]
    calls: list[Sent] = []
    while len(calls) < number:
        person, device = dice.pick(users)
        received = start_of(day) + timedelta(milliseconds=dice.below(86_400_000 - 1_200_000))
        for _ in range(dice.between(2, 9)):
            received += timedelta(milliseconds=dice.between(3_000, 90_000))
            moment = received - timedelta(milliseconds=dice.between(300, 9_000))
            calls.append(make_call(dice, person, device, moment, received))
    return sorted(calls[:number], key=lambda one: one.received)


def change_files(calls: Sequence[Sent], platform: str) -> None:
    """The drift of whole files: a struct that is missing, and a library that sends build numbers as texts."""
    for one in calls:
        if number_of_file(one.received) == AFTERNOON:
            del one.call["context"]["network" if platform == "android" else "device"]
        if number_of_file(one.received) == EVENING and platform == "android":
            one.call["context"]["app"]["build"] = str(one.call["context"]["app"]["build"])


def change_calls(dice: Dice, calls: Sequence[Sent], platform: str, times: int) -> None:
    """Lets each change happen `times` times, to calls of their own, and not in the file of the afternoon."""
    changes = [change for where, change in DRIFT if where in ("both", platform)] + list(REJECTED)
    free = [one for one in calls if number_of_file(one.received) != AFTERNOON]
    for change in changes * times:
        taken = dice.below(len(free))
        free[taken], free[-1] = free[-1], free[taken]
        change(free.pop(), dice)


def retry(dice: Dice, sent: Sent, day: date, hour: int, platform: str) -> Sent:
    """The client did not hear that the call was received, and sends it again."""
    received = start_of(day) + timedelta(hours=hour, milliseconds=dice.below(3_000_000))
    again = copy.deepcopy(sent.call)
    again |= {"receivedAt": instant(received), "sentAt": instant(received - timedelta(milliseconds=80))}
    return Sent(again, received, platform, sent.line)


def make_files(dice: Dice, calls: Sequence[Sent], day: date, platform: str) -> dict[str, Delivered]:
    """The calls in files by the hour of reception. One file has no line end at its end, one is empty, and one
    is a single line without a line end."""
    start = millis(start_of(day))
    starts = [start + number * HOURS_OF_A_FILE * 3_600_000 for number in range(FILES_A_DAY)]
    names = [f"{one}.{dice.hex(8)}.gz" for one in starts]
    files = {name: Delivered() for name in names}
    for one in calls:
        files[names[number_of_file(one.received)]].sent.append(one)
    files[names[1]].ends_with_line_end = False
    last = files[names[EVENING]].sent.pop()
    files[f"{start + 86_399_000}.{dice.hex(8)}.gz"] = Delivered([last], ends_with_line_end=False)
    files[f"{start + 86_399_500}.{dice.hex(8)}.gz"] = Delivered(is_bare=platform == "android")
    return files


def make_sample(first_day: date, days: int, scale: int, seed: int) -> dict[str, Delivered]:
    """The files of the days by name. `scale` is how many times the usual calls and people there are."""
    people = make_people(Dice(f"{seed} people"), PEOPLE * scale)
    files: dict[str, Delivered] = {}
    to_be_sent_again: list[Sent] = []
    for day in (first_day + timedelta(days=number) for number in range(days)):
        received = {platform: list[Sent]() for platform in PLATFORMS}
        dice = Dice(f"{seed} {day}")
        for one in to_be_sent_again:
            received[one.platform].append(retry(dice, one, day, dice.between(0, 5), one.platform))
        to_be_sent_again = []
        for platform in PLATFORMS:
            calls = receive_day(dice, day, platform, people, CALLS_A_DAY * scale)
            change_files(calls, platform)
            change_calls(dice, calls, platform, scale)
            received[platform] += calls
            # Again on the same day, on the next day, and through the other source.
            received[platform] += [retry(dice, dice.pick(calls), day, 22, platform) for _ in range(8 * scale)]
            to_be_sent_again += [dice.pick(calls) for _ in range(6 * scale)]
            other = PLATFORMS[1 - PLATFORMS.index(platform)]
            received[other] += [retry(dice, dice.pick(calls), day, 23, other) for _ in range(2 * scale)]
        for platform in PLATFORMS:
            calls = sorted(received[platform], key=lambda one: one.received)
            folder = f"segment-logs/{platform}/{millis(start_of(day))}"
            made = make_files(dice, calls, day, platform)
            files |= {f"{folder}/{name}": file for name, file in made.items()}
    return files


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Makes a synthetic sample of mobile-users.")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "sample", metavar="DIR")
    parser.add_argument("--first-day", type=date.fromisoformat, default=FIRST_DAY, metavar="YYYY-MM-DD")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--scale", type=int, default=1, help="times as many calls and people")
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args(argv)
    if given.days < 1 or given.scale < 1:
        parser.error("--days and --scale must be at least 1")
    # Files of an earlier sample would be part of this one.
    shutil.rmtree(given.into / "segment-logs", ignore_errors=True)
    files = make_sample(given.first_day, given.days, given.scale, given.seed)
    for name, file in files.items():
        path = given.into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.packed())
    lines = sum(len(file.sent) for file in files.values())
    sys.stdout.write(f"{len(files)} files with {lines} lines are in {given.into}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
