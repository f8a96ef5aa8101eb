"""Benchmarks: what the house does in a second, measured from outside.

Each is a program, `python -m benchmarks.NAME`. It starts what it needs in a folder of its own, generates its load from
a process of its own on the same processors, cleans up, and prints as its last line one JSON object with its figures and
what limits them. A figure counts what is acknowledged and found again in PostgreSQL, nothing less.
"""
