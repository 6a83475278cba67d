"""Where the programs of these tests are made, and the file that they map."""

import pytest
from compare import CONTENT


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path
