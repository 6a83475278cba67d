"""The bench writes its table into the README, and nowhere else."""

import pytest

from bench import table
from machines import PROJECT


def test_the_readme_has_a_place_for_the_table_and_keeps_the_rest(tmp_path):
    readme = tmp_path / "README.md"
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    readme.write_text(text, encoding="utf-8")
    table.write_readme(readme, "| new |")
    before, _, after = readme.read_text(encoding="utf-8").partition(f"{table.BEGIN}\n| new |\n{table.END}")
    assert before == text.partition(table.BEGIN)[0]
    assert after == text.partition(table.END)[2] != ""


def test_a_file_without_a_place_for_it_is_refused_and_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for the table"):
        table.write_readme(readme, "| new |")
    assert readme.read_text(encoding="utf-8") == "nothing"
