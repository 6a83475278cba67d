"""A closed machine answers nothing, and the API does not act on another one unseen."""

import gc
import pydoc
import weakref

import pytest

import coalmm
from coalmm.api import frame_alloc, get_meminfo, kfree, kmalloc, meminfo_t, paging_map_page

USES = {
    "kmalloc": lambda kernel: kernel.kmalloc(10),
    "a layer": lambda kernel: kernel.frames.statistics(),
    "the memory": lambda kernel: kernel.memory[0xC0000000:0xC0000008],
    "a check": lambda kernel: kernel.validate(),
    "an image": lambda kernel: kernel.save("/nowhere"),
    "programs": lambda kernel: kernel.spawn(["/bin/true"]),
    "a run": lambda kernel: kernel.run(),
    "a report": lambda kernel: kernel.report(),
    "making it current": lambda kernel: kernel.make_current(),
}
CALLS = {
    "kmalloc": lambda: kmalloc(10),
    "kfree": lambda: kfree(0xC0300000),
    "frame_alloc": frame_alloc,
    "paging_map_page": lambda: paging_map_page(0x400000, 0x5000, 7),
    "get_meminfo": lambda: get_meminfo(meminfo_t()),
}


@pytest.mark.parametrize("use", USES)
def test_every_use_of_a_closed_machine_is_refused(use):
    kernel = coalmm.boot(ram="1M", paging="x86_64")
    kernel.kmalloc(10)
    kernel.close()
    with pytest.raises(coalmm.ClosedError, match="the machine is closed"):
        USES[use](kernel)
    assert kernel.closed


@pytest.mark.parametrize("call", CALLS)
def test_the_api_boots_no_machine_after_the_current_one_was_closed(call):
    with coalmm.boot(ram="1M"):
        pass
    with pytest.raises(coalmm.ClosedError, match=r"coalmm\.boot"):
        CALLS[call]()
    assert coalmm.current.get() is None


def test_the_api_goes_on_after_the_next_boot():
    coalmm.boot(ram="1M").close()
    with coalmm.boot(ram="2M") as kernel:
        kfree(kmalloc(10))
        assert coalmm.current.get() is kernel


def test_closing_another_machine_leaves_the_current_one():
    with coalmm.boot(ram="1M") as other, coalmm.boot(ram="1M"):
        other.close()
        assert kmalloc(10)


def test_closing_twice_is_closing_once():
    kernel = coalmm.boot(ram="1M")
    kernel.close()
    kernel.close()
    with pytest.raises(coalmm.ClosedError):
        kernel.frames  # noqa: B018


def test_a_read_only_machine_closes_too(tmp_path):
    with coalmm.boot(ram="1M") as kernel:
        kernel.save(tmp_path / "image")
    with coalmm.attach(tmp_path / "image", read_only=True) as looked_at:
        assert looked_at.frames.statistics().total
    with pytest.raises(coalmm.ClosedError):
        looked_at.frames  # noqa: B018


def test_a_closed_machine_gives_its_memory_back_to_the_host():
    kernel = coalmm.boot(ram="1M")
    ram = weakref.ref(kernel.memory)
    kernel.close()
    gc.collect()
    assert ram() is None and kernel.closed


def test_help_of_the_kernel_lists_the_names_of_the_document():
    text = pydoc.render_doc(coalmm.Kernel, renderer=pydoc.plaintext)
    document = {name for name in coalmm.api.__all__ if name.islower() and not name.endswith("_t")}
    listed = {name for name in document if f" |  {name}" in text}
    missing = document - listed
    assert all(name.startswith(("mem_", "get_", "frame_get_", "buddy_get", "mb", "rmb", "wmb")) for name in missing)
    assert "Free an allocation of kmalloc, kzalloc" in text
