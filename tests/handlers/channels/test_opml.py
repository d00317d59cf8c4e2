"""The subscription list: all public channels, no others, in documents of bounded size (contract section 12)."""

from typing import Any
from xml.etree import ElementTree

import pytest

from broker.channels import NewChannel
from handlers.channels import opml
from tests.broker_server import API, BrokerServer

OPML = f"{API}/opml"
ULID = "01HZQX5K9V6BMRJ3WYAT0GN1PH"


async def outlines(server: BrokerServer, query: str = "") -> list[dict[str, Any]]:
    answer = await server.http.get(OPML + query)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == "text/x-opml"
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    return [outline.attrib for outline in root.findall("body/outline")]


async def test_public_channels_are_listed_newest_first_and_no_others(broker_server: BrokerServer) -> None:
    records = [await broker_server.create(name) for name in ("one", "two", "three")]
    await broker_server.create("secret", is_public=False)
    # As the other APIs make theirs.
    await broker_server.create("live-watch-x")
    listed = await outlines(broker_server)
    newest_first = sorted(records, key=lambda record: (record.created_ms, record.tag_letters), reverse=True)
    assert [outline["text"] for outline in listed] == [record.id for record in newest_first]
    one = next(outline for outline in listed if outline["text"] == "one")
    home = f"{broker_server.url}{API}/channels/one"
    assert one == {"type": "rss", "text": "one", "title": "one", "xmlUrl": f"{home}/rss", "htmlUrl": home}


async def test_the_feed_of_an_outline_is_there(broker_server: BrokerServer) -> None:
    await broker_server.create("one")
    (outline,) = await outlines(broker_server)
    assert (await broker_server.http.get(outline["xmlUrl"])).status_code == 200


async def test_names_and_descriptions_inject_nothing(broker_server: BrokerServer) -> None:
    nasty = 'a"/><evil>\r\n\x00\uffff\U0001f600'
    await broker_server.broker.channels.create(NewChannel("one", nasty, description=nasty, is_public=True))
    (outline,) = await outlines(broker_server)
    assert outline["text"] == outline["description"] == 'a"/><evil> \ufffd\U0001f600'


async def test_a_server_without_channels_has_an_empty_list(broker_server: BrokerServer) -> None:
    assert await outlines(broker_server) == []


async def test_documents_that_include_one_another_list_every_channel_once(
    broker_server: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opml, "CHANNELS", 3)
    for number in range(8):
        await broker_server.create(f"c-{number}")
    await broker_server.create("live-watch-x")
    seen, query, documents = [], "", 0
    while True:
        listed = await outlines(broker_server, query)
        documents += 1
        seen += [outline["text"] for outline in listed if outline["type"] == "rss"]
        following = [outline["url"] for outline in listed if outline["type"] == "include"]
        if not following:
            break
        assert following[0].startswith(f"{broker_server.url}{OPML}?cursor=")
        query = following[0].removeprefix(f"{broker_server.url}{OPML}")
    assert sorted(seen) == [f"c-{number}" for number in range(8)]
    assert documents == 3


async def test_the_list_is_cacheable(broker_server: BrokerServer) -> None:
    answer = await broker_server.http.get(OPML)
    assert answer.headers["Cache-Control"] == "public, s-maxage=2"
    again = await broker_server.http.get(OPML, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert (
        "no-store"
        in (await broker_server.http.get(OPML, headers=broker_server.bearer("admin"))).headers["Cache-Control"]
    )


@pytest.mark.parametrize("query", ["cursor=", "cursor=x", f"cursor={ULID}&cursor={ULID}"])
async def test_a_malformed_cursor_is_400(broker_server: BrokerServer, query: str) -> None:
    answer = await broker_server.http.get(f"{OPML}?{query}")
    assert (answer.status_code, "error" in answer.json()) == (400, True)
