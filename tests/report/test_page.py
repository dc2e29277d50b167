"""The report in a real browser."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from brainscore_granularity.report.page import write_report
from brainscore_granularity.runner import results

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
ANALYSIS = {
    "name": "spectrum", "question": "How steep are spectra?", "how_to_read": "Down is steep.", "simulated": True,
    "answer": "They fall with 1.2 (95% interval 1.0 to 1.4).", "tables": ["slopes.csv"],
    "command": "granularity analyze",
    "figures": [{"file": "slopes.svg", "caption": "Slopes of spectra"}],
}  # fmt: skip

LAYERS = {"conv1": {"value": 0.1, "raw": 0.08}, "relu5": {"value": 0.3, "raw": 0.24}, "fc6": {"reason": "no RDM"}}


def scores():
    conditions = [("untrained", 0.05), *((f"own_k{k}", 0.2 + 0.05 * i) for i, k in enumerate((2, 4, 8, 64))),
                  ("native", 0.4), ("random_k8", 0.1)]  # fmt: skip
    for benchmark in ("Kriegeskorte2008.hIT-rsa", "Kriegeskorte2008.mIT-rsa", "World.IT-rsa"):
        for labels, value in conditions:
            for seed in (1, 2):
                raw = (value + 0.01 * seed) * 0.8
                upper = 1.0 if "mIT" in benchmark else 0.8  # spiking: no ceiling is known
                yield {
                    "model": f"granularity_tiny_{labels}_s{seed}", "benchmark": benchmark, "status": "ok",
                    "value": raw / upper, "raw": raw, "error": 0.025,
                    "interval": [raw / upper - 0.05, raw / upper + 0.05],
                    "ceiling": {"lower": 0.6, "upper": upper} if upper < 1 else {"lower": None, "upper": None},
                    "subject_scores": {"a": raw - 0.02, "b": raw + 0.02},
                    "simulated": benchmark.startswith("World"), "layer": "relu5", "started": "2026-01-01T00:00:00",
                    "layers": LAYERS if "hIT" in benchmark else None,
                }  # fmt: skip
    yield {"model": "pixels", "benchmark": "World.IT-rsa", "status": "failed", "reason": "broken & <b>bad</b>"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for record in scores():
        results.write(folder, record)
    analysis = folder / "analyses" / "spectrum"
    analysis.mkdir(parents=True)
    (analysis / "analysis.json").write_text(json.dumps(ANALYSIS))
    (analysis / "slopes.csv").write_text("model,slope\na,1.25\n")
    (analysis / "slopes.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    write_report(folder, folder / "report.html")
    return folder


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this computer")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, folder):
    """The page, from disk; any message on the console or request for another address is an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    yield page
    context.close()
    assert not said and all(url.startswith(("file:", "data:", "blob:")) for url in asked)


def first_column(page):
    return page.eval_on_selector_all(
        "#matrix tbody tr", "rows => rows.filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    )


def test_the_answer_and_every_part_are_on_the_page(opened):
    text = opened.inner_text("body")
    assert "On measured brains" in text and "Simulated subjects." in text
    assert "They fall with 1.2 (95% interval 1.0 to 1.4)." in text and "Down is steep." in text
    assert "broken & <b>bad</b>" in text  # escaped, in the list of failed pairs
    assert opened.locator("svg.panel").count() == 7 and opened.locator("#layers svg.panel .line").count() == 6
    assert opened.locator("details.model").count() == 15
    assert opened.locator("img.figure").get_attribute("alt") == "Slopes of spectra"


def test_the_matrix_sorts_both_ways_and_filters_by_words(opened):
    button = opened.locator("#matrix thead button").nth(1)

    def column():
        return [float(t) for t in opened.locator("#matrix tbody tr td:nth-of-type(1)").all_inner_texts() if t != "-"]

    button.click()
    assert column() == sorted(column(), reverse=True) and len(column()) == 14
    button.press("Enter")
    assert column() == sorted(column())
    assert opened.locator("#matrix th[aria-sort=ascending]").count() == 1
    opened.fill("#filter", "own k8")
    assert sorted(first_column(opened)) == [f"granularity_tiny_own_k8_s{seed}" for seed in (1, 2)]
    assert opened.inner_text("#shown") == "2 shown"


def test_toggles_move_and_hide_marks(opened):
    mark = opened.locator("svg.panel .mean").nth(3)
    before = mark.get_attribute("transform")
    opened.uncheck("#log")
    moved = mark.get_attribute("transform")
    assert moved.split()[0] != before.split()[0] and moved.split()[1] == before.split()[1]
    opened.check("#log")
    assert mark.get_attribute("transform") == before
    opened.check("#raw")
    assert mark.get_attribute("transform") != before
    cell = opened.locator("#matrix td[data-r]").first
    assert float(cell.inner_text()) == pytest.approx(0.8 * float(cell.get_attribute("data-v")), abs=1e-3)
    seed, subject = opened.locator("svg.panel .seed").first, opened.locator("svg.panel .subject").first
    assert seed.is_visible() and not subject.is_visible()
    opened.uncheck("#seeds")
    opened.check("#subjects")
    assert not seed.is_visible() and subject.is_visible()


def test_values_show_where_the_pointer_is(opened):
    opened.locator("svg.panel .mean").nth(2).hover(force=True)
    assert opened.inner_text("#tip").startswith("own, 4 classes, seed")
    opened.uncheck("#seeds")
    opened.locator("svg.panel .mean").nth(2).hover(force=True)
    assert "own, 4 classes" in opened.inner_text("#tip") and "95% interval" in opened.inner_text("#tip")


def test_a_downloaded_table_is_the_results(opened, folder):
    with opened.expect_download() as download:
        opened.locator("#scores a.csv").first.click()
    assert download.value.suggested_filename == "scores.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    table = results.table(results.read_all(folder))
    assert [r["model"] for r in rows] == table["model"].tolist()
    assert [float(r["raw"] or "nan") for r in rows] == pytest.approx(table["raw"].tolist(), nan_ok=True, rel=1e-15)


def test_without_scripts_everything_is_there_and_a_table_can_be_had(browser, folder):
    import gzip

    context = browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    assert "On measured brains" in page.inner_text("body") and page.locator("#matrix tbody tr").count() == 15
    assert not page.locator(".tools").first.is_visible() and page.locator("svg.panel .curve").first.is_visible()
    with page.expect_download() as download:
        page.locator("#scores a.csv").first.click()
    assert gzip.decompress(Path(download.value.path()).read_bytes()).decode().count("\n") == 44
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_overflow_and_no_serious_finding_of_accessibility(browser, folder, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
    found = axe.Axe().run(page).response["violations"]
    assert not [(f["id"], f["nodes"][0]["html"]) for f in found if f["impact"] in ("serious", "critical")]
    context.close()


def test_command_writes_and_compares(folder, tmp_path, capsys):
    from brainscore_granularity.cli import main as cli

    cli.main(["report", str(folder), str(folder), "--to", str(tmp_path / "r.html")])
    out = capsys.readouterr().out
    assert "On measured brains" in out and "<strong>" not in out
    assert "Of 43 pairs: 43 identical." in (tmp_path / "r.html").read_text()
