"""XML 1.0 of any text: the standard library writes and escapes it; here goes what no escape can spell. Pure."""

import re
from collections.abc import Callable
from io import BytesIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_ON_ONE_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def legal(text: str) -> str:
    """`text` with ends of line as XML reads them, and what XML 1.0 has no spelling for (section 2.2) as U+FFFD."""
    return _ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """`text` as a title: blanks, ends of line and control characters become single blanks, none at its ends."""
    return _NOT_ON_ONE_LINE.sub(" ", text).strip()


def render_xml(write: Callable[[XMLGenerator], None]) -> bytes:
    """What `write` writes, in UTF-8; it may be a part of a document."""
    out = BytesIO()
    write(XMLGenerator(out, "utf-8", short_empty_elements=True))
    return out.getvalue()


def start_element(xml: XMLGenerator, name: str, /, **attributes: str) -> None:
    """The start of an element, with attributes of any text."""
    xml.startElement(name, AttributesImpl({key: legal(value) for key, value in attributes.items()}))


def write_element(xml: XMLGenerator, name: str, text: str = "", /, **attributes: str) -> None:
    """A whole element with any text."""
    start_element(xml, name, **attributes)
    xml.characters(legal(text))
    xml.endElement(name)
