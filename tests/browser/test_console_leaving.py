"""Who leaves a panel of the console leaves nothing of it behind, in a real browser."""

import pytest

from tests.browser.console import Console

pytestmark = pytest.mark.timeout(180)
HELD_BACK = """
const real = window.fetch;
window.fetch = async (...call) => {
  if (!String(call[0]).includes(arguments[0])) return real(...call);
  await new Promise((go) => { window.letGo = go; });
  const answer = await real(...call);
  window.answered = true;
  return answer;
};
"""
WAITS = """
const [done] = arguments;
const signal = new EventTarget();
let heard = 0;
const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
signal.addEventListener = (...words) => { heard += 1; add(...words); };
signal.removeEventListener = (...words) => { heard -= 1; remove(...words); };
import("/static/console/repeat.js").then(async ({ wait }) => {
  for (let turn = 0; turn < 3; turn += 1) await wait(1, signal);
  await wait(1e6, AbortSignal.abort());
  return heard;
}).then(done, (error) => done(String(error)));
"""


def test_who_leaves_a_log_while_it_is_read_does_not_follow_it(console: Console, channel: str) -> None:
    other = f"then-{channel}"
    console.server.create(other, is_public=False)
    console.open("tokens", console.server.token("admin"))
    console.run(HELD_BACK, f"/{channel}/events?")
    console.go(f"channels/{channel}")
    console.until(lambda: console.run("return Boolean(window.letGo)"), "the log to be asked for")
    console.go("tokens")
    console.run("window.letGo()")
    console.until(lambda: console.run("return window.answered === true"), "the answer")
    console.go(f"channels/{other}")
    console.until_live()

    def readers_of(name: str) -> int:
        return int(console.server.ask("GET", f"/channels/{name}").json()["subscriber_count"])

    console.until(lambda: readers_of(other) == 1, "the log that is shown")
    assert readers_of(channel) == 0


def test_a_wait_leaves_nothing_at_its_signal_and_none_is_begun_after_it(console: Console) -> None:
    console.open()
    assert console.browser.execute_async_script(WAITS) == 0
