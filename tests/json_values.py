"""Generated JSON values for property tests, with the strings and numbers that trip writers of other formats."""

from typing import Any

from hypothesis import strategies as st

TRAPS = [
    "", " ", "yes", "No", "ON", "y", "N", "null", "~", "true", ".inf", ".nan", "1e3", "0x1", "0o7", "1:30",
    "2001-01-01", "<<", "=", "---", "...", "- a", "? a", "a: b", "a :b", "a #b", "a:", "# a", "%YAML", "@a", "`a`",
    "&a", "*a", "!a", "|", ">", "[a]", "{a", "'a'", '"a"', "a ", "\ta", "a\n", "\na", "a\nb", "a\n\n  b\nc", " a\nb",
    "a\n \nb", "a\r\nb", "a\x85b", "a\u2028b", "\ufeff", "\ufffe\uffff", "\x00\x1b\x7f", "]]>", "<b>&amp;</b>",
    "<script>", "\U0001f600", "é", "k" * 1_100, "- x" * 500,
]  # fmt: skip

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(alphabet="ab \n\t:#-?'\"|>&*!%@`{}[],é\U0001f600\u2028\x85\ufeff\r0.~<]"),
    st.sampled_from(TRAPS),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(scalars, lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)), max_leaves=12)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON is: types, order of members and all."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
