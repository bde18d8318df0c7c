"""`clutch run --plan`: what a job would be, in words and as a picture.

usage: cli_plan_test.py CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import json
import sys
import unittest
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

from run_case import MODES, TWO_JOBS, RunCase

OPERATORS = ["Source: Sequence Source", 'a <b> & "c"', "_stream_key_by_map_operator", "Reduce", "Filter"]
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """Texts of a page, and whether its tags are closed in order."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed at once."""

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


class CliPlanTest(RunCase):
    def plan(self, form: str, mode: str, *more: str) -> str:
        """What is printed of both jobs, neither of which runs."""
        opened = self.folder / "opened"
        define = ["-D", f"python.execution-mode={mode}"]
        done = self.run_script(f"--plan={form}", *more, self.script(TWO_JOBS), *define, str(opened))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the end True\n", done.stderr)
        self.assertFalse(opened.exists(), "a function was opened")
        return done.stdout

    def test_text(self) -> None:
        for mode in MODES:
            text = self.plan("text", mode)
            self.assertEqual([line for line in text.splitlines() if line.startswith("job ")],
                             ['job "first job", streaming', 'job "second job", streaming'])  # fmt: skip
            for name in OPERATORS:
                self.assertIn(name, text)
            self.assertIn(f"mode {mode}, plugin org.clutch.{mode}", text)
            self.assertIn("because: mode", text)
            self.assertIn("from task 0, hash", text)

    def test_no_form_is_text(self) -> None:
        done = self.run_script("--plan", self.script(TWO_JOBS), str(self.folder / "opened"))
        self.assertTrue(done.stdout.startswith('job "first job", streaming\n'), done.stderr)

    def test_json(self) -> None:
        text = self.plan("json", "process")
        first, end = json.JSONDecoder().raw_decode(text)
        second = json.loads(text[end:])
        self.assertEqual((first["name"], second["name"]), ("first job", "second job"))
        names = [of["name"] for task in first["tasks"] for of in task["operators"]]
        self.assertEqual(names[: len(OPERATORS)], OPERATORS)
        self.assertEqual([of.get("behind") for of in first["tasks"][0]["operators"]], [None, 0, 1])
        edge = first["edges"][0]
        self.assertEqual((edge["from"], edge["operator"], edge["to"], edge["partitioning"]), (0, 2, 1, "hash"))

    def test_svg(self) -> None:
        for mode in MODES:
            first, second, _ = self.plan("svg", mode).split("</svg>\n")
            self.assertNotIn("http", first.replace("http://www.w3.org/2000/svg", ""), "it refers to something outside")
            picture = ElementTree.fromstring(first + "</svg>")
            texts = [node.text for node in picture.iter(SVG + "text")]
            for name in OPERATORS:
                self.assertIn(name, texts)
            self.assertIn(f"python, mode {mode}, org.clutch.{mode}", texts)
            self.assertTrue(any(text.startswith(f"mode {mode} is the one asked for") for text in texts if text), texts)
            edges = [node for node in picture.iter(SVG + "g") if node.get("class") == "clutch-edge"]
            labels = [node.text for edge in edges for node in edge.iter(SVG + "text")]
            self.assertEqual(labels, ["hash", "rebalance"])
            self.assertEqual(len([node for node in picture.iter(SVG + "g") if node.get("class") == "clutch-task"]), 3)
            self.assertIn("prefers-color-scheme: dark", first)
            ElementTree.fromstring(second + "</svg>")

    def test_boxes_do_not_lie_on_each_other(self) -> None:
        picture = ElementTree.fromstring(self.plan("svg", "thread").split("</svg>")[0] + "</svg>")
        boxes = [
            tuple(float(node.get(name, "0")) for name in ("x", "y", "width", "height"))
            for node in picture.iter(SVG + "rect")
            if node.get("class") == "task"
        ]
        whole = [float(value) for value in picture.get("viewBox", "").split()]
        for i, (x, y, width, height) in enumerate(boxes):
            self.assertTrue(0 <= x and 0 <= y and x + width <= whole[2] and y + height <= whole[3])
            for other_x, other_y, other_width, other_height in boxes[i + 1 :]:
                apart_x = x + width <= other_x or other_x + other_width <= x
                apart_y = y + height <= other_y or other_y + other_height <= y
                self.assertTrue(apart_x or apart_y, boxes)

    def test_html(self) -> None:
        for mode in MODES:
            output = self.folder / f"{mode}.html"
            self.assertEqual(self.plan("html", mode, "--output", output.name), "")
            for path, job in ((output, "first job"), (self.folder / f"{mode}-2.html", "second job")):
                page = Page()
                page.feed(path.read_text(encoding="utf-8"))
                page.close()
                self.assertEqual((page.open, page.references), ([], []))
                self.assertIn(f'job "{job}", streaming', page.texts)
                self.assertIn(f"org.clutch.{mode}", page.texts)
            page = Page()
            page.feed(output.read_text(encoding="utf-8"))
            for name in [*OPERATORS, "hash"]:
                self.assertGreaterEqual(page.texts.count(name), 2, "in the picture and in a table")
            self.assertTrue(any("was not asked" in text for text in page.texts), "why the others lost")

    def test_what_no_plugin_can_run_is_in_the_picture(self) -> None:
        text = self.plan("svg", "nope", "-D", "python.execution-mode.fallback=forbid")
        self.assertIn("no plugin can run it", text)

    def test_a_file_that_cannot_be_written(self) -> None:
        done = self.run_script("--plan=svg", "--output", "/nowhere/plan.svg", self.script(TWO_JOBS), "x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/plan.svg", done.stderr)

    def test_scripts_can_ask_themselves(self) -> None:
        script = self.script(
            "env.from_sequence(1, 3).map(lambda x: x, output_type=LONG).print()\n"
            "print(env.explain('json'), end='')\n"
            "try:\n"
            "    env.explain('png')\n"
            "except ValueError as error:\n"
            "    print(error, file=sys.stderr)\n"
            "env.execute()\n"
        )
        done = self.run_script(script)
        plan, end = json.JSONDecoder().raw_decode(done.stdout)
        self.assertEqual([of["name"] for of in plan["tasks"][0]["operators"]][:2], ["Source: Sequence Source", "Map"])
        self.assertEqual(done.stdout[end:], "\n1\n2\n3\n", "the job still runs")
        self.assertEqual(done.stderr, "the form of a plan must be one of text, json, svg, html, got 'png'\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
