"""Unix sockets: pairs, names, descriptors on their way. Native and ours are equal; below `--write`, too."""

import pytest
from guests import PAGING, assert_same, program


@pytest.mark.parametrize(("flavour", "writable"), [("64", []), ("32", []), ("64", ["/tmp"])])
def test_sockets_are_those_of_linux(flavour, writable):
    ours = assert_same([program("sockets", flavour)], paging=PAGING[flavour], writable=writable)
    assert not ours.unknown
