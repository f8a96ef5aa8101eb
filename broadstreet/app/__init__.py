"""What runs where: the settings, and the roles of a house.

In come settings (`load`); out go running processes. `House` is the supervisor behind `broadstreet up`: engines, then
migrations, then one process a role (`python -m broadstreet.app.role NAME`), each started again when it dies. A role
composes rooms and holds no logic of its own. `Founding` makes a simulated city, `Demo` a house with one that lives.

What must always hold: a role says it is ready only when it serves; the house stops its roles before the engines they
need; and no process of a house outlives its supervisor, however that one ended.
"""

from broadstreet.app.settings import Settings, load

__all__ = ["Settings", "load"]
