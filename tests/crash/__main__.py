"""`python -m tests.crash --seeds N`: N trials, each a house under load with something killed, and what was found."""

from __future__ import annotations

import argparse
import json
import sys

import uvloop

from tests.crash.plan import plan_of
from tests.crash.trial import Outcome, run_trial


def main() -> None:
    """Run the trials; the last line is a JSON object. Status 1 if anything was lost or applied twice."""
    arguments = argparse.ArgumentParser(prog="python -m tests.crash", description=main.__doc__)
    arguments.add_argument("--seeds", type=int, default=20, metavar="N", help="how many trials")
    arguments.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    given = arguments.parse_args()
    outcomes = []
    for seed in range(given.first, given.first + given.seeds):
        outcomes.append(uvloop.run(run_trial(plan_of(seed))))
        show(outcomes[-1])
    verdicts = [outcome.verdict for outcome in outcomes]
    moments = [outcome.moment for outcome in outcomes]
    kinds = sorted({kind for verdict in verdicts for kind in verdict.tallies})
    tallies = {kind: [verdict.tallies[kind] for verdict in verdicts if kind in verdict.tallies] for kind in kinds}
    summary = {
        "seeds": len(outcomes),
        "acknowledged_min": min((verdict.acknowledged for verdict in verdicts), default=0),
        "lost": sum(verdict.lost for verdict in verdicts),
        "duplicated": sum(verdict.duplicated for verdict in verdicts),
        "kinds": {
            kind: {
                "acknowledged": sum(tally.acknowledged for tally in found),
                "lost": sum(tally.lost for tally in found),
                "twice": sum(tally.twice for tally in found),
            }
            for kind, found in tallies.items()
        },
        "mid_pack": sum(moment.unanswered > 0 for moment in moments),
        "mid_qos2": sum(moment.half_way > 0 for moment in moments),
        "unheard": sum(moment.unheard > 0 for moment in moments),
        "mid_request": sum(moment.asked > 0 for moment in moments),
        "mid_replay": sum(moment.mid_replay for moment in moments),
        "mid_commit": sum(moment.mid_commit for moment in moments),
        "ready_s_max": round(max((outcome.ready_s for outcome in outcomes), default=0.0), 2),
    }
    print(json.dumps(summary))
    sys.exit(bool(summary["lost"] or summary["duplicated"]))


def show(outcome: Outcome) -> None:
    """One line a trial, and what was wrong."""
    plan, verdict = outcome.plan, outcome.verdict
    again = "" if plan.again_in_s is None else f", again {plan.again_in_s:.2f} s later"
    at = outcome.moment
    moment = f"{at.unanswered} unanswered, {at.half_way} half-way, {at.unheard} unheard, {at.asked} asked"
    moment += ", amid a replay" * at.mid_replay + ", within a transaction" * at.mid_commit
    print(
        f"seed {plan.seed:>3}: {'+'.join(plan.targets)} killed after {plan.after:,} ({moment}){again}: ready in "
        f"{outcome.ready_s:.2f} s, {verdict.acknowledged:,} acknowledged, {verdict.lost} lost, "
        f"{verdict.duplicated} twice, {verdict.republished} republished",
        flush=True,
    )
    for words in verdict.words:
        print(f"          {words}")


if __name__ == "__main__":
    main()
