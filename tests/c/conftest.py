import pytest
from c_programs import Results


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """C test programs, each compiled and run once."""
    return Results(tmp_path_factory.mktemp("c"))
