"""The table of addresses against a dict."""

from hypothesis import given
from hypothesis import strategies as st

from coalmm.traces.constants import NO_SLOT
from coalmm.traces.slots import Slots

# Few different addresses, some far apart, so that runs of the table collide and wrap.
ADDRESSES = st.sampled_from([1, 2**64 - 1] + [16 * n for n in range(1, 40)] + [n << 47 for n in range(1, 40)])


@given(st.lists(st.tuples(st.booleans(), ADDRESSES), max_size=300))
def test_the_table_is_a_dict_and_slots_of_live_blocks_differ(operations: list[tuple[bool, int]]) -> None:
    slots = Slots()
    model: dict[int, int] = {}
    for is_free, address in operations:
        if is_free:
            slot = slots.take(address)
            assert slot == model.pop(address, NO_SLOT)
            if slot != NO_SLOT:
                slots.release(slot)
        elif address not in model:
            model[address] = slots.fresh()
            slots.put(address, model[address])
        assert len(set(model.values())) == len(model)
        assert slots.live == len(model)
    for address in model:
        assert slots.find(address) == model[address]


def test_fifty_thousand_blocks_and_back() -> None:
    slots = Slots()
    for n in range(50_000):
        slots.put(0x5555_0000_0000 + 32 * n, slots.fresh())
    assert slots.next_slot == 50_000
    for n in range(50_000):
        slot = slots.take(0x5555_0000_0000 + 32 * n)
        assert slot == n
        slots.release(slot)
    assert slots.live == 0
    assert slots.fresh() == 49_999
