"""Which live feed an engine has: one connection, or one to each primary of a cluster."""

from redis.asyncio import Redis

from broker.storage.cluster.feed import ClusterFeed
from broker.storage.connect import cluster_nodes, connect
from broker.storage.feed import Feed

LiveFeed = Feed | ClusterFeed


def open_feed(url: str, *, reply_timeout_s: float) -> LiveFeed:
    """The feed of the engine at this URL; it connects when it is run."""

    def make(node_url: str) -> Redis:
        return connect(node_url, connect_timeout_s=reply_timeout_s, reply_timeout_s=reply_timeout_s, connections=1)

    nodes = cluster_nodes(url, make)
    if nodes is None:
        return Feed(url, reply_timeout_s=reply_timeout_s)
    return ClusterFeed(nodes, reply_timeout_s=reply_timeout_s)
