"""Prometheus metrics of all processes of a server: counted in ints where things happen, written down once a second."""
