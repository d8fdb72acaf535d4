#!/usr/bin/env python3
"""Goal    the report of a run is one page that needs nothing else, says what summary.json says,
        comes out the same bytes each time, and takes names, numbers and runs of any kind.
Method  backtests of an invented market, many trades, one and none; pages are read with html.parser
        and held against summary.json; result directories with strange names and numbers are written
        by hand."""
import html.parser
import json
import os
import re
import shutil
import tempfile
import unittest
import zlib

from front import folder_with_data, run_file, shrike

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """A page: its text, its texts by tag, its attributes; every tag must be closed in order."""

    def __init__(self, path):
        super().__init__()
        self.open, self.texts, self.attributes, self.tags = [], [], [], []
        with open(path, encoding="utf-8") as f:
            self.source = f.read()
        self.feed(self.source)
        self.close()
        assert not self.open, self.open
        self.text = " ".join(t for tag, t in self.texts if tag not in ("style", "script"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))


def per_cent(v, sign=False):
    """A part as the page writes it."""
    text = f"{100 * v:,.2f}"
    text = "0.00" if text == "-0.00" else text
    return ("+" if sign and v > 0 and text != "0.00" else "") + text + " %"


class Report(unittest.TestCase):
    """Pages of real runs."""

    @classmethod
    def setUpClass(cls):
        cls.keep = folder_with_data(3000)
        cls.folder = cls.keep.name
        cls.out = os.path.join(cls.folder, "out")
        path = run_file(cls.folder)
        with open(path) as f:
            text = f.read().replace("seed: 3", "seed: 3\nstatistics: {rolling_days: 20, select: "
                                    '{win_rate: ">= 0.99", max_drawdown: "<= 0.9999"}}')
        with open(path, "w") as f:
            f.write(text)
        cls.path = path
        done = shrike("backtest", path, "--out", cls.out)
        assert done.returncode == 0, done.stderr
        assert "report.html" in done.stdout, done.stdout
        cls.page = Page(os.path.join(cls.out, "report.html"))
        with open(os.path.join(cls.out, "summary.json")) as f:
            cls.summary = json.load(f)

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def test_alone(self):
        """No address, no file, no event of another site: the page is whole by itself."""
        self.assertNotRegex(self.page.source, r"(?i)https?:|//[a-z0-9.-]+\.[a-z]|@import|url\(")
        self.assertFalse({k for _, k, _ in self.page.attributes} & {"src", "href", "srcset", "data"})
        self.assertFalse(set(self.page.tags) & {"link", "img", "iframe", "object", "embed"})
        self.assertIn("prefers-color-scheme:dark", self.page.source)
        self.assertIn("@media print", self.page.source)
        self.assertNotIn("nan", self.page.text.lower().split())
        self.assertNotIn("inf", self.page.text.lower().split())

    def test_figures(self):
        """What the statistics say stands on the page, formatted; so do thresholds and months."""
        curve = self.summary["statistics"]["curves"][-1]
        f = curve["figures"]
        self.assertEqual(curve["curve"], "total")
        tiles = [t for tag, t in self.page.texts if tag == "b"]
        for shown in (per_cent(f["total_return"], True), per_cent(f["max_drawdown"]),
                      per_cent(f["worst_month"], True), f"{f['sharpe']:.2f}",
                      per_cent(f["volatility"]), f"{f['trades']:.0f}",
                      f"{f['profit_factor']:.2f}"):
            self.assertIn(shown, tiles)
        cells = [t for tag, t in self.page.texts if tag == "td"]
        units = {k: v["unit"] for k, v in self.summary["statistics"]["definitions"].items()}
        for c in self.summary["statistics"]["curves"]:
            for name, v in c["figures"].items():
                if v is not None and units[name] == "part" and abs(v) < 1e5:
                    self.assertTrue(per_cent(v) in cells or per_cent(v, True) in cells, name)
        tips = " ".join(v for _, k, v in self.page.attributes if k == "title")
        for name, words in self.summary["statistics"]["definitions"].items():
            if name != "log_return":
                self.assertIn(words["is"], tips)
        worst = min(curve["months"], key=lambda m: m["return"])
        self.assertIn("Worst month %d-%02d: %s. Why: " % (worst["year"], worst["month"],
                      per_cent(worst["return"], True)), self.page.text)
        self.assertIn("fails 1 of 2 thresholds", self.page.text)
        for strategy in self.summary["statistics"]["portfolio"]["strategies"]:
            self.assertIn(strategy["strategy"], cells)
        with open(os.path.join(self.out, "manifest.json")) as m:
            manifest = json.load(m)
        for text in (manifest["config_hash"], manifest["build"], manifest["data"][0]["hash"],
                     *manifest["rules"]):
            self.assertIn(text, self.page.text)
        self.assertNotIn(manifest["run_id"], self.page.source)

    def test_charts(self):
        """Each chart is there twice, wide and narrow, and stays within its frame."""
        labels = [v for tag, k, v in self.page.attributes if tag == "svg" and k == "aria-label"]
        for label in ("Equity of total", "Under water: total", "Returns by month, per cent",
                      "Exposure: total", "Rolling Sharpe ratio", "Histogram of daily returns",
                      "Trades on the price of BTC-PERP", "Trades on the price of ETH"):
            self.assertEqual(labels.count(label), 2, label)
        for box, body in re.findall(r'<svg class="[wn]" viewBox="0 0 ([0-9. ]+)"(.*?)</svg>',
                                    self.page.source, re.S):
            width, height = map(float, box.split())
            for points in re.findall(r'points="([^"]*)"', body):
                for x, y in (p.split(",") for p in points.split()):
                    self.assertTrue(0 <= float(x) <= width and 0 <= float(y) <= height, (x, y, box))

    def test_same(self):
        """The same run in another directory, and the page made again, are the same bytes."""
        again = os.path.join(self.folder, "again")
        done = shrike("backtest", self.path, "--out", again)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("report.html", "charts.csv"):
            with open(os.path.join(again, name)) as f, open(os.path.join(self.out, name)) as g:
                self.assertEqual(f.read(), g.read())
        other = os.path.join(self.folder, "again.html")
        done = shrike("report", again, "--html", other)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(other) as f:
            self.assertEqual(f.read(), self.page.source)
        run = os.path.join(self.folder, "run") # results of a run are in its out/
        shutil.copytree(again, os.path.join(run, "out"))
        os.remove(os.path.join(run, "out", "report.html"))
        done = shrike("report", run)
        self.assertEqual(done.stdout, "report: %s/out/report.html\n" % run)
        with open(os.path.join(run, "out", "report.html")) as f:
            self.assertEqual(f.read(), self.page.source)
        done = shrike("backtest", self.path, "--out", again, "--no-html")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(again, "report.html")))

    def test_markdown(self):
        """The same texts and tables as Markdown: each table has a rule under its heading and rows of
        as many cells, and says what the page says."""
        path = os.path.join(self.folder, "a.md")
        done = shrike("report", self.out, "--markdown", path)
        self.assertEqual((done.returncode, done.stdout), (0, "report: %s\n" % path))
        with open(path) as f:
            text = f.read()
        plain = re.sub(r"\\(.)", r"\1", text)
        self.assertTrue(text.startswith("# "))
        for words in ("## Figures", "## Trades", "Worst month", "Chart, on the page: Equity of total",
                      "a bar is known at its end"):
            self.assertIn(words, plain)
        tables, cells = 0, None
        for line in text.splitlines():
            if not line.startswith("|"):
                cells = None
                continue
            found = len(re.findall(r"(?<!\\)\|", line)) - 1
            if cells is None:
                tables, cells = tables + 1, found
            self.assertEqual(found, cells, line)
        self.assertGreater(tables, 8)
        for cell in ("Sharpe", "BTC-PERP"):
            self.assertIn(cell, plain)

    def test_pdf(self):
        """The same as PDF: whole by its own table of objects, with the key figures, the same bytes
        each time, no date, and every page within A4."""
        path, again = (os.path.join(self.folder, n) for n in ("a.pdf", "b.pdf"))
        for name in (path, again):
            done = shrike("report", self.out, "--pdf", name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(path, "rb") as f, open(again, "rb") as g:
            data = f.read()
            self.assertEqual(data, g.read())
        self.assertTrue(data.startswith(b"%PDF-1."))
        self.assertTrue(data.rstrip().endswith(b"%%EOF"))
        self.assertNotIn(b"/CreationDate", data)
        start = int(re.search(rb"startxref\s+(\d+)\s+%%EOF", data).group(1))
        lines = data[start:].split(b"\n")
        self.assertEqual(lines[0].strip(), b"xref")
        first, cnt = map(int, lines[1].split())
        for i in range(cnt):
            offset, _, kind = lines[2 + i].split()
            if kind == b"n":
                self.assertTrue(data[int(offset):].startswith(b"%d 0 obj" % (first + i)), i)
        shown, pages = b"", 0
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S):
            try:
                text = zlib.decompress(stream)
            except zlib.error:
                continue
            if b"BT" in text:
                pages += 1
                shown += b"\n".join(re.findall(rb"\((.*?)\) Tj", text)) + b"\n"
            for x, y in re.findall(rb"([-0-9.]+) ([-0-9.]+) [ml]\n", text):
                self.assertTrue(0 <= float(x) <= 595 and 0 <= float(y) <= 842, (x, y))
        self.assertGreater(pages, 2)
        shown = re.sub(rb"\\(\d{3})", lambda m: bytes([int(m.group(1), 8)]), shown)
        shown = shown.decode("latin-1")
        figures = self.summary["statistics"]["curves"][-1]["figures"]
        for text in (per_cent(figures["total_return"], True), per_cent(figures["max_drawdown"]),
                     f"{figures['sharpe']:.2f}", "Worst month", "Trades on price: BTC-PERP",
                     "Figures"):
            self.assertIn(text, shown)

    def test_benchmark(self):
        """Measured against a file with the prices of an instrument, the page is the one of a run
        that declared that instrument; a file that is none is refused."""
        pages = {}
        for name in ("declared", "plain"):
            with open(self.path) as f:
                text = f.read()
            if name == "declared":
                text = text.replace("rolling_days: 20", "rolling_days: 20, benchmark: BTC-PERP")
            path = os.path.join(self.folder, name + ".yaml")
            with open(path, "w") as f:
                f.write(text)
            out = os.path.join(self.folder, name)
            done = shrike("backtest", path, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            page = os.path.join(self.folder, name + ".html")
            words = ["report", out, "--html", page]
            if name == "plain":
                words += ["--benchmark", os.path.join(self.folder, "btc.csv")]
            done = shrike(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(page) as f:
                pages[name] = f.read().split("\n")
        self.assertNotEqual("\n".join(pages["plain"]), self.page.source)
        self.assertEqual(len(pages["plain"]), len(pages["declared"]))
        for a, b in zip(pages["plain"], pages["declared"]):
            if a != b:
                self.assertTrue("benchmark: btc.csv" in a or "Configuration" in a, (a, b))
        bad = os.path.join(self.folder, "bad.csv")
        for text in ("", "date,close\n", "date,close\n2024-01-01,0\n", "2024-13-01,5\n",
                     "2024-01-02,5\n2024-01-01,5\n", "2025-01-01,5\n2025-01-02,6\n", "x\n"):
            with open(bad, "w") as f:
                f.write(text)
            done = shrike("report", out, "--html", bad + ".html", "--benchmark", bad)
            self.assertEqual((done.returncode, done.stdout), (1, ""), text)
            self.assertIn("bad.csv", done.stderr)
            self.assertFalse(os.path.exists(bad + ".html"))
        with open(bad, "w") as f:
            f.write("day,close\n2023-12-31,100\n2024-01-01,101\n2024-01-02,99\n2024-06-01,250\n")
        done = shrike("report", out, "--html", bad + ".html", "--benchmark", bad)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def short(self, name, old, new, count):
        """A run whose file has new for old, over the first count bars of a market; its page."""
        with open(self.path) as f:
            text = f.read()
        self.assertIn(old, text)
        path = os.path.join(self.folder, name + ".yaml")
        end = 1704067200 + count * 3600
        with open(path, "w") as f:
            f.write(text.replace(old, new).replace("seed: 3", "seed: 3\nend: 2024-01-%02dT%02d:00:00Z"
                                                   % (1 + (end - 1704067200) // 86400,
                                                      end // 3600 % 24)))
        out = os.path.join(self.folder, name)
        done = shrike("backtest", path, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(out, "summary.json")) as f:
            return json.load(f), Page(os.path.join(out, "report.html"))

    def test_no_trade(self):
        """A run that never traded has a page that says so."""
        summary, page = self.short("none", "slow: 9,", "slow: 900,", 18)
        self.assertEqual(summary["trades"], 0)
        self.assertIn("No round trip was closed in this run.", page.text)
        self.assertIn("0.00 %", page.text)

    def test_few_trades(self):
        """A day or two of a market, with a trade or two."""
        met = set()
        for count in (13, 20, 30, 40, 48):
            with self.subTest(count):
                summary, page = self.short("few%d" % count, "fast: 3", "fast: 2", count)
                met.add(summary["trades"])
                if summary["trades"]:
                    self.assertIn("All %d round trip" % summary["trades"], page.text)
                curve = summary["statistics"]["curves"][-1]
                self.assertIn(per_cent(curve["figures"]["total_return"], True), page.text)
        self.assertIn(1, met)

    def test_strange(self):
        """Names are text and no markup, whatever they hold; numbers of any size are written."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self.out, folder, dirs_exist_ok=True)
            bad = "<script>alert('x')</script>&\"\u00e4\u4e2d\U0001f600" + "long" * 60
            for name in ("summary.json", "manifest.json"):
                with open(os.path.join(self.out, name)) as f:
                    loaded = json.load(f)
                loaded["name"] = bad
                if name == "summary.json":
                    figures = loaded["statistics"]["curves"][-1]["figures"]
                    figures.update(total_return=1e300, sharpe=-1e-300, volatility=None,
                                   max_drawdown=1e-9, profit_factor=1e22, expectancy=-1e-7)
                    loaded["statistics"]["curves"][-1]["months"][0]["return"] = -1e9
                with open(os.path.join(folder, name), "w") as f:
                    json.dump(loaded, f, ensure_ascii=name == "summary.json")
            for name in ("trades.csv", "charts.csv", "daily.csv"):
                with open(os.path.join(folder, name)) as f:
                    text = f.read().replace("cross", "<b>cross</b>").replace("main", "ma&in")
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(text.replace("ETH", "E\xffH").encode("latin-1"))
            done = shrike("report", folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            page = Page(os.path.join(folder, "report.html"))
            self.assertIn(bad, page.text)
            self.assertEqual(page.tags.count("script"), 1)
            self.assertIn("<b>cross</b>", page.text)
            done = shrike("report", folder, "--pdf", os.path.join(folder, "x.pdf"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_refused(self):
        """What is no result directory, or damaged, is told in one line; nothing is written."""
        with tempfile.TemporaryDirectory() as folder:
            done = shrike("report", folder)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("summary.json", done.stderr)
            self.assertEqual(os.listdir(folder), [])
            whole = json.dumps(self.summary)
            for text in ("", "{", whole[:-1], whole + "x", "[" * 1000, '{"a": 1e}', '{"a": "\\x"}',
                         whole.replace(":", "", 1)):
                with open(os.path.join(folder, "summary.json"), "w") as f:
                    f.write(text)
                done = shrike("report", folder)
                self.assertEqual((done.returncode, done.stdout), (1, ""), text[:40])
                self.assertRegex(done.stderr.splitlines()[0], r"summary.json: not JSON at byte \d+")
            for name in ("charts.csv", "daily.csv", "trades.csv"):
                shutil.copytree(self.out, folder, dirs_exist_ok=True)
                with open(os.path.join(folder, name), "a") as f:
                    f.write("x\n")
                done = shrike("report", folder)
                self.assertEqual((done.returncode, done.stdout), (1, ""), name)
                self.assertIn(name, done.stderr)
            self.assertEqual(shrike("report").returncode, 2)


if __name__ == "__main__":
    unittest.main()
