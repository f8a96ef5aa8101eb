"""Certificates that the house asks for by itself, where it is online: ACME (RFC 8555), over HTTP-01.

In comes what the settings want (`wanted`): names, and whose word they are to have. Out goes one file of the data
folder, key and chain, which `app/tls.py` serves and looks at again when it is replaced. `Renewal` asks when two thirds
of a certificate's life are over; the authority looks for its answer at the port without TLS (`app/redirect.py`).

What must always hold: a certificate that works stays until a better one is there; an authority is never asked in a
hurry, however often the house is started; what went wrong is kept in words, for `/ready`, the doctor and the portal.
Until there is a first certificate, HTTPS is spoken with one that the house signed for itself.
"""

from broadstreet.app.acme.order import Answers, obtain
from broadstreet.app.acme.preparation import prepare_certificate
from broadstreet.app.acme.renewal import Renewal
from broadstreet.app.acme.shelf import Shelf, State
from broadstreet.app.acme.standing import Standing, check_certificate, standing, troubles
from broadstreet.app.acme.wanted import Wanted, wanted

__all__ = [
    "Answers",
    "Renewal",
    "Shelf",
    "Standing",
    "State",
    "Wanted",
    "check_certificate",
    "obtain",
    "prepare_certificate",
    "standing",
    "troubles",
    "wanted",
]
