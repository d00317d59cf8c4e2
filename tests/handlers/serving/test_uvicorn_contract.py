"""Every internal of uvicorn 0.54 and websockets 17 that `handlers.serving` relies on, by name.

When one of them moves, these tests fail and say which; what the code does with it is proved by the other tests of this
folder, which talk to real sockets. The lists are complete: a name that our classes use and that is missing fails too.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httptools
import pytest
import uvicorn
from uvicorn import Config, Server
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CTRL_OPCODES, Close, CloseCode, Frame, Opcode
from websockets.headers import parse_subprotocol
from websockets.streams import StreamReader
from websockets.utils import accept_key
from websockets.version import version as websockets_version

from handlers.serving import http_protocol, server

HTTP = {
    "app", "app_state", "expect_100_continue", "flow", "headers", "loop", "parser", "root_path", "server_state",
    "transport", "url", "_should_upgrade",
}  # fmt: skip
HTTP_OVERRIDDEN = {
    "connection_made": ["transport"],
    "connection_lost": ["exc"],
    "data_received": ["data"],
    "handle_websocket_upgrade": [],
    "on_body": ["body"],
    "on_headers_complete": [],
    "on_message_begin": [],
    "on_message_complete": [],
    "on_response_complete": [],
    "shutdown": [],
}
SERVER = {"force_exit", "lifespan", "server_state", "servers", "should_exit", "_serve"}
SERVER_OVERRIDDEN = {
    "handle_exit": ["sig", "frame"],
    "startup": ["sockets"],
    "shutdown": ["sockets"],
}
FLOW = {"pause_reading", "resume_reading", "pause_writing", "resume_writing", "read_paused", "write_paused", "drain"}


def class_of(module: Any, name: str) -> ast.ClassDef:
    tree = ast.parse(Path(module.__file__).read_text())
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def attributes_of(tree: ast.AST, *, owner: str = "self") -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == owner:
            yield node


def own_names(tree: ast.ClassDef) -> set[str]:
    """Methods, and the attributes that its constructor makes."""
    methods = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    constructor = next(method for method in methods if method.name == "__init__")
    made = {node.attr for node in attributes_of(constructor) if isinstance(node.ctx, ast.Store)}
    return made | {method.name for method in methods}


def names_that(base: type) -> set[str]:
    """Everything that a class of uvicorn has: methods, annotations, and what its methods set on self."""
    source = ast.parse(inspect.getsource(base))
    stored = {node.attr for node in attributes_of(source) if isinstance(node.ctx, ast.Store)}
    return stored | set(dir(base))


@pytest.mark.parametrize(
    ("module", "name", "base", "relied_on", "overridden"),
    [
        (http_protocol, "BoundedHttpProtocol", HttpToolsProtocol, HTTP, HTTP_OVERRIDDEN),
        (server, "DrainingServer", Server, SERVER, SERVER_OVERRIDDEN),
    ],
)
def test_every_name_that_is_relied_on_is_listed_and_there(
    module: Any, name: str, base: type, relied_on: set[str], overridden: dict[str, list[str]]
) -> None:
    ours = class_of(module, name)
    used = {node.attr for node in attributes_of(ours)}
    inherited = names_that(base)
    assert used & inherited - own_names(ours) <= relied_on, "list what is new"
    assert relied_on <= inherited, "moved away"
    assert {method for method in overridden if method not in own_names(ours)} == set(), "not overridden any more"
    own_methods = {node.name for node in ours.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert own_methods & set(dir(base)) - {"__init__"} == set(overridden), "list what is overridden"


@pytest.mark.parametrize(
    ("base", "overridden"),
    [
        (HttpToolsProtocol, HTTP_OVERRIDDEN),
        (Server, SERVER_OVERRIDDEN),
    ],
)
def test_what_is_overridden_is_called_as_before(base: type, overridden: dict[str, list[str]]) -> None:
    found = {name: list(inspect.signature(getattr(base, name)).parameters)[1:] for name in overridden}
    assert found == overridden


def test_what_is_left_to_uvicorn_leaves_its_own_cycle_alone() -> None:
    """`Exchange` stands in its place: it is never made, and only looked for."""
    for method in (HttpToolsProtocol.connection_lost, HttpToolsProtocol.on_header, HttpToolsProtocol.on_url):
        assert "RequestResponseCycle" not in inspect.getsource(method)
    assert "if self.cycle and not" in inspect.getsource(HttpToolsProtocol.connection_lost)
    assert "if self.cycle is not None" in inspect.getsource(HttpToolsProtocol.connection_lost)


def test_flow_control_has_what_we_override() -> None:
    assert names_that(FlowControl) >= FLOW
    assert HIGH_WATER_LIMIT == 65_536


def test_the_parser_stops_after_an_offer_to_upgrade_and_says_where() -> None:
    class Callbacks:
        def __init__(self) -> None:
            self.seen: list[bytes] = []

        def on_header(self, name: bytes, value: bytes) -> None:
            self.seen.append(name)

        def on_headers_complete(self) -> None:
            self.seen.append(b"complete")

    callbacks = Callbacks()
    parser = httptools.HttpRequestParser(callbacks)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n"
    with pytest.raises(httptools.HttpParserUpgrade) as stop:
        parser.feed_data(head + b"ab")
    assert stop.value.args[0] == len(head)
    assert parser.should_upgrade() and callbacks.seen[-1] == b"complete"


def test_frames_are_parsed_and_written_as_before() -> None:
    reader = StreamReader()
    parsing = Frame.parse(reader.read_exact, mask=True, max_size=5)
    for byte in Frame(Opcode.TEXT, b"hello").serialize(mask=True):
        assert next(parsing, "done") is None
        reader.feed_data(bytes([byte]))
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame = done.value.value
    assert (frame.opcode, bytes(frame.data), frame.fin, bytes(reader.buffer)) == (Opcode.TEXT, b"hello", True, b"")
    assert {Opcode.CLOSE, Opcode.PING, Opcode.PONG} == set(CTRL_OPCODES)
    assert Close.parse(Close(4410, "x").serialize()) == Close(4410, "x")
    assert issubclass(PayloadTooBig, Exception) and issubclass(ProtocolError, Exception)
    assert (CloseCode.POLICY_VIOLATION, CloseCode.SERVICE_RESTART, CloseCode.INVALID_DATA) == (1008, 1012, 1007)


def test_the_answer_to_a_key_is_that_of_the_rfc() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert parse_subprotocol("a, b") == ["a", "b"]


def test_the_configuration_takes_what_we_give_it() -> None:
    parameters = inspect.signature(Config.__init__).parameters
    tree = ast.parse(Path(server.__file__).read_text())
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Config")
    assert {str(word.arg) for word in call.keywords} <= set(parameters)
    assert {"connections", "tasks", "default_headers"} <= set(vars(ServerState()))


def test_the_server_builds_protocols_by_name() -> None:
    """Our classes take these as keywords, and the gate by `partial`."""
    assert list(inspect.signature(HttpToolsProtocol.__init__).parameters)[1:] == [
        "config", "server_state", "app_state", "_loop",
    ]  # fmt: skip
    assert "self.ws_protocol_class is None" in inspect.getsource(HttpToolsProtocol._should_upgrade_to_ws)


def test_the_versions_are_those_that_were_read() -> None:
    assert uvicorn.__version__.startswith("0.54.")
    assert websockets_version.startswith("17.")
