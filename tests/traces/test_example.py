"""The trace that ships with the project reads to the same columns, bit for bit, in both modes."""

import hashlib
from pathlib import Path

from coalmm.traces import open_trace
from coalmm.traces.chunk import Chunk

EXAMPLE = Path(__file__).parents[2] / "examples" / "count_words.mtrace.xz"
DIGEST = "d5019955aaa89d9dd50a9dd27925963291a7c02c22d20855194d9aab62c6e93c"


def test_the_columns_of_the_example_are_the_ones_known() -> None:
    digest = hashlib.sha256()
    with open_trace(EXAMPLE) as trace:
        for chunk in trace.chunks():
            for name in Chunk.__slots__:
                digest.update(getattr(chunk, name).tobytes())
    assert trace.recorder.lines == 51_659
    assert trace.recorder.unknown_frees == trace.recorder.lost_frees == trace.recorder.other_lines == 0
    assert len(trace.sites) > 200
    assert digest.hexdigest() == DIGEST
