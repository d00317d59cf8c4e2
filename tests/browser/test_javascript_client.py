"""The JavaScript client in a real browser, on a page of another origin: it publishes, and reads by every transport."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.serve_process import ServeProcess, serving

CLIENT = Path(__file__).parents[2] / "clients/js/src"
ANYWHERE = {"TIDEMARK_SERVER__ALLOWED_ORIGINS": '["*"]', "TIDEMARK_CHANNELS__POLL_INTERVAL_S": "1"}
SCRIPT = """
const [url, token, way, done] = arguments;
(async () => {
  const { Client } = await import("/index.js");
  const client = new Client(url, { token: async () => token, timing: { firstS: 0.05 } });
  const start = (await client.page("news")).cursor;
  await client.publish("news", { from: "a browser" }, { type: way });
  const got = [];
  for await (const event of client.follow("news", { cursor: start, types: [way], transports: [way] })) {
    got.push(event.data);
    if (got.length === 1) await client.publish("news", "live", { type: way });
    if (got.length === 2) break;
  }
  return got;
})().then((got) => done({ got }), (error) => done({ error: String(error?.stack ?? error) }));
"""
pytestmark = pytest.mark.timeout(180)


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The origin of a page that has the client's files beside it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(CLIENT))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """A broker that lets pages of any origin open sockets, with a private channel."""
    with serving(tmp_path_factory.mktemp("browser") / "data", ANYWHERE) as running:
        running.create("news", is_public=False)
        yield running


@pytest.mark.parametrize("way", ["ws", "sse", "poll"])
def test_it_publishes_and_reads(browser: WebDriver, page: str, server: ServeProcess, way: str) -> None:
    browser.get(f"{page}/index.js")
    browser.set_script_timeout(60)
    told = browser.execute_async_script(SCRIPT, server.url, server.token("pub:news", "sub:news"), way)
    assert told == {"got": [{"from": "a browser"}, "live"]}
