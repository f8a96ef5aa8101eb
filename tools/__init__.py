"""What the Makefile runs: small programs of the house itself, none of them shipped.

`environment` makes `.venv` and fills it with the pinned packages, `pins` renews those pins, `check` runs the linters,
`suite` the tests, `bench` the benchmarks; `wheel` is the builder's hook. `environment` runs on a bare Python 3.11: it
and `steps` import the standard library alone. What must always hold: each step is named with its time, a failure ends
in an exit code that is not 0, and a step with nothing to do takes no time.
"""
