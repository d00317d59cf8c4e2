"""A client that sends each call to the node that has its slot (decision 0011 says why it is not redis-py's own)."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from broker.storage.cluster.nodes import Nodes
from broker.storage.cluster.sending import PATIENCE_S, Command, Sending
from broker.storage.cluster.slots import READS


class ClusterClient(Redis):
    """A `Redis` whose commands go where their slot is. Commands name their key first; pipelines are told below."""

    def __init__(self, nodes: Nodes) -> None:
        super().__init__(connection_pool=nodes.client(nodes.seed).connection_pool)
        self.nodes = nodes

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its answer; raises what the last node that it was sent to says."""
        [answer] = await self.send_all([(args, options)])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "ClusterPipeline":
        """Commands that share round trips, one to each node; never a transaction."""
        if transaction:
            raise ValueError("a cluster has no transactions over several slots: pipeline(transaction=False)")
        return ClusterPipeline(self)

    async def send_all(self, commands: Sequence[Command], patience_s: float = PATIENCE_S) -> list[Any]:
        """The answers to all commands, or the exceptions instead of them, in their order."""
        await self.nodes.ready()
        return await Sending(self.nodes, commands).run(patience_s)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close the clients of all nodes."""
        await self.nodes.close()
        await super().aclose(close_connection_pool=close_connection_pool)


class ClusterPipeline(Pipeline):
    """A pipeline over several slots. What stands first may write; all else only reads, as it may be sent again.

    Commands without a key go with the command before them, on the same connection (`WAIT`), or with the one after.
    """

    def __init__(self, client: ClusterClient) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, False, None)
        self._client = client
        self.patience_s = PATIENCE_S

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The answers in order; raises the first exception among them, or leaves them in their places."""
        commands, self.command_stack = self.command_stack, []
        if any(args[0] not in READS for args, _ in commands[1:]):
            raise ValueError("a pipeline over a cluster may write with its first command only")
        answers = await self._client.send_all(commands, self.patience_s)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        if raise_on_error and failures:
            raise failures[0]
        return answers
