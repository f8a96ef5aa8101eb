"""Every check, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broadstreet.network.design import Statement
from broadstreet.network.ground import Architecture, Ground, Optics, check_architecture
from broadstreet.network.proof.bill import check_bill
from broadstreet.network.proof.bound import check_bound
from broadstreet.network.proof.capacity import check_capacity
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.choice import check_choice
from broadstreet.network.proof.ends import check_ends
from broadstreet.network.proof.finding import Finding, FindingKind
from broadstreet.network.proof.light import Path, check_light
from broadstreet.network.proof.lines import check_lines
from broadstreet.network.proof.optical import check_paths
from broadstreet.network.proof.pieces import check_pieces
from broadstreet.network.proof.programme import check_programme
from broadstreet.network.proof.quantities import first_lit
from broadstreet.network.proof.roles import check_roles
from broadstreet.network.proof.routes import check_routes
from broadstreet.network.proof.second import check_second


@dataclass(frozen=True, slots=True)
class Examined:
    """A statement looked through. paths: the way of light to every socket that has one, as it was walked. lit: for
    every site, splitter and cable (by id) and every joint the phase of the earliest light through it."""

    findings: tuple[Finding, ...]
    paths: tuple[Path, ...]
    lit: Mapping[object, int]


def prove(statement: Statement, ground: Ground, architecture: Architecture, optics: Optics) -> list[Finding]:
    """What is wrong with the statement; empty: it is proved. Of another ground than this one nothing more is checked.

    Raises InvalidInput where the architecture asks for what has no price, no loss or no class.
    """
    return list(examine(statement, ground, architecture, optics).findings)


def examine(statement: Statement, ground: Ground, architecture: Architecture, optics: Optics) -> Examined:
    """What is wrong with the statement, as `prove` finds it, and the ways of light that were walked to find it."""
    check_architecture(architecture, ground.catalogue, optics)
    case = Case(statement, ground, architecture, optics)
    if statement.design.ground != ground.digest:
        case.report(FindingKind.GROUND, "the design", statement.design.ground, ground.digest)
        return Examined(tuple(case.found), (), {})
    check_pieces(case)
    check_routes(case)
    check_lines(case)
    check_ends(case)
    paths = check_light(case)
    check_roles(case, paths)
    check_paths(case, paths)
    check_second(case, paths)
    check_capacity(case, paths)
    check_bill(case, paths)
    check_bound(case)
    check_choice(case)
    check_programme(case, paths)
    return Examined(tuple(case.found), tuple(paths), first_lit(case, paths))
