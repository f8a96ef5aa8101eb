"""The checker: whether what is claimed of a design is true, found out anew from the definitions alone.

In comes a `Statement` with its ground, architecture and optics; out come `Finding`s, each with its kind, its place,
what was claimed and what is true; none: it is proved. It shares no code with the optimiser or `network/plan`, and
imports neither: it knows the words of a design, the ground's values, and what they are defined to mean. Everything is
counted again from the pieces, by walking along them: ways, cables, fibres, joints.

What must always hold: nothing that a statement says can stop it (rows that are not there, ids that nothing has, pieces
that do not fit are findings); equal statements give equal findings. It does not judge whether a cheaper design exists.
"""

from broadstreet.network.proof.finding import Finding, FindingKind
from broadstreet.network.proof.light import Path
from broadstreet.network.proof.proving import Examined, examine, prove

__all__ = ["Examined", "Finding", "FindingKind", "Path", "examine", "prove"]
