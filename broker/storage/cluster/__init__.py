"""Redis and Valkey Cluster: which node has which slot, and clients that send each call there (decision 0011)."""
