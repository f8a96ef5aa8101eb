"""Whether light passes what the architecture has, in its order: stages of splitters, kinds of cables, connectors."""

from __future__ import annotations

from broadstreet.network.design import Cable, Fibre, Joint, Role, Site, SiteKind, Splitter
from broadstreet.network.ground.architecture import Kind as Architectures
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path


def check_roles(case: Case, paths: list[Path]) -> None:
    stages = list(range(len(case.architecture.splitters)))
    for path in paths:
        node, where = case.premises_node[path.premises], path.named(case)
        passed = [splitter.stage for splitter in path.splitters]
        if passed != stages:
            case.report(Kind.STAGES, where, f"the stages {passed}", f"{stages}, each once", node=node)
        connectors = sum(joint.is_connector for joint in path.joints)
        wanted = min(case.architecture.connectors, sum(not is_fused(case, joint) for joint in path.joints))
        if connectors != wanted:
            case.report(Kind.CONNECTORS, where, f"{connectors} connectors", wanted, node=node)
        for joint in path.joints:
            if joint.is_connector and is_fused(case, joint):
                claimed = f"a connector between fibres in closure {joint.site}"
                case.report(Kind.CONNECTOR_PLACE, where, claimed, "a splice", node=case.sites[joint.site].node)
        for cable in _out_of_role(case, path):
            true = "feeders come before the first splitter or cabinet, distribution cables behind it, a drop last"
            case.report(Kind.ROLE, where, f"cable {cable.id} is a {cable.role} cable there", true, node=node)


def is_fused(case: Case, joint: Joint) -> bool:
    """Whether a joint cannot be a connector: of two fibres, in a closure."""
    are_fibres = isinstance(joint.a, Fibre) and isinstance(joint.b, Fibre)
    return are_fibres and case.sites[joint.site].kind is SiteKind.CLOSURE


def _out_of_role(case: Case, path: Path) -> list[Cable]:
    """In a PON the first splitter parts feeders from distribution cables, point to point the first cabinet, if any."""
    is_pon = case.architecture.kind is Architectures.PON
    is_parted = False
    passed: set[Role] = set()
    wrong = []
    for step in path.steps:
        if isinstance(step, Splitter):
            is_parted = is_parted or is_pon
        elif isinstance(step, Site):
            is_parted = is_parted or (not is_pon and step.kind is SiteKind.CABINET)
        else:
            is_right = {
                Role.FEEDER: not is_parted and Role.DISTRIBUTION not in passed,
                Role.DISTRIBUTION: is_parted or (not is_pon and Role.FEEDER not in passed),
                Role.DROP: step is path.cables[-1],
            }
            passed.add(step.role)
            if not is_right[step.role]:
                wrong.append(step)
    return wrong
