"""The pages of the documentation: what they show is run, and the site is built without a warning."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pages
import pytest

from brainscore_granularity.cli import main as cli

ROOT = Path(__file__).parents[2]
PAGES = [
    "quickstart", "add_a_model", "add_a_benchmark", "add_an_analysis", "add_a_learning_rule", "train_on_imagenet",
    "prepare_data", "report", "upstream",
]  # fmt: skip
ADDS_ONE = ROOT / "docs" / "add_a_learning_rule.md"  # its command takes a rule that the page adds
FOLDERS = ("brainscore_granularity", "training", "models", "benchmarks", "data", "docs", "tests", "bench")


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """What went wrong on each page, run in a copy of the checkout with a home of its own."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder)
    (copy / "brainscore_granularity" / "training").symlink_to(copy / "training")  # where an installation has it
    path = [str(copy), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "BRAINSCORE_GRANULARITY_HOME": str(copy / "home"),
        "OMP_NUM_THREADS": "1",
    }
    paths = [f"docs/{page}.md" for page in PAGES]
    command = [sys.executable, "-W", "ignore", "tests/makers/pages.py", "failed.json", *paths]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((copy / "failed.json").read_text())


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_works(page, failures):
    assert page not in failures, failures[page]


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_what_is_not_run_and_run_something(page):
    found = pages.blocks((ROOT / "docs" / f"{page}.md").read_text())
    assert any(block.language in ("python", "console") and not block.reason for block in found)
    assert all(len(block.reason) > 20 for block in found if block.reason)


def test_a_page_that_is_wrong_is_found_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = "`a.txt`:\n\n```text\none\n```\n\n`a.txt`:\n\n```diff\n-one\n+two\n```\n\n"
    shown += "```console\n$ cat a.txt\n{}\n```\n"
    for name, printed in (("right", "t..."), ("wrong", "one")):
        Path(f"{name}.md").write_text(shown.format(printed))
    Path("error.md").write_text("```console\n$ ls nowhere\n```\n\n```python\n1 / 0\n```\n")
    Path("skipped.md").write_text("*Not run: needs something that is not here.*\n\n```python\n1 / 0\n```\n")
    assert pages.run([Path("right.md"), Path("skipped.md")]) == {}
    failed = pages.run([Path("wrong.md"), Path("error.md")])
    assert "got:\ntwo" in failed["wrong"] and "ended with 2" in failed["error"]
    with pytest.raises(ValueError, match="found them 0 times"):
        pages.change(Path("a.txt"), "-three\n+four\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` does; any warning is an error."""
    pytest.importorskip("material", reason="mkdocs-material is not installed: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_has_every_page_and_asks_nothing_of_any_network(site):
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").exists(), page
    for page in site.rglob("*.html"):
        text = page.read_text()
        found = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:)?//', text)
        assert not found, page
    front = (site / "index.html").read_text()
    assert 'href="quickstart.html"' in front and 'src="figures/tiny.svg"' in front and '"docs/' not in front
    assert (site / "figures" / "tiny.svg").exists()


def test_no_link_of_a_page_leads_nowhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def commands(page):
    """Every `granularity` command in the fenced blocks of a page, run or not, without comments and redirections."""
    for block in re.findall(r"^ *```[^\n]*\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if match := re.match(r" *(?:\$ )?granularity +([^|>#]*)", line):
                yield shlex.split(match[1])


@pytest.mark.filterwarnings("ignore:get_parser")
@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - {ADDS_ONE})], ids=lambda path: path.stem
)
def test_every_command_in_the_documentation_is_one_that_granularity_takes(page):
    import tyro

    for words in commands(page):
        verbs, place = cli.VERBS, 0
        while verbs.get(words[place]) in cli.INNER_VERBS:
            verbs, place = cli.INNER_VERBS[verbs[words[place]]], place + 1
        assert words[place] in verbs, words
        try:
            tyro.extras.get_parser(verbs[words[place]]).parse_args(words[place + 1 :])
        except SystemExit as end:
            pytest.fail(f"granularity {' '.join(words)}: {end}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_the_site_can_be_read_by_everybody(site, scheme):
    """In a real browser: no request leaves it, nothing is wider than a telephone, no serious finding by axe."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this computer")
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page, asked = browser.new_page(viewport={"width": 360, "height": 900}, color_scheme=scheme), []
        page.on("request", lambda request: asked.append(request.url))
        for name in ("index", "add_a_learning_rule"):
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            found = [f for f in axe.Axe().run(page).response["violations"] if f["impact"] in ("serious", "critical")]
            assert not [(f["id"], f["nodes"][0]["html"]) for f in found], name
        browser.close()
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
