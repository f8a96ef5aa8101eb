"""Context information: NGSI-LD's meaning (ETSI GS CIM 009 V1.8.1), without HTTP.

Documents come in as JSON values under an @context (`Library`, `Vocabulary`) and become fragments (`parse_entity` and
its kin) or selections (`Selection`); `Broker` carries out the operations for a `Principal`; rows come out, and a
`Presentation` shows them. Read one write with decision.py, which says what each operation does, and writing.py, which
writes it down; read one query with query_language.py and predicate.py, which make SQL of it.

What must always hold: an attribute is a series with a value now and a past, and every write adds to both in one
transaction with its origin and its change for the outbox; attributes are locked in series order; a deletion is a
tombstone; no value of a request becomes text of a query; nothing is fetched from elsewhere; whatever has a size has a
bound (bounds.py).
"""

from broadstreet.context.batch import BatchError, BatchOperation, BatchOutcome
from broadstreet.context.broker import Broker, Found, FoundEvolutions
from broadstreet.context.contexts import ContextKind, Contexts, KeptContext
from broadstreet.context.decision import Decision, Untouched
from broadstreet.context.discovery import AttributeUse, TypeUse
from broadstreet.context.document import Nulls, parse_attribute, parse_entity, parse_evolution, parse_fragment
from broadstreet.context.evolution import Evolution, Portion, Summary
from broadstreet.context.fragment import AttributeFragment, EntityFragment
from broadstreet.context.georel import GeoQuery, parse_coordinates, parse_georel
from broadstreet.context.instances import TemporalQuery, TimeProperty
from broadstreet.context.linking import Join, JoinForm, Linked, present
from broadstreet.context.members import Members, links_deep, parse_members, render_members, split_members
from broadstreet.context.ordering import Criterion, check_collation, parse_order
from broadstreet.context.query_language import parse_query, render_query
from broadstreet.context.reaping import Reaper
from broadstreet.context.representation import EntityRow, Form, Presentation, Projection
from broadstreet.context.scope import parse_scope_query
from broadstreet.context.selection import Selection, Selector, parse_types
from broadstreet.context.subscription import parse_subscription, parse_update
from broadstreet.context.subscription_representation import Subscription, SubscriptionPresentation
from broadstreet.context.subscriptions import FoundSubscriptions, Subscriptions
from broadstreet.context.temporal_representation import TemporalForm, TemporalPresentation
from broadstreet.context.vocabulary import CORE, Library, Vocabulary
from broadstreet.context.written_search import WrittenPage

__all__ = [
    "CORE",
    "AttributeFragment",
    "AttributeUse",
    "BatchError",
    "BatchOperation",
    "BatchOutcome",
    "Broker",
    "ContextKind",
    "Contexts",
    "Criterion",
    "Decision",
    "EntityFragment",
    "EntityRow",
    "Evolution",
    "Form",
    "Found",
    "FoundEvolutions",
    "FoundSubscriptions",
    "GeoQuery",
    "Join",
    "JoinForm",
    "KeptContext",
    "Library",
    "Linked",
    "Members",
    "Nulls",
    "Portion",
    "Presentation",
    "Projection",
    "Reaper",
    "Selection",
    "Selector",
    "Subscription",
    "SubscriptionPresentation",
    "Subscriptions",
    "Summary",
    "TemporalForm",
    "TemporalPresentation",
    "TemporalQuery",
    "TimeProperty",
    "TypeUse",
    "Untouched",
    "Vocabulary",
    "WrittenPage",
    "check_collation",
    "links_deep",
    "parse_attribute",
    "parse_coordinates",
    "parse_entity",
    "parse_evolution",
    "parse_fragment",
    "parse_georel",
    "parse_members",
    "parse_order",
    "parse_query",
    "parse_scope_query",
    "parse_subscription",
    "parse_types",
    "parse_update",
    "present",
    "render_members",
    "render_query",
    "split_members",
]
