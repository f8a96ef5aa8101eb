"""The reader of `.gr` files: what it understands, and what it says of what it does not."""

from __future__ import annotations

import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser import read_pace

WHOLE = """
33D32945 STP File, STP Format Version 1.0
SECTION Comment
Name "small"
END
SECTION Graph
Nodes 4
Edges 4
# a remark
E 1 2 5
E 2 3 0
E 3 3 7
E 4 3 12
END
SECTION Terminals
Terminals 2
T 4
T 1
END
SECTION Tree Decomposition
s td 1 2 4
b 1 1 2
END
EOF
"""


def test_a_file_is_read() -> None:
    graph, terminals = read_pace(WHOLE)
    assert graph.vertices == 4
    assert list(zip(graph.left, graph.right, graph.cost, strict=True)) == [(0, 1, 5), (1, 2, 0), (3, 2, 12)]
    assert terminals.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("old", "new", "message", "where"),
    [
        ("E 1 2 5", "E 1 2", "should have 3 whole numbers", "x.gr, line 10"),
        ("E 1 2 5", "E 1 2 5.5", "should have 3 whole numbers", "x.gr, line 10"),
        ("E 1 2 5", "E 1 5 5", "Vertex 5 is not among 1 to 4", "x.gr, line 10"),
        ("E 1 2 5", "E 1 2 -5", "costs -5", "x.gr, line 10"),
        ("E 1 2 5", "A 1 2 5", "nothing that belongs into the section graph", "x.gr, line 10"),
        ("E 1 2 5", "E 1 2 5000000000000", "costs 5000000000000", "edge 0"),
        ("Nodes 4", "Nodes 99999999", "more than can be read", "x.gr, line 7"),
        ("Nodes 4", "", "is not among 1 to 0", "x.gr, line 10"),
        ("T 4", "T 0", "Vertex 0 is not among", "x.gr, line 17"),
        ("T 4\n", "", "announces 2, and has 1", "x.gr"),
        ("E 4 3 12\n", "", "announces 4, and has 3", "x.gr"),
        ("Terminals 2\nT 4\nT 1", "Terminals 0", "no terminal", "x.gr"),
        ("SECTION Terminals", "SECTION Nothing", "Of terminals it says nothing", "x.gr"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, message: str, where: str) -> None:
    assert old in WHOLE
    with pytest.raises(InvalidInput, match=message) as caught:
        read_pace(WHOLE.replace(old, new, 1), "x.gr")
    assert caught.value.where == where
    assert caught.value.remedy
