"""A small server for the page of an example: its files, the JavaScript client under `/client/`, and calls of its own.

What an application's own web server would do; the broker serves none of it. `/config.json` tells the page where the
broker is. The policy of the page allows its own scripts and the broker, and nothing else.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tidemark_client import TidemarkError

CLIENT = Path(__file__).resolve().parents[1] / "clients/js/src"
MOST_BYTES = 10_000

Call = Callable[[Any], Any]
"""What a POST does: from the JSON of its body to the JSON of its answer.

Raises ValueError for what is no good, and `TidemarkError` where the broker refuses.
"""


class _Page(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, broker: str, calls: Mapping[str, Call], **options: Any) -> None:
        self._broker = broker
        self._calls = calls
        super().__init__(*args, **options)

    def translate_path(self, path: str) -> str:
        """The file of a path: of the page, or of the client."""
        if path == "/":
            path = "/page.html"
        if not path.startswith("/client/"):
            return super().translate_path(path)
        own, self.directory = self.directory, str(CLIENT)
        try:
            return super().translate_path(path.removeprefix("/client"))
        finally:
            self.directory = own

    def do_GET(self) -> None:
        """A file, or where the broker is."""
        if self.path == "/config.json":
            self._tell({"url": self._broker})
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """A call of the example."""
        call, size = self._calls.get(self.path), self.headers.get("Content-Length", "")
        if call is None or not size.isdecimal() or int(size) > MOST_BYTES:
            self.send_error(404 if call is None else 413)
            return
        try:
            self._tell(call(json.loads(self.rfile.read(int(size)))))
        except ValueError as error:
            self._tell({"error": str(error)}, 400)
        except TidemarkError as error:
            self._tell({"error": f"the broker: {error}"}, 502)

    def end_headers(self) -> None:
        """The policy of the page, with everything."""
        socket = self._broker.replace("http", "ws", 1)
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'"
        self.send_header("Content-Security-Policy", f"{policy}; connect-src 'self' {self._broker} {socket}")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of what is served."""

    def _tell(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving_page(name: str, port: int, broker: str, calls: Mapping[str, Call]) -> Iterator[str]:
    """Serve the files of `examples/<name>` on this machine only; where. Port 0 takes a free one."""
    page = partial(_Page, directory=str(Path(__file__).resolve().parent / name), broker=broker, calls=calls)
    with ThreadingHTTPServer(("127.0.0.1", port), page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
