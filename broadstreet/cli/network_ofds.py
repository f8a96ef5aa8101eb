"""`broadstreet network ofds …`: networks by the Open Fibre Data Standard, looked at and converted."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from broadstreet.cli.console import console

if TYPE_CHECKING:
    from broadstreet.network.ofds import Conversion, Report, Survey

EXIT_FAULTY: Final = 1
SHOWN_NETWORKS: Final = 10
SHOWN_FAULTS: Final = 3
SHOWN_MENDS: Final = 5

app = typer.Typer(help="Networks by the Open Fibre Data Standard 0.4.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A package, JSON Lines, a network, GeoJSON or GeoPackage.")]
Other = Annotated[
    Path | None, typer.Option("--with", metavar="FILE", help="The other file of a GeoJSON pair: its nodes, or spans.")
]


class To(StrEnum):
    """What a file is converted to."""

    JSON = "json"
    JSONL = "jsonl"
    GEOJSON = "geojson"
    GPKG = "gpkg"


@app.command()
def check(
    file: File,
    other: Other = None,
    list_all: Annotated[
        bool, typer.Option("--all", help="List every fault, in place of the first of each kind.")
    ] = False,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="Write where the faults are, as GeoJSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it all as JSON.")] = False,
) -> None:
    """Say what a file of networks holds, and what is wrong with it. Status 1 if anything breaks the standard."""
    import msgspec

    from broadstreet.network.ofds import fault_map, report, write_json

    found = report(*given(file, other))
    if map_file is not None:
        write_json(map_file, fault_map(found.faults))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        say(found, list_all=list_all)
    if found.violations:
        raise typer.Exit(EXIT_FAULTY)


@app.command()
def convert(
    file: File,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; of GeoJSON, how both names begin.")],
    to: Annotated[To, typer.Option("--to", help="What to write.")],
    other: Other = None,
    as_it_is: Annotated[bool, typer.Option("--as-it-is", help="Mend nothing.")] = False,
) -> None:
    """Write networks in another form, mended where that is sure. Status 1 if what is written breaks the standard."""
    from broadstreet.network.ofds import Target
    from broadstreet.network.ofds import convert as convert_file

    made = convert_file(given(file, other), Target(to.value), out, is_as_it_is=as_it_is)
    say_made(made)
    if made.violations:
        raise typer.Exit(EXIT_FAULTY)


@app.command()
def draw(
    file: File,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The page to write, as HTML.")],
    other: Other = None,
) -> None:
    """Draw networks on a page: a map of nodes and spans, and tables of them beside it."""
    from broadstreet.network.ofds import read_package
    from broadstreet.network.papers import write_map_page

    package, _ = read_package(*given(file, other))
    write_map_page(out, package.networks, file.name)
    line(f"{counted(len(package.networks), 'network')} drawn in {out}")


def given(file: Path, other: Path | None) -> tuple[Path, ...]:
    """The files to read."""
    return (file,) if other is None else (file, other)


def say(found: Report, *, list_all: bool) -> None:
    """What a file holds and what is wrong with it, in words."""
    line(f"{found.form}, {counted(found.networks, 'network')}")
    for one in found.surveys[:SHOWN_NETWORKS]:
        say_network(one)
    if found.networks > SHOWN_NETWORKS:
        line(f"and {found.networks - SHOWN_NETWORKS:,} more networks")
    for status, length_m in sorted(found.length_m.items()):
        line(f"{length_m / 1000:>12,.1f} km {status if status != 'not given' else 'of which no status is given'}")
    line(f"{counted(found.violations, 'violation')} of the standard, {counted(found.advices, 'piece')} of advice")
    for kind, count in found.counts.items():
        faults = [fault for fault in found.faults if fault.kind is kind]
        shown = faults if list_all else faults[:SHOWN_FAULTS]
        line(f"\n{kind.severity}: {kind} ({count:,}). {faults[0].remedy}")
        for fault in shown:
            line(f"  {fault.path}: {fault.what}")
        if count > len(shown):
            line(f"  and {count - len(shown):,} more")


def say_network(one: Survey) -> None:
    """What a network holds, in words."""
    held = {"node": one.nodes, "span": one.spans, "phase": one.phases, "organisation": one.organisations}
    held["contract"] = one.contracts
    line(f"{one.name}: {', '.join(counted(count, noun) for noun, count in held.items())}")
    for count, noun, words in (
        (one.straight, "span", "without a route, drawn straight"),
        (one.without_course, "span", "with neither a route nor two nodes that have places, not drawn"),
        (one.without_place, "node", "without a place"),
    ):
        if count:
            line(f"  {counted(count, noun)} {words}")
    total_m = sum(one.length_m.values())
    if total_m - one.ways_m >= 1.0:
        line(f"  {total_m / 1000:,.1f} km in all; {one.ways_m / 1000:,.1f} km, what runs the same way counted once")


def counted(count: int, noun: str) -> str:
    """How many of what."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def say_made(made: Conversion) -> None:
    """What was written, in words."""
    for path in made.paths:
        line(f"{counted(made.networks, 'network')} in {path}")
    if made.mended:
        line(f"{made.mended:,} mended:")
        for one in made.mends[:SHOWN_MENDS]:
            line(f"  {one.path}: {one.what}")
        if made.mended > SHOWN_MENDS:
            line(f"  and {made.mended - SHOWN_MENDS:,} more")
    for name in made.left:
        line(f"Left out, since JSON Lines have no place for it: the package's {name}")
    if made.violations:
        line(f"What was written has {counted(made.violations, 'violation')} of the standard:")
        for fault in made.faults[:SHOWN_MENDS]:
            line(f"  {fault.path}: {fault.what}. {fault.remedy}")


def line(words: str) -> None:
    """One line, as it is."""
    console.print(words, soft_wrap=True, markup=False)
