"""`./run bench`: Tidemark beside the physical limit, stock Starlette and its peers, in alternating runs."""
