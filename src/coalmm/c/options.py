"""The options of coalmm_boot: "ram=64M paging=x86_64 debug", words with spaces or commas between them."""

from dataclasses import dataclass

from coalmm.hardware.formats import FORMATS, EntryFormat
from coalmm.kernel import machine_size

WORDS = "ram=SIZE, paging=MODE, debug, noheap and track"


@dataclass
class Options:
    """What a machine is booted with."""

    ram: int = 64 << 20
    paging: str = "i386"
    debug: bool = False
    heap: bool = True
    track: bool = False

    @property
    def form(self) -> EntryFormat:
        """The paging mode."""
        return FORMATS[self.paging]


def parse(text: str) -> Options:
    """The options in a string of words; ValueError names the one that is wrong."""
    options = Options()
    for word in text.replace(",", " ").split():
        name, has_value, value = word.partition("=")
        if name == "ram" and has_value:
            options.ram = machine_size(value)
        elif name == "paging" and has_value:
            if value not in FORMATS:
                raise ValueError(f"no paging mode {value!r}; there are {', '.join(FORMATS)}")
            options.paging = value
        elif word == "debug":
            options.debug = True
        elif word == "noheap":
            options.heap = False
        elif word == "track":
            options.track = True
        else:
            raise ValueError(f"no option {word!r}; there are {WORDS}")
    return options
