"""`coalmm compare`: figures of reports side by side."""

import copy
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import coalmm
from coalmm.cli import main
from coalmm.comparison import compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "count_words.mtrace.xz"


@pytest.fixture(scope="module")
def report():
    """What `coalmm run --report X.json` writes of a small run."""
    with coalmm.boot(ram="32M", paging="x86_64") as kernel:
        kernel.spawn(["/bin/true"])
        kernel.run()
        return kernel.report()


def written(folder, **reports):
    """The paths of reports that were written there."""
    for name, report in reports.items():
        (folder / f"{name}.json").write_text(json.dumps(report))
    return [str(folder / f"{name}.json") for name in reports]


def changed(report):
    """The same run with more zero faults, another system call, and no `reclaimed`."""
    other = copy.deepcopy(report)
    other["faults"]["zero"] += 3
    other["calls"]["io_uring_setup"] = 2
    other["status"] = 1
    other["memory"].pop("reclaimed", None)
    return other


def printed(*arguments):
    result = CliRunner().invoke(main, ["compare", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(text):
    """The lines of a table by their first word."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:] if line}


def test_only_what_differs_is_shown_with_its_difference_to_the_first(tmp_path, report):
    paths = written(tmp_path, before=report, after=changed(report))
    text = printed(*paths)
    zero, faults, calls = report["faults"]["zero"], sum(report["faults"].values()), sum(report["calls"].values())
    assert text.splitlines()[0].split() == ["before", "after", "difference", "%"]
    assert rows(text) == {
        "status": ["0", "1"],
        "faults": [str(faults), str(faults + 3), "+3", f"{300 / faults:+.1f}"],
        "faults.zero": [str(zero), str(zero + 3), "+3", f"{300 / zero:+.1f}"],
        "memory.reclaimed": ["0", "-"],
        "calls": [str(calls), str(calls + 2), "+2", f"{200 / calls:+.1f}"],
        "calls.io_uring_setup": ["0", "2", "+2"],
    }


def test_each_further_report_is_compared_with_the_first(tmp_path, report):
    text = printed(*written(tmp_path, a=report, b=changed(report), c=changed(changed(report))))
    zero = report["faults"]["zero"]
    cells = [str(zero), str(zero + 3), "+3", f"{300 / zero:+.1f}", str(zero + 6), "+6", f"{600 / zero:+.1f}"]
    assert rows(text)["faults.zero"] == cells


def test_equal_reports_have_no_row_and_all_of_them_with_all(tmp_path, report):
    paths = written(tmp_path, a=report, b=report)
    assert printed(*paths) == "no figure differs\n"
    names = rows(printed("--all", *paths))
    assert {"program", "seconds*", "machine.ram", "faults.copy", "tlb.misses", "memory.frames.file"} <= set(names)
    assert names["processes"] == ["1", "1", "0", "+0.0"]
    assert not [name for name in names if name.startswith(("processes.", "faults_over_time"))]


def test_json_has_the_rows_as_numbers(tmp_path, report):
    paths = written(tmp_path, a=report, b=changed(report) | {"seconds": report["seconds"] + 1})
    result = json.loads(printed("--json", *paths))
    figures = {figure["name"]: figure for figure in result["figures"]}
    assert (result["kind"], result["reports"]) == ("run", paths)
    assert figures["seconds"]["host_time"] and not figures["faults"]["host_time"]
    assert figures["calls.io_uring_setup"] == {
        "name": "calls.io_uring_setup", "values": [0, 2], "differences": [2], "per_cent": [None], "host_time": False,
    }  # fmt: skip
    assert figures["memory.reclaimed"]["differences"] == [None]


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path, report):
    for name in "ab":
        (tmp_path / name).mkdir()
    paths = [path for name in "ab" for path in written(tmp_path / name, r=report)]
    assert printed("--all", *paths).split()[:2] == paths


def test_no_text_of_a_report_steers_the_terminal(tmp_path, report):
    other = copy.deepcopy(report) | {"program": ["a\x1b[2J\n\udc80"]}
    other["calls"]["\x1b]0;x\x07"] = 1
    text = printed(*written(tmp_path, a=report, b=other))
    assert "\x1b" not in text and "calls.\\x1b]0;x\\x07" in text
    assert len(text.splitlines()) == 4


def test_two_allocators_on_one_trace(tmp_path):
    paths = []
    for allocator in ("kmalloc", "buddy"):
        done = CliRunner().invoke(main, ["replay", "--json", "--allocator", allocator, str(EXAMPLE)])
        (tmp_path / f"{allocator}.json").write_text(done.stdout)
        paths.append(str(tmp_path / f"{allocator}.json"))
    kind, found = compare(paths)
    named = {row.name: row for row in found}
    assert kind == "replay"
    assert named["allocator"].values == ["kmalloc", "buddy"] and named["allocator"].differences == [None]
    assert named["events"].differences == [0]
    assert named["memory.peak_footprint_bytes"].differences[0] > 0
    assert named["classes.64.requests"].values[0] > 1000
    assert [name for name, row in named.items() if row.host_time] == [
        name for name in named if name.startswith("throughput.")
    ]
    assert not {"samples", "leaks", "classes.64.size"} & set(named)
