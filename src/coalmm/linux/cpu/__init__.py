"""The CPU that programs run on: Unicorn's instructions, our page walk as the MMU.

    library    Unicorn's functions by address, so that compiled code calls them without Python between
    code       frames that hold translated instructions: which ones, and whether they are still the same
    fill       answers a miss of the emulator's TLB from the page tables, after the fault handler
    engine     one emulated CPU: registers, run, stop
    hooks      what the emulator calls back
"""
