"""The notifier: tells whoever subscribed of what changed (5.8.6 of the standard).

In come records of changes, from CHANGES, in the order in which they were committed; out go notifications to receivers
over HTTP and MQTT. `Notifier(log, store, …).run()` does it until cancelled. Read it along one change: tenant.py reads
it, directory.py says who may be meant, matching.py who is, look.py what they are shown, delivering.py takes it there.

What must always hold: what a change means to somebody is written down in the transaction that moves the place up to
which changes are read, and goes only when it was delivered or given up, which is counted; a receiver is told of an
entity's changes in their order, and again until it has taken them; no receiver waits for another; whatever waits has a
bound; who subscribed before a change was made is told of it, and nobody of what changed before they subscribed.
"""

from broadstreet.notifier.carrying import Carriers
from broadstreet.notifier.meter import Meter, MeterReport
from broadstreet.notifier.notifier import Notifier

__all__ = ["Carriers", "Meter", "MeterReport", "Notifier"]
