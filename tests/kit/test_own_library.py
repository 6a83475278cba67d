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


@pytest.fixture(scope="module", params=["8M", "16M", "64M"])
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    (folder / "check.toml").write_text(TOML.replace("=RAM", f"={request.param}"))
    return check_target(folder, Options(seconds=2.0, seed=1, strict=True))


def test_every_check_passes(report):
    assert [(result.check, result.message) for result in report.results if result.status not in (PASS, SKIP)] == []


def test_every_function_is_there(report):
    assert report.present == set(FUNCTIONS)


def test_few_checks_are_skipped(report):
    assert len(report.of(SKIP)) <= 2, [(result.check, result.message) for result in report.of(SKIP)]
