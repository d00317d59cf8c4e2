"""Where webhooks may point, judged by the text of the URL."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Invalid
from broker.targets import MAX_URL, check_target

LOOPBACK = [ip_network("127.0.0.0/8")]
BAD_HOSTS = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "printer",
    "printer.local",
    "db.internal",
    "metadata.google.internal",
    "metadata.google.internal.",
    "router.lan",
    "nas.home.arpa",
    "localhost.localdomain",
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.1",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "00000177.1",
    "127.0x0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "10.1",
    "0xa.1",
    "192.168.257",
    "3232235777",
    "0xc0a80101",
    "169.254.169.254",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "224.0.0.1",
    "255.255.255.255",
    "4294967295",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "256.1.1.1",
    "1.2.3.4.5",
    "4294967296",
    "0x100000000",
    "08.8.8.8",
    "a.1",
    "1..2",
    "..",
    ".",
    "a..b",
    "-a.example",
    "a-.example",
    "[::g]",
    "[8.8.8.8]",
    "[::1",
    "::1",
    "ex%61mple.com",
    "127.0.0.1%00.example.com",
    "example.com\\@127.0.0.1",
    "user@example.com",
    "user:pass@example.com",
]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("form", ["http://{}/hook", "https://{}:8443"])
def test_a_host_that_is_not_public_is_refused(host: str, form: str) -> None:
    with pytest.raises(Invalid, match=r"^Webhook URL must be a public HTTP\(S\) endpoint$"):
        check_target(form.format(host), [])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "http:///x",
        "//example.com",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "http:/x.com",
        "gopher://example.com",
        "javascript:alert(1)",
        "http:example.com",
        "https://example.com:22",
        "http://example.com:",
        "http://example.com:0",
        "http://example.com:65536",
        "http://example.com:1023",
        "http://example.com:80:80",
        "http://example.com:+80",
        "http://example.com:\uff18\uff10",
        "http://example.com/a b",
        "http://example.com/\r\nX: 1",
        " http://example.com",
        "http://example.com\n",
        "http://exa\tmple.com",
        "http://\uff11\uff12\uff17.0.0.1",
        "http://ex①.com",
        "http://example.com\\x",
        "http://example.com#@127.0.0.1\\",
        "http://bücher.example",
        "http://example.com/\ud800",
        "http://example.com/" + "x" * MAX_URL,
        "http://" + "a." * 200 + "com",
        "http://" + "a" * 64 + ".com",
    ],
)
def test_a_text_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        check_target(url, [])


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("HTTPS://Example.COM:443/Hook?A=%41#part", "https://example.com/Hook?A=%41"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com.?a=1", "http://example.com/?a=1"),
        ("http://example.com:8080/a@b", "http://example.com:8080/a@b"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("https://xn--bcher-kva.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://134744072/", "http://8.8.8.8/"),
        ("http://8.8.8.8./", "http://8.8.8.8/"),
        ("http://[2606:4700:0:0::1111]:1024", "http://[2606:4700::1111]:1024/"),
        ("http://1.example", "http://1.example/"),
    ],
)
def test_a_public_endpoint_is_taken_in_its_normal_form(url: str, normal: str) -> None:
    assert check_target(url, []) == normal
    assert check_target(normal, []) == normal


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://localhost:9000/", "http://127.1:9000/", "http://receiver:9000/"]
)
def test_an_opened_network_can_be_named(url: str) -> None:
    assert check_target(url, LOOPBACK).endswith(":9000/")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://metadata.google.internal/", "http://[::1]/", "http://a@b.c/"]
)
def test_an_opened_network_opens_no_other(url: str) -> None:
    with pytest.raises(Invalid):
        check_target(url, LOOPBACK)


def test_localhost_needs_loopback_to_be_opened() -> None:
    with pytest.raises(Invalid):
        check_target("http://localhost/", [ip_network("10.0.0.0/8")])


@given(st.text(max_size=60) | st.text("htps:/.[]0123456789abcdefx%@#?\\ ", max_size=40).map("http://{}".format))
def test_any_text_is_a_target_or_invalid(url: str) -> None:
    try:
        normal = check_target(url, [])
    except Invalid:
        return
    assert check_target(normal, []) == normal


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_every_spelling_of_an_address_is_the_same_address(number: int, form: str) -> None:
    def judged(host: str) -> str | None:
        try:
            return check_target(f"http://{host}/", [])
        except Invalid:
            return None

    dotted = ".".join(str(part) for part in number.to_bytes(4, "big"))
    assert judged(form.format(number)) == judged(dotted)
