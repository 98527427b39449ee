"""scripts/check_docs finds what it is there to find."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(tree, readme):
    """Runs check_docs over a tree with this README and one other document."""
    (tree / "docs").mkdir()
    (tree / "docs" / "tour.md").write_text("# A `short` tour, really\n", encoding="utf-8")
    (tree / "README.md").write_text(readme, encoding="utf-8")
    return subprocess.run([ROOT / "scripts" / "check_docs", tree], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("readme", [
    "[tour](docs/tour.md) [part](docs/tour.md#a-short-tour-really) [out](https://example.com/x)",
    "# Here\n[up](#here) `docs/tour.md` `docs/tour.md:1` `docs/NAME.md` is fine in `docs/*.md`"
    .replace("`docs/NAME.md`", "`docs/…`"),
    "```sh\nscripts/nothing\n[no](link.md)\n```",
])
def test_what_exists_may_be_named(tmp_path, readme):
    done = check(tmp_path, readme)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("readme", "complaint"), [
    ("\n[tour](docs/gone.md)", "README.md:2: link to docs/gone.md, which does not exist"),
    ("[tour](docs/tour.md#gone)", "README.md:1: link to #gone, which is no heading of docs/tour.md"),
    ("run `scripts/gone --now`", "README.md:1: names scripts/gone, which does not exist"),
])
def test_what_is_gone_is_named(tmp_path, readme, complaint):
    done = check(tmp_path, readme)
    assert done.returncode == 1
    assert complaint in done.stderr
