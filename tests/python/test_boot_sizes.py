"""A machine that cannot be had is refused with what was asked for."""

import pytest

import coalmm
from coalmm.inspect.zones import slabinfo_text


@pytest.mark.parametrize(
    ("ram", "named"),
    [("1K", "'1K'"), (64, "64 bytes"), (0, "0 bytes"), (-1, "-1 bytes"), ("100T", "'100T'"), (10**30, "0 bytes")],
)
def test_ram_of_no_machine_is_refused_by_the_name_that_was_given(ram, named):
    with pytest.raises(ValueError, match=f"^RAM of .*{named}: from 1 MiB to 64 TiB can be had"):
        coalmm.boot(ram=ram)


def test_a_refused_boot_leaves_the_current_machine():
    with coalmm.boot(ram="1M") as kernel:
        with pytest.raises(ValueError, match="RAM of 64 bytes"):
            coalmm.boot(ram=64)
        assert coalmm.current.get() is kernel


def test_names_in_slabinfo_are_single_words(kernel):
    kernel.processes.create("shell")
    rows = slabinfo_text(kernel).splitlines()[2:]
    assert "mm_struct" in [row.split()[0] for row in rows]
    assert all(row.split()[1].isdigit() and "\\" not in row for row in rows)
    kernel.processes.find(1).exit()
