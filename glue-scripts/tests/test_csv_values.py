"""The values of CSV in the words and marks of a contract, against Python's `decimal`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from etl import session
from etl.ingest.contract import Contract, NumberForm, Words
from etl.ingest.headers import find_layouts
from etl.ingest.reasons import describe_rejected
from etl.ingest.transforms.classify_rows import classify_rows
from etl.ingest.transforms.explain_rejected import explain_rejected
from etl.ingest.transforms.parse_csv import parse_csv
from etl.io import StoredObject
from plans import contract_of_document
from pyspark.sql import DataFrame, SparkSession

NARROW = "\u202f"  # a no-break space, as French writes thousands
FORMS = [
    NumberForm(),
    NumberForm(","),
    NumberForm(",", "."),
    NumberForm(",", " "),
    NumberForm(",", NARROW),
    NumberForm(".", ","),
    NumberForm(".", "'"),
]
KINDS: dict[str, dict[str, Any]] = {
    "exact": {"type": ["number", "null"], "x-decimal": [9, 3]},
    "double": {"type": ["number", "null"]},
    "whole": {"type": ["integer", "null"]},
}


def contract_of(columns: Mapping[str, Mapping[str, Any]], **changes: Mapping[str, Any]) -> Contract:
    """A contract of CSV with a text `key` and `columns`, separated by semicolons. `changes` are made to the
    columns of these names."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"key": {"type": "string"}, **columns},
        "required": ["key"],
        "x-etl": {
            "format": {"kind": "csv", "delimiter": ";"},
            "shapes": {"trimmed": {"K": {"column": "key", "clean": ["trim"]}, **{n: n for n in columns}}},
            "businessKey": ["key"],
            "lookbackDays": 0,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "no_key", "rule": "missing", "column": "key"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "output": ["key", *columns],
        },
    }
    made = contract_of_document(document)
    return replace(made, columns=tuple(replace(one, **changes.get(one.name, {})) for one in made.columns))


def parsed(
    spark: SparkSession, folder: Path, contract: Contract, header: str, lines: Sequence[str]
) -> DataFrame:
    session.configure(spark, 0)
    file = folder / "a.csv"
    file.write_text(header)
    layouts = find_layouts([StoredObject(str(file), file.name, len(header))], contract)
    frame = spark.createDataFrame(
        [(line, at, "2025-01-15", "a.csv") for at, line in enumerate(lines)],
        "value string, row_id int, run_date string, file_path string",
    )
    return parse_csv(frame, contract, layouts)


def model(text: str, form: NumberForm, kind: str) -> int | float | Decimal | None:
    """The number of a text, worked out a character at a time."""
    negative, text = text.startswith("-"), text.removeprefix("-")
    exponent = ""
    if kind == "double" and "e" in text.lower():
        at = text.lower().index("e")
        text, exponent = text[:at], text[at + 1 :]
        if not is_digits(exponent.removeprefix("-") if exponent[:1] == "-" else exponent.removeprefix("+")):
            return None
    whole, mark, decimals = text.partition(form.decimal)
    groups = whole.split(form.thousands) if form.thousands else [whole]
    if not all(map(is_digits, groups)) or (mark and not is_digits(decimals)):
        return None
    if len(groups) > 1 and (len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:])):
        return None
    digits = "".join(groups)
    if kind == "double" and digits.startswith("0") and digits != "0":
        return None
    number = Decimal(f"{'-' * negative}{digits}.{decimals or '0'}e{exponent or '0'}")
    if kind == "whole":
        fits = not mark and len(digits) <= 19 and -(2**63) <= number < 2**63
        return int(number) if fits else None
    if kind == "double":
        return float(number) if abs(float(number)) != float("inf") else None
    return number if abs(number) < 10**6 and number == number.quantize(Decimal("0.001")) else None


def is_digits(text: str) -> bool:
    return text != "" and all(character in "0123456789" for character in text)


def texts_of(form: NumberForm, random: Random) -> list[str]:
    """Numbers in a form, right and with a character too many, too few, or another."""
    texts = [
        *(
            "1.234,50",
            "-99,00",
            "1 299 999,99",
            f"1{NARROW}299{NARROW}999,99",
            "1.23,4",
            "1.234",
            "1,234",
            "1'234.5",
        ),
        *(
            "0",
            "-0",
            "00",
            "007",
            "0,000",
            "0.0000",
            "1,",
            ",5",
            ".5",
            "5.",
            "-",
            "+1",
            " 1",
            "1 ",
            "1e3",
            "1E-3",
        ),
        *(
            "1,5e3",
            "1.5e3",
            "1e400",
            "1e",
            "9223372036854775807",
            "9223372036854775808",
            "999999,9990",
            "1000000",
        ),
        *(
            "9.223.372.036.854.775.807",
            "9.223.372.036.854.775.808",
            "1..234",
            "1.234.",
            ".234",
            "1.234.56",
            "1234.567",
        ),
        *(
            "0.001.234",
            "12.345.678,9",
            "١٢٣",
            "1,2,3",
            "NaN",
            "Infinity",
            "0x10",
            "1f",
            "1d",
            "--1",
            "1-",
            "\t1",
        ),
    ]
    for _ in range(150):
        number = Decimal(random.randint(-(10**11), 10**11)).scaleb(-random.randint(0, 4))
        text = f"{number:,f}" if random.random() < 0.7 else f"{number:f}"
        text = text.translate({ord(","): form.thousands, ord("."): form.decimal})
        at = random.randrange(len(text) + 1)
        changed = text[:at] + random.choice(f"0.,' {NARROW}-") + text[at + random.randint(0, 1) :]
        texts += [text, changed]
    return texts


def test_numbers_are_read_in_their_form(each_spark: SparkSession, tmp_path: Path) -> None:
    random = Random(15)  # noqa: S311 (the same numbers in every run)
    names = {f"{kind}_{at}": (form, kind) for (at, form), kind in product(enumerate(FORMS), KINDS)}
    contract = contract_of(
        {name: KINDS[kind] for name, (_, kind) in names.items()},
        **{name: {"number": form} for name, (form, _) in names.items()},
    )
    texts = [texts_of(form, random) for form in FORMS]
    rows = list(zip(*texts, strict=True))
    lines = [";".join([f"k{at}", *(text for text in row for _ in KINDS)]) for at, row in enumerate(rows)]
    found = parsed(each_spark, tmp_path, contract, ";".join(["key", *names]), lines)
    typed = found.orderBy("row_id").select("row.*").collect()
    wrong, right = [], 0
    for row, of_row in zip(typed, rows, strict=True):
        for name, (form, kind) in names.items():
            text = of_row[FORMS.index(form)]
            wanted = model(text, form, kind)
            right += wanted is not None
            if (row[name], str(row[name])) != (wanted, str(row[name] if row[name] == wanted else wanted)):
                wrong.append((form, kind, text, wanted, row[name]))
    assert (len(wrong), wrong[:5]) == (0, [])
    assert right > len(rows) * len(names) / 5


def test_a_line_end_does_not_belong_to_a_number(spark: SparkSession, tmp_path: Path) -> None:
    contract = contract_of(KINDS)
    lines = ['a;"1";"1";"1"', 'b;"1\n";"1\n";"1\n"', 'c;"1\r";"1\r";"1\r"']
    rows = parsed(spark, tmp_path, contract, ";".join(["key", *KINDS]), lines).orderBy("row_id").collect()
    assert [
        (row["is_object"], row["row"]["exact"], row["row"]["double"], row["row"]["whole"]) for row in rows
    ] == [
        (True, 1, 1, 1),
        (True, None, None, None),
        (True, None, None, None),
    ]


COLUMNS = {
    "paid": KINDS["whole"],
    "plain": KINDS["whole"],
    "price": KINDS["exact"],
    "note": {"type": "string"},
}
WORDED: dict[str, dict[str, Any]] = {
    "key": {"nulls": ("-", "N/A")},
    "paid": {"type": "boolean", "words": Words(("Ja", "1"), ("Nein", "0")), "nulls": ("-",)},
    "plain": {"type": "boolean"},
    "price": {"nulls": ("N/A", "-1", "-"), "number": NumberForm(",")},
    "note": {"nulls": ("NULL", "\\N", "a b")},
}
# A line; the row, or the reason with its columns and their values.
LINES: list[tuple[str, Any]] = [
    ("a;Ja;true;1,5;x", ("a", True, True, Decimal("1.500"), "x")),
    ("a;1;false;-1,0;null", ("a", True, False, Decimal("-1.000"), "null")),
    ("a;Nein;;-1;NULL", ("a", False, None, None, None)),
    ("a;0;true;N/A;\\N", ("a", False, True, None, None)),
    ('a;-;"";"-";"a b"', ("a", None, None, None, None)),
    ("a;;true;;N/A", ("a", None, True, None, "N/A")),
    (" N/A;Ja;true;1;x", ("no_key", {"key": None})),
    ("-;nonsense;true;1;x", ("no_key", {"key": None})),
    ("a;ja;True;1.5;x", ("wrong_type", {"paid": "ja", "plain": "True", "price": "1.5"})),
    ("a;true;1; 1;x", ("wrong_type", {"paid": "true", "plain": "1", "price": " 1"})),
    ("a;Ja ;true;n/a;x", ("wrong_type", {"paid": "Ja ", "price": "n/a"})),
]


def test_words_and_nulls_are_exact_texts(each_spark: SparkSession, tmp_path: Path) -> None:
    contract = contract_of(COLUMNS, **WORDED)
    rows = parsed(each_spark, tmp_path, contract, ";".join(["K", *COLUMNS]), [line for line, _ in LINES])
    classified = classify_rows(rows, contract).persist()
    good = [
        tuple(row[name] for name in contract.output)
        for row in classified.orderBy("row_id").collect()
        if not row["reason"]
    ]
    bad = explain_rejected(classified, contract).orderBy("row_id").collect()
    assert [*good, *((row["reason"], row["reason_values"]) for row in bad)] == [wanted for _, wanted in LINES]


def test_words_and_marks_are_named_in_messages() -> None:
    contract = contract_of(COLUMNS, **WORDED)
    counts = {("wrong_type", name): 1 for name in ("paid", "plain", "price")}
    found = describe_rejected(contract, (), {"wrong_type": 3}, counts)
    assert [one.clause for one in found] == [
        "paid is not a boolean (true: Ja, 1; false: Nein, 0)",
        "plain is not a boolean",
        "price is not a decimal(9,3) written like 1234,5",
    ]
