"""How the harness judges figures, and what it does when a peer or a side is missing."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import peers, rows, table
from bench.result import Result
from bench.runner import Runner, Side, SideFailedError, ratio_of

RESULT = Result("row", "what", 1.0, 2.0, 1.5, "figures")


@pytest.mark.parametrize(
    ("value", "must", "aim", "strict", "verdict"),
    [
        (2.1, 2.0, 1.4, False, "missed"),
        (2.0, 2.0, 1.4, False, "ok"),
        (1.4, 2.0, 1.4, False, "aim"),
        (1.0, 1.0, None, True, "missed"),
        (0.9, 1.0, None, True, "ok"),
        (1.1, None, 1.0, True, "aim missed"),
        (5.0, None, None, False, "-"),
        (None, None, 1.0, True, "not measured"),
    ],
)
def test_verdict(value: float | None, must: float | None, aim: float | None, strict: bool, verdict: str) -> None:
    assert replace(RESULT, value=value, must=must, aim=aim, strict=strict).verdict() == verdict


def test_a_library_that_is_nowhere_is_not_installed() -> None:
    assert peers.find(peers.Peer("none", ("libcoalmm-none.so.9",), "install")).path == ""


def test_a_given_library_must_exist() -> None:
    with pytest.raises(FileNotFoundError, match="no library at"):
        peers.find(peers.PEERS[0], "/nowhere/libmimalloc.so")


def test_mimalloc_that_is_missing_keeps_its_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = tmp_path / "t.events"
    events.write_bytes(b"COALEV01" + (1).to_bytes(8, "little") * 7)
    monkeypatch.setattr(rows, "prepare", lambda trace: events)
    speed = rows.replay_rows(tmp_path / "t.mtrace", rows.SIZES["tiny"], [peers.PEERS[0]])[0]
    figures = {"net_ns": 2.0, "gross_ns": 3.0}
    missing = speed.conclude([{"glibc": figures, "coalmm": figures}])[1]
    assert missing.verdict() == "not measured"
    assert "apt-get install libmimalloc2.0" in missing.figures
    assert "not measured" in table.markdown([missing], {"date": "today"})


def test_a_side_that_fails_says_how() -> None:
    side = Side((sys.executable, "-c", "import sys; sys.exit('out of luck')"))
    with pytest.raises(SideFailedError, match="out of luck"):
        side.run()


def test_a_side_that_prints_no_figures_is_a_failure() -> None:
    with pytest.raises(SideFailedError, match="no figures"):
        Side((sys.executable, "-c", "print('hello')")).run()


def test_sides_run_in_turn() -> None:
    labels: list[str] = []
    side = Side((sys.executable, "-c", "print('{\"a\": 1}')"))
    Runner(2, labels.append).interleave("row", {"x": side, "y": side})
    assert labels == ["row: x, round 1", "row: y, round 1", "row: x, round 2", "row: y, round 2"]


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    rounds = [{"x": {"a": above}, "y": {"a": below}} for above, below in ((1.0, 1.0), (30.0, 10.0), (8.0, 4.0))]
    assert ratio_of(rounds, ("x", "a"), ("y", "a")) == 2.0


def test_a_ratio_of_nothing_is_a_failure() -> None:
    with pytest.raises(SideFailedError, match="too little"):
        ratio_of([{"x": {"a": 1.0}, "y": {"a": 0.0}}], ("x", "a"), ("y", "a"))
