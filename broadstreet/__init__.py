"""Broadstreet: the smart-city platform that begins with the network.

A device's message comes in through a `gateway`, is kept in the `log` before it is acknowledged, becomes a reading in
the `recorder`, and stands from then on in the `store`, where the APIs, the portal and later rules find it. Each folder
here is a room, and its `__init__` says how the room works. Imports go down only, in the order that `.importlinter`
lists and docs/architecture.md draws; what two rooms of one line have to say to each other they say through the log.
"""
