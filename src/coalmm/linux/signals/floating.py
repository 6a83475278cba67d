"""The state of x87 and SSE as `fxsave` lays it out (Intel SDM 1, 10.5.1): 512 bytes.

    0 FCW, FSW, abridged tag, FOP    24 MXCSR, mask    32 ST0..7 (16 bytes each)    160 XMM0..15
"""

import struct

from coalmm.typed import Any

FXSAVE_SIZE = 512
MXCSR_MASK = 0xFFFF


def save_floating(engine: Any) -> bytes:
    """The running CPU's floating-point registers."""
    read, number = engine.emulator.reg_read, engine.form.numbers
    tags = read(number["fptag"])
    abridged = sum(1 << n for n in range(8) if tags >> 2 * n & 3 != 3)
    head = struct.pack("<HHBxH", read(number["fpcw"]), read(number["fpsw"]), abridged, 0).ljust(24, b"\0")
    head += struct.pack("<II", read(number["mxcsr"]), MXCSR_MASK)
    for n in range(8):
        mantissa, exponent = read(number[f"fp{n}"])
        head += struct.pack("<QH6x", mantissa, exponent)
    for n in range(16):
        if f"xmm{n}" in number:
            head += read(number[f"xmm{n}"]).to_bytes(16, "little")
    return head.ljust(FXSAVE_SIZE, b"\0")


def restore_floating(engine: Any, image: bytes) -> None:
    """Set them from 512 bytes, which a program may have changed in any way."""
    write, number = engine.emulator.reg_write, engine.form.numbers
    control, status, abridged = struct.unpack_from("<HHB", image)
    tags = sum((0 if abridged >> n & 1 else 3) << 2 * n for n in range(8))
    for n in range(8):
        mantissa, exponent = struct.unpack_from("<QH", image, 32 + 16 * n)
        write(number[f"fp{n}"], (mantissa, exponent))
    write(number["fpcw"], control)
    write(number["fpsw"], status)
    write(number["fptag"], tags)
    write(number["mxcsr"], struct.unpack_from("<I", image, 24)[0] & MXCSR_MASK)
    for n in range(16):
        if f"xmm{n}" in number:
            write(number[f"xmm{n}"], int.from_bytes(image[160 + 16 * n : 176 + 16 * n], "little"))
