"""The checks of a condition before any engine sees it."""

import pytest
from etl.run.expression import FUNCTIONS, KEYWORDS, find_mistakes

COLUMNS = ("country", "n", "t", "items")
UNLIKE = "which Spark and Athena read differently"


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        (" ", "is empty"),
        ("n > 0; drop table x", "holds ';'"),
        ("country = 'a;b'", "holds ';'"),
        ("n > ?", "holds '?'"),
        ("n > 0 -- all", "holds a comment"),
        ("n /* all */ > 0", "holds a comment"),
        ("country = 'a\\'b'", "holds a backslash"),
        ('country = "a"', f"holds '\"a\"', {UNLIKE}"),
        ("`country` = 'a'", f"holds \"`country` = 'a'\", {UNLIKE}"),
        ("n / 2 > 0", f"holds '/ 2 > 0', {UNLIKE}"),
        ("n % 2 = 0", f"holds '% 2 = 0', {UNLIKE}"),
        ("n <=> 1", f"holds '<=> 1', {UNLIKE}"),
        ("n == 1", f"holds '== 1', {UNLIKE}"),
        ("items[0] is null", f"holds '[0] is null', {UNLIKE}"),
        ("items.a is null", f"holds '.a is null', {UNLIKE}"),
        ("n > 1e3", f"holds '1e3', {UNLIKE}"),
        ("n = 1L", f"holds '1L', {UNLIKE}"),
        ("country = 'open", f'holds "\'open", {UNLIKE}'),
        ("country = 'it''s'", "holds \"'it''s'\": a text cannot hold a quote"),
        ("country = 'a' 'b'", "holds \"'a''b'\": a text cannot hold a quote"),
        ("n > 0) or (n < 0", "has parentheses that do not match"),
        ("(n > 0", "has parentheses that do not match"),
        ("sum(n) > 0", f"calls sum; the functions are {', '.join(FUNCTIONS)}"),
        ("COUNT (n) > 0", f"calls count; the functions are {', '.join(FUNCTIONS)}"),
        ("n(1) > 0", f"calls n; the functions are {', '.join(FUNCTIONS)}"),
        ("cast(country as bigint) > 0", "calls cast; "),
        ("row_number() over (order by n) = 1", "calls row_number; "),
        ("n in (select n from t)", "names select, neither a column nor one of "),
        ("exists (select 1)", "calls exists; "),
        ("reason is null", "names reason, neither a column nor one of "),
        ("true limit 1", "names limit, neither a column nor one of "),
    ],
)
def test_an_expression_holds_only_what_both_engines_read_alike(expression: str, mistake: str) -> None:
    (first, *_) = find_mistakes(expression, COLUMNS)
    assert first.startswith(mistake)


def test_all_that_is_allowed_is_let_through() -> None:
    for function in FUNCTIONS:
        assert find_mistakes(f"{function}(n) = 1 and {function.upper()} (N) <> 2.5", COLUMNS) == []
    for keyword in KEYWORDS:
        assert find_mistakes(f"n {keyword} 1", COLUMNS) == []
    good = "not (n in (1,2) or Country||'x' like '-%') and t >= timestamp '2010-01-01 00:00:00'\n  and n<=-1"
    assert find_mistakes(good, COLUMNS) == []
