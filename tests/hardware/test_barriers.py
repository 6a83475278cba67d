"""The barriers execute a fence; nothing else of them can be seen from one thread."""

import platform

import pytest

import coalmm
from coalmm.hardware import barriers, fences


@pytest.mark.parametrize("fence", [barriers.mb, barriers.rmb, barriers.wmb, fences.lock_fence])
def test_a_barrier_returns_nothing(fence):
    for _ in range(1000):
        assert fence() is None


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86 instructions")
def test_the_interpreted_mode_has_the_very_instructions_of_the_document():
    assert (fences.MFENCE.hex(), fences.LFENCE.hex(), fences.SFENCE.hex()) == ("0faef0", "0faee8", "0faef8")
    for fence in fences.machine_code_fences():
        fence()


@pytest.mark.skipif(
    coalmm.MODE != "compiled" or platform.machine() != "x86_64", reason="compiled x86 modules"
)
def test_the_compiled_module_holds_the_three_instructions():
    with open(barriers.__file__, "rb") as file:
        code = file.read()
    assert all(instruction in code for instruction in (fences.MFENCE, fences.LFENCE, fences.SFENCE))


def test_without_executable_pages_a_lock_fences(monkeypatch):
    monkeypatch.setattr(fences.platform, "machine", lambda: "riscv64")
    assert fences.choose_fences() == [fences.lock_fence] * 3
