"""The servers that are measured: Tidemark, the baselines, and the peers that this machine has."""
