"""Every route, asked with every kind of credential (reliability.md E: API1, API5). Its lines: `access_rows.py`."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from broker.api_keys import KeyRequest
from handlers.openapi import ALWAYS, IMPLIED
from handlers.operations import Operation
from handlers.routes import all_operations, all_routes
from tests.broker_server import BrokerServer
from tests.error_tables import check_error
from tests.handlers.access_cells import PLACES, Cell
from tests.handlers.access_credentials import CREDENTIALS, EXPECTED, KEYS, OK, PARTNER, TENANT, Credential
from tests.handlers.access_rows import ROWS, Row

OPERATIONS = {f"{operation.method} {operation.path}": operation for operation in all_operations()}
SOCKETS = {
    f"WS {route.path}": route
    for route in all_routes()
    if isinstance(route, WebSocketRoute) and route.path != "/{path:path}"  # what refuses all others
}
KNOWN = sorted(OPERATIONS.keys() & ROWS.keys())
OF_A_CHANNEL = [name for name in KNOWN if "{channel_id}" in name and ROWS[name].access != "none"]


class Matrix:
    """Makes cells, and asks."""

    def __init__(self, server: BrokerServer) -> None:
        self.server = server
        self._numbers = count()
        self._keys: dict[str, str] = {}

    async def cell(self, *, is_public: bool = False) -> Cell:
        for name, scope in KEYS.items():
            if name not in self._keys:
                self._keys[name], _ = await self.server.broker.api_keys.create(KeyRequest(TENANT, (scope,)))
        cell = Cell(self.server, f"cell-{next(self._numbers)}", self._keys)
        await self.server.create(cell.channel_id, is_public=is_public)
        return cell

    async def ask(self, name: str, cell: Cell, credential: Credential, body: bytes | None = None) -> tuple[int, Any]:
        """The status of an HTTP route and the body of its refusal."""
        method, path = name.split(" ")
        if body is None and (good := ROWS[name].body) is not None:
            body = json.dumps(good(cell)).encode()
        path = await placed(path, cell) + ("" if credential.query_token is None else f"?token={credential.query_token}")
        headers = {} if credential.header is None else {"Authorization": credential.header}
        async with self.server.http.stream(method, path, headers=headers, content=body) as answer:
            if answer.status_code < 400:
                return answer.status_code, None
            refusal = json.loads(await answer.aread())
            check_error(path.partition("?")[0], answer.status_code, refusal)
            if answer.status_code in (401, 403):
                assert answer.headers["Cache-Control"] == "private, no-store"
            assert ("WWW-Authenticate" in answer.headers) is (answer.status_code == 401)
            return answer.status_code, refusal

    async def open(self, name: str, cell: Cell, credential: Credential) -> int:
        """The status of a WebSocket's handshake."""
        path = await placed(name.removeprefix("WS "), cell)
        query = "" if credential.query_token is None else f"?token={credential.query_token}"
        headers = {} if credential.header is None else {"Authorization": credential.header}
        url = f"ws://127.0.0.1:{self.server.port}{path}{query}"
        try:
            async with connect(url, proxy=None, compression=None, additional_headers=headers):
                return OK
        except InvalidStatus as refused:
            return refused.response.status_code


async def placed(path: str, cell: Cell) -> str:
    """The path with its parameters filled in."""
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", await PLACES[name](cell))
    return path


def text_of(refusal: Any) -> Any:
    """What a refusal says, in the error body of any API."""
    error = refusal.get("error", refusal)
    return error.get("message") if isinstance(error, dict) else error


def success_of(name: str) -> int:
    return ROWS[name].status or min(OPERATIONS[name].answers)


def expected_of(row: Row, credential: str) -> int:
    return row.but.get(credential, EXPECTED[row.access][credential])


def documented(operation: Operation) -> set[int]:
    return {*operation.answers, *operation.refusals, *IMPLIED[operation.access], *ALWAYS}


@contextmanager
def told(name: str, credential: str) -> Iterator[None]:
    """Names the cell of the matrix that failed."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{name} with {credential!r}: {error}") from error


@pytest.fixture
async def matrix(broker_server: BrokerServer) -> Matrix:
    await broker_server.trust(PARTNER)
    return Matrix(broker_server)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    routes = OPERATIONS.keys() | SOCKETS.keys()
    assert routes - ROWS.keys() == set(), "add a line to ROWS in tests/handlers/access_rows.py"
    assert ROWS.keys() - routes == set(), "these lines of ROWS in tests/handlers/access_rows.py have no route any more"


def test_no_route_is_outside_the_table_of_operations() -> None:
    paths = {route.path for route in all_routes() if isinstance(route, Route)}
    others = [route for route in all_routes() if not isinstance(route, Route | WebSocketRoute)]
    assert paths == {operation.path for operation in OPERATIONS.values()}
    assert [route.path for route in others if isinstance(route, Mount)] == ["/static"]
    assert len(others) == 1


@pytest.mark.parametrize("name", KNOWN)
def test_the_table_of_operations_says_the_access_of_the_contract(name: str) -> None:
    assert OPERATIONS[name].access == ROWS[name].access


async def test_the_openapi_document_has_every_operation(broker_server: BrokerServer) -> None:
    paths = (await broker_server.http.get("/openapi.json")).json()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == OPERATIONS.keys()


@pytest.mark.parametrize("name", KNOWN)
async def test_each_credential_gets_what_its_route_gives_it(matrix: Matrix, name: str) -> None:
    for credential, make in CREDENTIALS.items():
        cell, expected = await matrix.cell(), expected_of(ROWS[name], credential)
        with told(name, credential):
            status, refusal = await matrix.ask(name, cell, make(cell))
            assert status == (success_of(name) if expected == OK else expected)
            assert status in documented(OPERATIONS[name])
            assert refusal is None or isinstance(text_of(refusal), str)


@pytest.mark.parametrize("name", [name for name in KNOWN if ROWS[name].body is not None])
async def test_who_may_not_is_told_so_before_the_body_is_looked_at(matrix: Matrix, name: str) -> None:
    cell = await matrix.cell()
    for credential, make in CREDENTIALS.items():
        expected = expected_of(ROWS[name], credential)
        with told(name, credential):
            status, _ = await matrix.ask(name, cell, make(cell), b"{")
            assert status == (400 if expected == OK else expected)
            assert status in documented(OPERATIONS[name])


@pytest.mark.parametrize("name", [name for name in OF_A_CHANNEL if ROWS[name].access == "read"])
async def test_a_public_channel_is_read_with_any_credential(matrix: Matrix, name: str) -> None:
    for credential, make in CREDENTIALS.items():
        cell = await matrix.cell(is_public=True)
        with told(name, credential):
            status, _ = await matrix.ask(name, cell, make(cell))
            assert status == ROWS[name].but_public.get(credential, success_of(name))


@pytest.mark.parametrize("name", OF_A_CHANNEL)
async def test_a_channel_that_is_not_there_is_404_before_the_credential_on_reads_and_after_it_on_writes(
    matrix: Matrix, name: str
) -> None:
    cell = await matrix.cell()
    made = await placed(name, cell)
    await matrix.server.broker.channels.delete(cell.channel_id)
    method, path = made.split(" ")
    for credential, make in CREDENTIALS.items():
        header = make(cell).header
        answer = await matrix.server.http.request(
            method, path, headers={} if header is None else {"Authorization": header}, json={"data": 1}
        )
        expected = OK if ROWS[name].access == "read" else expected_of(ROWS[name], credential)
        expected = ROWS[name].but_absent.get(credential, expected)
        with told(name, credential):
            assert answer.status_code == (404 if expected == OK else expected)


@pytest.mark.parametrize("name", sorted(SOCKETS.keys() & ROWS.keys()))
@pytest.mark.parametrize("is_public", [False, True])
async def test_each_credential_opens_the_sockets_that_it_may(matrix: Matrix, name: str, is_public: bool) -> None:
    for credential, make in CREDENTIALS.items():
        cell = await matrix.cell(is_public=is_public)
        with told(name, credential):
            expected = ROWS[name].but_public.get(credential, OK) if is_public else expected_of(ROWS[name], credential)
            assert await matrix.open(name, cell, make(cell)) == expected
