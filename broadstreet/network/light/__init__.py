"""The way of light through a design: from each socket back to its port, as joints are written down.

In come the ground and a design's sites, cables and joints; out come `Ray`s, one for each socket that is joined, and
what light loses on its way. The design is one that was proved, or that the planner has just made: every end is there,
and every socket has one path to one port. Whoever plans, shows, offers or values a network reads it here; the checker,
which must find out whether there is a path at all, has a reader of its own and does not know this one. `Phasing` says
by the end of which phase each piece is lit.
"""

from broadstreet.network.light.loss import loss_db
from broadstreet.network.light.phasing import Passing, Phasing, passings
from broadstreet.network.light.ray import Light, Ray, Span

__all__ = ["Light", "Passing", "Phasing", "Ray", "Span", "loss_db", "passings"]
