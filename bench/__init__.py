"""Measurements. Each module prints what it measured, on which machine, and how it can be repeated."""
