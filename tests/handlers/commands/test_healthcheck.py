"""`./run healthcheck` says by its status whether a server is ready."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from handlers.admin_listener import bind_admin
from handlers.commands.healthcheck import healthcheck
from tests.broker_server import BrokerServer, running_broker
from tests.certificates import Authority


async def check(*words: str, **environ: str) -> Result:
    """The command with these words, beside the test's loop, in which the server runs."""
    return await asyncio.to_thread(CliRunner().invoke, healthcheck, list(words), env=environ)


@contextmanager
def unused_port() -> Iterator[int]:
    """A port that is bound, on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


async def test_a_server_that_is_ready_is_healthy(broker_server: BrokerServer) -> None:
    result = await check("--port", str(broker_server.port))
    assert (result.exit_code, result.output) == (0, "")


async def test_where_nobody_listens_the_server_is_not_healthy_and_the_reason_is_said() -> None:
    with unused_port() as port:
        result = await check("--port", str(port))
        assert result.exit_code == 1
        assert f"127.0.0.1 port {port} does not answer /readyz" in result.output


async def test_a_server_that_drains_is_alive_and_not_ready(broker_server: BrokerServer) -> None:
    broker_server.drain.begin()
    port = str(broker_server.port)
    result = await check("--port", port)
    assert result.exit_code == 1
    assert "503" in result.output
    assert "The server is draining" in result.output
    assert (await check("--port", port, "--live")).exit_code == 0


async def test_the_port_comes_from_the_settings_and_every_address_is_reached_by_loopback(
    broker_server: BrokerServer,
) -> None:
    result = await check(TIDEMARK_SERVER__PORT=str(broker_server.port), TIDEMARK_SERVER__HOST="0.0.0.0")
    assert result.exit_code == 0, result.output


async def test_a_server_with_tls_is_asked_by_https_whatever_its_certificate_names(
    engine_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    certificate, key, _ = authority.sign()
    files = {"tls_certificate": str(certificate), "tls_key": str(key)}
    environ = {f"TIDEMARK_SERVER__{name.upper()}": value for name, value in files.items()}
    sockets = bind_admin("127.0.0.1:0")
    admin = f"127.0.0.1:{sockets[0].getsockname()[1]}"
    trusts = authority.client()
    async with running_broker(
        engine_url, tmp_path / "k.json", {"server": files}, trusts=trusts, admin=sockets
    ) as server:
        assert (await server.http.get("/readyz")).status_code == 200
        port = str(server.port)
        for words, more in (
            (["--port", port], {}),
            ([], {"TIDEMARK_SERVER__PORT": port}),
            (["--port", port], {"TIDEMARK_SERVER__ADMIN_LISTEN": admin}),
            ([], {"TIDEMARK_SERVER__ADMIN_LISTEN": admin}),
        ):
            result = await check(*words, **environ, **more)
            assert result.exit_code == 0, result.output
        assert (await check("--port", port)).exit_code == 1


async def test_a_server_that_is_full_is_healthy_by_its_admin_listener(engine_url: str, tmp_path: Path) -> None:
    sockets = bind_admin("127.0.0.1:0")
    address = f"127.0.0.1:{sockets[0].getsockname()[1]}"
    narrow = {"limits": {"connections": 1}}
    async with running_broker(engine_url, tmp_path / "key.json", narrow, admin=sockets) as server:
        await server.http.get("/healthz")  # keeps the only connection
        assert (await check("--port", str(server.port))).exit_code == 1
        with unused_port() as port:
            result = await check(TIDEMARK_SERVER__ADMIN_LISTEN=address, TIDEMARK_SERVER__PORT=str(port))
            assert result.exit_code == 0, result.output


async def test_what_is_no_http_server_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_nonsense() -> None:
            client, _ = listener.accept()
            client.sendall(b"SSH-2.0-x\r\n")
            client.close()

        answering = asyncio.create_task(asyncio.to_thread(answer_nonsense))
        result = await check("--port", str(listener.getsockname()[1]))
        await answering
    assert result.exit_code == 1
    assert "does not answer" in result.output
