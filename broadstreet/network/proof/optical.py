"""Whether each path is within the architecture's lengths and its optical class, and as long and lossy as is claimed.

What light loses on a path, in decibels, is the sum of what its parts lose at most:

    its fibre's metres / 1000 × the greatest loss of a kilometre among the class's wavelengths
    + its joints by fusion × a splice + its joints by connector × a connector + each splitter by its ratio

This, with the margin for repairs and age, is at most the class's greatest loss; without it, at least the class's least.
So ITU-T G.984.2 and G.9807.1 mean their classes (the attenuation between the two ends of the optical distribution
network), and ITU-T G.982 the sum; what each part loses and where that is from stands in the optics.
"""

from __future__ import annotations

from typing import Final

from broadstreet.network.design import Path as Claim
from broadstreet.network.design import Role
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path

SAME_M: Final = 0.01
"""Lengths that differ by no more are the same: sums of floats in another order."""
SAME_DB: Final = 0.01
_ROUNDING: Final = 1e-9


def check_paths(case: Case, paths: list[Path]) -> None:
    claimed_class = case.statement.optical_class
    if claimed_class != case.architecture.optical_class:
        case.report(Kind.CLASS, "the statement", claimed_class, case.architecture.optical_class)
    claims = _claims(case, paths)
    for path in paths:
        length_m = path.length_m(case)
        loss_db = path_loss_db(case, path, length_m)
        _check_bounds(case, path, length_m, loss_db)
        claim = claims.get((path.premises, path.socket))
        node, where = case.premises_node[path.premises], path.named(case)
        if claim is None:
            true = f"{length_m:.2f} m, {loss_db:.2f} dB"
            case.report(Kind.PATH_UNCLAIMED, where, "nothing", true, node=node)
            continue
        # Written so that what is no number is never the same.
        if not abs(claim.length_m - length_m) <= SAME_M:
            case.report(Kind.LENGTH, where, f"{claim.length_m:.2f} m", f"{length_m:.2f} m", node=node)
        if not abs(claim.loss_db - loss_db) <= SAME_DB:
            case.report(Kind.LOSS, where, f"{claim.loss_db:.2f} dB", f"{loss_db:.2f} dB", node=node)


def path_loss_db(case: Case, path: Path, length_m: float) -> float:
    """What is lost at most, without the margin."""
    optics = case.optics
    connectors = sum(joint.is_connector for joint in path.joints)
    return (
        length_m / 1000 * optics.worst_db_per_km(case.architecture.optical_class)
        + (len(path.joints) - connectors) * optics.splice.loss_db
        + connectors * optics.connector.loss_db
        + sum(optics.splitter[splitter.ratio].loss_db for splitter in path.splitters)
    )


def _claims(case: Case, paths: list[Path]) -> dict[tuple[int, int], Claim]:
    """What is said of each path; reports what is said of none, or twice."""
    claims: dict[tuple[int, int], Claim] = {}
    known = {(path.premises, path.socket) for path in paths}
    for claim in case.statement.paths:
        key = claim.premises, claim.socket
        if key in claims or key not in known:
            true = "said already" if key in claims else "no such path"
            where = f"premises {claim.premises}, socket {claim.socket}"
            case.report(Kind.PATH_UNFOUNDED, where, f"{claim.length_m:.2f} m, {claim.loss_db:.2f} dB", true)
        claims.setdefault(key, claim)
    return claims


def _check_bounds(case: Case, path: Path, length_m: float, loss_db: float) -> None:
    node, where = case.premises_node[path.premises], path.named(case)
    architecture, optics = case.architecture, case.optics
    bounds = optics.classes[architecture.optical_class]
    behind = [(cable, stretch) for cable, _, stretch in path.stretches if cable.role is not Role.FEEDER]
    # Point to point there may be no feeder, and no cabinet to measure from.
    is_parted = any(cable.role is Role.FEEDER for cable in path.cables)
    distribution_m = sum(case.stretch_m(*stretch) for stretch in behind) if is_parted else 0.0
    drop_m = sum(case.stretch_m(*stretch) for stretch in behind if stretch[0].role is Role.DROP)
    for kind, found_m, most_m in (
        (Kind.WAY_TOO_LONG, length_m, min(architecture.longest_way_m, bounds.longest_m)),
        (Kind.DISTRIBUTION_TOO_LONG, distribution_m, architecture.longest_distribution_m),
        (Kind.DROP_TOO_LONG, drop_m, architecture.longest_drop_m),
    ):
        if found_m > most_m + _ROUNDING:
            case.report(kind, where, f"at most {most_m:g} m", f"{found_m:.2f} m", node=node)
    if loss_db + optics.margin_db > bounds.most_loss_db + _ROUNDING:
        claimed = f"at most {bounds.most_loss_db:g} dB with a margin of {optics.margin_db:g}"
        case.report(Kind.LOSS_OVER, where, claimed, f"{loss_db + optics.margin_db:.2f} dB", node=node)
    if loss_db < bounds.least_loss_db - _ROUNDING:
        claimed = f"at least {bounds.least_loss_db:g} dB"
        case.report(Kind.LOSS_UNDER, where, claimed, f"{loss_db:.2f} dB", node=node)
