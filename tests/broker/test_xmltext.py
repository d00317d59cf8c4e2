"""XML of any text: what comes out is well-formed and reads back, or is replaced."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from broker.xmltext import legal, one_line, render_xml, write_element

any_text = st.text()
"""With surrogates and all."""


@given(any_text)
def test_any_text_makes_a_well_formed_element_that_reads_back(text: str) -> None:
    body = render_xml(lambda xml: write_element(xml, "a", text, b=text))
    root = ElementTree.fromstring(body)  # noqa: S314 - our own
    assert (root.text or "") == legal(text)
    assert root.get("b") == legal(text)


def test_legal_text_is_not_touched() -> None:
    text = "a\tb\n ]]> <&> \x7f\x85\u2028 \ufffd \U0001f600 \U0010ffff"
    assert legal(text) == text


def test_what_xml_cannot_spell_is_replaced() -> None:
    assert legal("\x00\x0b\x1b\ud800\ufffe\uffff") == "\ufffd" * 6
    assert legal("a\r\nb\rc") == "a\nb\nc"


@given(any_text)
def test_a_title_has_one_line_and_no_control_characters(text: str) -> None:
    title = one_line(text)
    assert len(title.splitlines()) <= 1
    assert title == title.strip() and not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in title)


def test_a_title_keeps_its_words() -> None:
    assert one_line(" a\r\n\x00 b\u2028c \U0001f600 ") == "a b c \U0001f600"
