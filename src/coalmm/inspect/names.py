"""Names that others chose, made safe to print: one line, no control bytes, unambiguous."""


def printable(name: str, escape: str = "") -> str:
    """`name` with each character that is not printable, or is in `escape`, as \\xNN; a backslash doubled.

    Characters past U+00FF become \\uNNNN or \\UNNNNNNNN. What is printed can be turned back.
    """
    return "".join(_escaped(letter, escape) for letter in name)


def _escaped(letter: str, escape: str) -> str:
    if letter == "\\":
        return "\\\\"
    if letter.isprintable() and letter not in escape:
        return letter
    code = ord(letter)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
