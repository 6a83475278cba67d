"""libcoalmm.so, the machine of this project as a C library, passes its own kit."""

import pytest

from coalmm.c import INCLUDE_FOLDER, LIBRARY
from coalmm.check.functions import FUNCTIONS
from coalmm.check.kit import Options, check_target
from coalmm.check.result import PASS, SKIP

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="libcoalmm.so is built with the compiled modules only")
TOML = f"""
library = "{LIBRARY}"
include = ["{INCLUDE_FOLDER}"]
headers = ["coalmm.h"]
prelude = "static size_t heap_free(void) {{ buddy_stats_t stats; buddy_get_stats(&stats); return stats.free_bytes; }}"
init = 'coalmm_boot("ram=RAM");'
physical = "coalmm_phys_to_virt(paddr)"
fail_nth = "coalmm_fail_nth(n);"
buddy_free_bytes = "heap_free()"
"""


def check(tmp_path, ram, **options):
    """The report on the library with this much RAM, in which nothing failed."""
    (tmp_path / "check.toml").write_text(TOML.replace("=RAM", f"={ram}"))
    report = check_target(tmp_path, Options(seconds=1.0, seed=1, strict=True, **options))
    assert [(result.check, result.message) for result in report.results if result.status not in (PASS, SKIP)] == []
    return report


def test_every_check_passes_and_few_are_skipped(tmp_path):
    report = check(tmp_path, "8M")
    assert report.present == set(FUNCTIONS)
    skipped = [(result.check, result.message) for result in report.of(SKIP) if "`flush`" not in result.message]
    assert len(skipped) <= 2, skipped  # and what needs a TLB: this library's is not the CPU's


def test_what_depends_on_the_size_of_ram_passes_with_more(tmp_path):
    check(tmp_path, "64M", only=("random", "frames", "buddy"))
