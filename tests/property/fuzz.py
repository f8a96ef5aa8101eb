"""Fuzz for as long as it is wanted, all targets in turn, and say what was found.

    python -m tests.property.fuzz [--seconds 3600] [--seed 1] [--target NAME]

The last line is one JSON object: inputs tried, ways they went, crashes and hangs. Each finding is said with its bytes
in hex; the exit status is 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.property.fuzz_targets import TARGETS
from tests.property.fuzzing import Finding, Fuzzer

PORTION = 2_000


def say(words: str) -> None:
    """A line to whoever watches."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz what reads bytes from outside.")
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=[target.name for target in TARGETS])
    options = parser.parse_args()
    chosen = [target for target in TARGETS if options.target in (None, target.name)]
    fuzzers = {target.name: Fuzzer(target, options.seed) for target in chosen}
    findings: list[Finding] = []
    end_s = time.monotonic() + options.seconds
    while fuzzers and time.monotonic() < end_s:
        for name, fuzzer in list(fuzzers.items()):
            finding = fuzzer.run(PORTION)
            if finding is not None:
                findings.append(finding)
                say(f"{name}: {finding.what}\n  {finding.data.hex()}")
                del fuzzers[name]
    tried = sum(fuzzer.tried for fuzzer in fuzzers.values())
    say(json.dumps({"tried": tried, "ways": {name: f.ways for name, f in fuzzers.items()}, "findings": len(findings)}))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
