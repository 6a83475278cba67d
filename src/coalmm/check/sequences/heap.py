"""The buddy heap, where the kit has to make it."""

from coalmm.check.protocol import Ref
from coalmm.check.recording import Recording
from coalmm.check.traits import Traits

ALIGN = 16 << 20  # of its start: that of the largest block


def make_heap(recording: Recording, traits: Traits) -> None:
    """Call buddy_init with memory of the kit between guard pages, if the target waits for it."""
    if not traits.buddy_ready and not recording.has_heap:
        recording.has_heap = True
        heap = recording.add("region", traits.buddy_heap, ALIGN)
        recording.add("buddy_init", Ref(heap.out), traits.buddy_heap)
