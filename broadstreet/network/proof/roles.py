"""Whether light passes what the architecture has, in its order: stages of splitters, kinds of cables, connectors."""

from __future__ import annotations

from broadstreet.network.design import Cable, Role, SiteKind, Splitter
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
        wanted = min(case.architecture.connectors, len(path.joints))
        if connectors != wanted:
            case.report(Kind.CONNECTORS, where, f"{connectors} connectors", wanted, node=node)
        for cable in _out_of_role(case, path):
            true = "feeders come before the first splitter or cabinet, distribution cables behind it, a drop last"
            case.report(Kind.ROLE, where, f"cable {cable.id} is a {cable.role} cable there", true, node=node)


def _out_of_role(case: Case, path: Path) -> list[Cable]:
    """In a PON the first splitter parts feeders from distribution cables, point to point the first cabinet."""
    is_pon = case.architecture.kind is Architectures.PON
    is_behind = False
    wrong = []
    for step in path.steps:
        if isinstance(step, Cable):
            is_right = (step.role is Role.DISTRIBUTION) == is_behind
            if not (step is path.cables[-1] if step.role is Role.DROP else is_right):
                wrong.append(step)
        elif isinstance(step, Splitter):
            is_behind = is_behind or is_pon
        else:
            is_behind = is_behind or (not is_pon and step.kind is SiteKind.CABINET)
    return wrong
