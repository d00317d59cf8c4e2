"""Position checks of many logs at once: what is as it is known costs no words, what is not is told whole."""

from broker.cursors import LogMeta, Mark
from broker.storage.log_checks import Checked, Unchanged, check_logs
from tests.stores import Store, cursor_of


async def test_a_log_that_is_as_it_is_known_is_unchanged_and_any_other_is_told(store: Store) -> None:
    # In one partition, as they are checked.
    channels = [await store.create(f"room-{number}") for number in range(60)]
    some = [each for each in channels if each.partition == channels[0].partition]
    assert len(some) >= 2
    published, quiet = some[:2]
    metas = [meta for meta in await store.channels.metas([published, quiet]) if meta is not None]
    marks = [Mark(meta.top, meta.revision) for meta in metas]
    known = list(zip((published, quiet), marks, strict=True))
    assert await check_logs(store.engine, known) == [Unchanged.UNCHANGED] * 2
    [top] = (await store.publish(published, 1)).positions
    news, same = await check_logs(store.engine, known)
    assert same is Unchanged.UNCHANGED
    assert [news] == await store.channels.metas([published])
    assert await check_logs(store.engine, [(published, Mark(top, marks[0].revision))]) == [Unchanged.UNCHANGED]


async def checked(store: Store, known: Mark | None) -> Checked:
    [answer] = await check_logs(store.engine, [(await store.channels.find("news"), known)])
    return answer


async def test_a_delete_is_news_though_the_top_is_the_same(store: Store) -> None:
    channel = await store.create()
    [top] = (await store.publish(channel, 1)).positions
    assert await checked(store, Mark(top, 0)) is Unchanged.UNCHANGED
    await store.log.delete(channel, cursor_of(channel, top), None, admin=True)
    news = await checked(store, Mark(top, 0))
    assert isinstance(news, LogMeta) and (news.top, news.revision) == (top, 1)


async def test_a_log_of_which_nothing_is_believed_is_told_in_any_case(store: Store) -> None:
    channel = await store.create()
    assert [await checked(store, None)] == await store.channels.metas([channel])


async def test_a_log_that_is_gone_is_none(store: Store) -> None:
    channel = await store.create()
    await store.channels.delete(channel.id)
    assert await check_logs(store.engine, [(channel, Mark(channel.start, 0)), (channel, None)]) == [None, None]
