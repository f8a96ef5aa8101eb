"""The checker of a choice of sites: whether what is claimed is true, found out anew from the definitions alone.

In comes a `SitingStatement` with its `SitingCase`; out come `Finding`s; none: it is proved. It shares the words of both
and no reckoning with what chooses sites: ways are swept where that searches, months are discounted one by one, kriging
is solved whole for every prefix of the sites, and bounds are reckoned from their certificates. import-linter holds it
to that.
"""

from broadstreet.network.siting.proof.finding import Finding, FindingKind
from broadstreet.network.siting.proof.proving import prove

__all__ = ["Finding", "FindingKind", "prove"]
