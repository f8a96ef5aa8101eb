"""What stands at the end of the report: what was checked, how to make the plan again, the trade's words."""

from __future__ import annotations

from broadstreet.network.papers.dossier import Dossier, counted
from broadstreet.network.papers.markup import Markup, element
from broadstreet.network.papers.page import pairs, section
from broadstreet.network.papers.table import Row
from broadstreet.network.papers.words import WORDS
from broadstreet.network.proof import FindingKind


def checked(dossier: Dossier) -> Markup:
    told = (
        "A plan is not handed out unless a checker, which shares nothing with what planned it, finds nothing "
        "wrong. It read the "
        f"design as it is written down, walked {counted(len(dossier.paths), 'path')} of light from socket to "
        "port, measured and priced "
        f"everything again, and looked for {len(FindingKind)} kinds of fault: pieces and ways that are not "
        "there, cables and ducts that do "
        "not chain or are overfull, splitters and cabinets beyond their size, losses and lengths over the "
        "class, second ways that share "
        "a trench, a bill that is not what is built, a bound above what is spent. Nothing was found."
    )
    more = (
        "What it does not say: that the ground is the city (walk the streets before you dig), that prices "
        "hold, or that no plan "
        "could be cheaper by more than the bound tells."
    )
    return section("What was checked", element("p", told), element("p", more), id="checked")


def again(dossier: Dossier) -> Markup:
    architecture, ground, optics = dossier.architecture, dossier.ground, dossier.optics
    bounds = optics.classes[architecture.optical_class]
    plan: list[Row] = [
        ("Ground", f"{ground.digest}"),
        ("Made of", f"{len(ground.ways):,} ways, {len(ground.lon):,} nodes, {len(ground.premises):,} premises"),
        ("Faults of the ground", counted(len(ground.faults), "fault")),
        ("Catalogue of prices", f"{ground.catalogue.title} ({ground.catalogue.currency})"),
        ("Architecture", architecture.title),
        ("Kind", architecture.kind.value.replace("_", " ")),
        ("Splitters, from the office", ", ".join(f"1:{ratio}" for ratio in architecture.splitters) or "none"),
        ("Fibres for each customer", architecture.fibres_per_premises),
        ("Connectors on a path", architecture.connectors),
        ("Spare in feeders", f"{100 * architecture.spare_feeder:g} %"),
        ("Spare in distribution cables", f"{100 * architecture.spare_distribution:g} %"),
        ("Spare in cabinets", f"{100 * architecture.spare_cabinet:g} %"),
        (
            "Longest path, distribution, drop",
            _metres(architecture.longest_way_m, architecture.longest_distribution_m, architecture.longest_drop_m),
        ),
        ("Optics", optics.title),
        (
            "Class",
            f"{architecture.optical_class}: {bounds.least_loss_db:g} to {bounds.most_loss_db:g} dB ({bounds.source})",
        ),
        ("Margin for repairs and age", f"{optics.margin_db:g} dB"),
        ("Fibre, at worst", f"{optics.worst_db_per_km(architecture.optical_class):g} dB/km"),
        ("Splice, connector", f"{optics.splice.loss_db:g} dB, {optics.connector.loss_db:g} dB"),
        *((f"Splitter 1:{ratio}", f"{optics.splitter[ratio].loss_db:g} dB") for ratio in architecture.splitters),
        *((("Seed", dossier.imprint.seed),) if dossier.imprint.seed is not None else ()),
        *(
            (("Sought for at most", f"{round(dossier.imprint.seconds, 1):g} s"),)
            if dossier.imprint.seconds is not None
            else ()
        ),
    ]
    told = "The same ground, sheets and seed give the same plan, as long as the search is not ended by the clock."
    return section(
        "How to make it again", element("p", told), pairs("What it was made from", plan), id="again", whole=True
    )


def _metres(*lengths: float) -> str:
    return ", ".join(f"{length:,.0f} m" for length in lengths)


def words() -> Markup:
    told = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in WORDS.items()]
    return section("Words of the trade", element("dl", told, class_="words"), id="words", whole=True)
