"""Every row of the bench runs, at its smallest size, and comes out as a number that can be a ratio.

The bench always measures the compiled modules, so it is tested in that mode.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

import coalmm

ROOT = Path(__file__).resolve().parents[2]
REPLAYS = {"replay-small", "c-replay-small", "footprint-small"}
ROWS = {"pair", "c-pair", "frames", "boot", "walks", "clone", "fault", "tlb", "fork", "programs", "start"} | REPLAYS

pytestmark = pytest.mark.skipif(coalmm.MODE != "compiled", reason="the bench measures the compiled modules only")


def small_trace() -> str:
    """An mtrace log of 300 blocks, every third resized, all but ten freed; one free of nothing."""
    lines = ["= Start"]
    for number in range(300):
        lines.append(f"@ [0x401000] + {0x5000 + number * 64:#x} {1 + number * 37 % 5000:#x}")
        if number % 3 == 0:
            lines += [f"@ [0x401000] < {0x5000 + number * 64:#x}", f"@ [0x401000] > {0x5000 + number * 64:#x} 0x90"]
    lines += [f"@ [0x401000] - {0x5000 + number * 64:#x}" for number in range(290)]
    return "\n".join([*lines, "@ [0x401000] - 0x1234", "= End", ""])


@pytest.fixture
def report(tmp_path: Path) -> dict:
    """The report of `python -m bench --tiny` on a small trace."""
    (tmp_path / "small.mtrace").write_text(small_trace())
    path = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--tiny", "--traces", str(tmp_path), "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(path.read_text())


def test_every_row_ran_and_its_ratio_is_finite_and_positive(report: dict) -> None:
    assert report["failures"] == {}
    assert {result["row"] for result in report["results"]} == ROWS
    for result in report["results"]:
        if result["verdict"] == "not measured":
            assert "not installed" in result["figures"] or "not available: under Qiling" in result["figures"]
        else:
            assert math.isfinite(result["value"]), result
            assert result["value"] > 0, result
