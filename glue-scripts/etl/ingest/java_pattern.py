"""Checks the regular expressions of a contract, which are Java's. It refuses only what is certainly wrong,
and nothing that Java would accept. `contracts/java-pattern.ts` refuses the same at synth, and Java
checks the rest before a row is read.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html"""

import re

_PART = re.compile(
    r"(?P<quoted>\\Q.*?(?:\\E|\Z))|(?P<escaped>\\(?:c.|.))|(?P<backslash>\\)"
    r"|(?P<opening>\((?:\?<[A-Za-z]|\?)?)|(?P<other>.)",
    re.DOTALL,
)
_REPLACEMENT = re.compile(r"(?:[^$\\]|\\.|\$[0-9]|\$\{[A-Za-z][A-Za-z0-9]*\})*", re.DOTALL)


def find_pattern_mistake(pattern: str) -> str | None:
    """The mistake in a pattern; None if Java may accept it."""
    if re.search(r"\(\?[a-zA-Z]*x", pattern):
        return None  # with comments on, anything may stand in one
    groups = classes = 0
    is_begun = is_first = False
    for match in _PART.finditer(pattern):
        kind, text = match.lastgroup, match[0]
        if kind == "backslash":
            return "it ends in a lone backslash"
        was_first, is_first = is_first, False
        if classes:
            # A bracket that stands first in its class, or after its ^, is a character.
            if text == "[":
                classes, is_first = classes + 1, True
            elif text == "^" and was_first:
                is_first = True
            elif text == "]" and not was_first:
                classes -= 1
        elif text == "[":
            classes, is_first, is_begun = 1, True, True
        elif kind == "opening":
            groups, is_begun = groups + 1, False
        elif text == ")":
            if not groups:
                return "a parenthesis is closed that was not opened"
            groups, is_begun = groups - 1, True
        elif text in ("*", "+", "?") and not is_begun:
            return f"nothing stands before {text}"
        else:
            is_begun = text != "|"
    if classes:
        return "a bracket is not closed"
    return "a parenthesis is not closed" if groups else None


def find_replacement_mistake(text: str) -> str | None:
    """The mistake in a replacement, in which `$1` and `${name}` are groups; None if Java may accept it."""
    if _REPLACEMENT.fullmatch(text):
        return None
    return "must name a group after each $; write \\$ for a dollar sign and \\\\ for a backslash"
