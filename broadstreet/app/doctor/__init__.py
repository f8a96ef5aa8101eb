"""The doctor: looks at everything that a house stands on, and says of each what is wrong and what to do.

In come the settings; out come findings, each `ok`, `warn` or `wrong`, in words. It changes nothing and starts nothing:
what needs the engines is looked at where the house runs. A check is a function that yields findings; what it cannot
look at is a finding, too.
"""

from broadstreet.app.doctor.examination import examine
from broadstreet.app.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
