"""Pictures of plans, the table of a job's status, and orders from outside."""

from __future__ import annotations

import os
import random
import unittest
import xml.etree.ElementTree as ElementTree
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

from support import TestCase

# isort: split
from clutch.common import Configuration
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream._plan_layout import Size, lay_out
from clutch.datastream._plan_picture import plan_html, plan_svg
from clutch.datastream._progress import Meter, Progress
from clutch.datastream._status_text import columns, fitted, line, table

SIZE = Size(100, 50)


def metrics(**more: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {"node": 1, "name": "Map", "mode": "thread", "workers": None, "rows_in": 0, "rows_out": 0}
    found.update(busy_ns=0, backlog_bytes=None, kept=None)
    found.update(more)
    return found


class Layouts(TestCase):
    def test_layers_are_those_of_the_longest_path(self) -> None:
        layout = lay_out([SIZE] * 4, [(0, 1), (1, 2), (0, 2), (2, 3)])
        xs = [box.x for box in layout.boxes]
        self.assertEqual(xs, sorted(set(xs)))
        self.assertEqual([len(bends) for bends in layout.bends], [0, 0, 2, 0])
        self.assertEqual(layout.back, [False] * 4)

    def test_a_long_edge_goes_around_what_is_between(self) -> None:
        layout = lay_out([SIZE] * 3, [(0, 1), (1, 2), (0, 2)])
        box = layout.boxes[1]
        for x, y in layout.bends[2]:
            self.assertTrue(box.x <= x <= box.x + box.width)
            self.assertFalse(box.y <= y <= box.y + box.height)

    def test_crossings_are_undone(self) -> None:
        layout = lay_out([SIZE] * 4, [(0, 3), (1, 2)])
        self.assertEqual(layout.boxes[0].y < layout.boxes[1].y, layout.boxes[3].y < layout.boxes[2].y)

    def test_edges_that_lead_back_are_told(self) -> None:
        layout = lay_out([SIZE] * 3, [(0, 1), (1, 2), (2, 1), (2, 2)])
        self.assertEqual(layout.back, [False, False, True, True])
        self.assertLess(layout.boxes[1].x, layout.boxes[2].x)

    def test_nothing(self) -> None:
        self.assertEqual(lay_out([], [])[:3], ([], [], []))

    def test_boxes_of_any_graph_stand_apart(self) -> None:
        chosen = random.Random(4)
        for _ in range(50):
            count = chosen.randrange(1, 14)
            sizes = [Size(chosen.randrange(50, 300), chosen.randrange(30, 400)) for _ in range(count)]
            edges: List[Tuple[int, int]] = [
                (chosen.randrange(count), chosen.randrange(count)) for _ in range(chosen.randrange(2 * count))
            ]
            layout = lay_out(sizes, edges)
            for i, box in enumerate(layout.boxes):
                self.assertTrue(0 <= box.x and 0 <= box.y)
                self.assertTrue(box.x + box.width <= layout.width and box.y + box.height <= layout.height)
                for other in layout.boxes[i + 1 :]:
                    apart_x = box.x + box.width <= other.x or other.x + other.width <= box.x
                    apart_y = box.y + box.height <= other.y or other.y + other.height <= box.y
                    self.assertTrue(apart_x or apart_y, (sizes, edges))
            for (source, target), back in zip(edges, layout.back):
                self.assertTrue(back or layout.boxes[source].x < layout.boxes[target].x)


def plan_of(names: List[str], edges: List[Dict[str, Any]], decision: Optional[Any] = None) -> Dict[str, Any]:
    operators = [{"name": name, "type": "python", "nodes": [i]} for i, name in enumerate(names)]
    if decision is not None:
        for operator in operators:
            operator["decision"] = decision
    tasks = [{"name": of["name"], "parallelism": 1, "operators": [of]} for of in operators]
    return {"name": "job", "mode": "streaming", "tasks": tasks, "edges": edges}


class Pictures(TestCase):
    def test_no_text_breaks_a_picture(self) -> None:
        name = "a <b> & \"c\" 'd' \x00\x1b\x7f\u202e\ud800 ]]>"
        for text in (plan_svg(plan_of([name], [])), plan_html(plan_of([name], []))):
            text.encode()
            self.assertNotIn("\x1b", text)
        picture = ElementTree.fromstring(plan_svg(plan_of([name], [])))
        texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
        self.assertTrue(any(text and text.startswith("a <b> & \"c\" 'd'") for text in texts), texts)

    def test_long_text_is_cut_and_stands_in_the_tip(self) -> None:
        name = "long " * 100
        picture = ElementTree.fromstring(plan_svg(plan_of([name], [])))
        texts = [node.text or "" for node in picture.iter("{http://www.w3.org/2000/svg}text")]
        self.assertTrue(any(text.startswith("long") and text.endswith("…") for text in texts))
        titles = [node.text or "" for node in picture.iter("{http://www.w3.org/2000/svg}title")]
        self.assertTrue(any(name.strip() in title for title in titles))

    def test_edges_tell_side_and_input(self) -> None:
        edges = [
            {"from": 0, "operator": 0, "to": 1, "partitioning": "hash", "input": 1, "side": "late"},
            {"from": 1, "operator": 0, "to": 0, "partitioning": "forward", "input": 0, "feedback": True},
        ]
        text = plan_svg(plan_of(["one", "two"], edges))
        self.assertIn("hash, side output &quot;late&quot;, to input 1", text)
        self.assertIn(">forward, fed back<", text)

    def test_what_no_plugin_runs_is_told(self) -> None:
        for decision in ({"ok": False, "plugin": "", "mode": "", "reason": "nobody can"}, "nobody can"):
            text = plan_html(plan_of(["one"], [], decision))
            self.assertIn("no plugin can run it", text)
            self.assertIn("nobody can", text)


class StatusTexts(TestCase):
    def test_text_fits(self) -> None:
        self.assertEqual(fitted("abc", 3), "abc")
        self.assertEqual(fitted("abcd", 3), "ab…")
        self.assertEqual(fitted("a\x1b[2Jb\n", 10), "a [2Jb ")
        self.assertEqual(fitted("\u6587\u5b57\u5217", 5), "\u6587\u5b57…")
        self.assertEqual(columns("\u6587e\u0301"), 3)

    def test_a_table_keeps_to_its_width(self) -> None:
        of = [Progress("name " * 30, "process", 2, 10**9, 0, 1234.5, 5 << 20, 7, 0.5)]
        for width in (40, 79, 200):
            for text in table(of, width):
                self.assertLessEqual(columns(text), width)
        cells = "process        2  1,000,000,000         0   1,234  5.0 MiB      7  50 %"
        self.assertTrue(table(of, 200)[1].endswith(cells))

    def test_what_is_not_known_is_a_dash(self) -> None:
        self.assertEqual(
            line(Progress("Map", "", None, 1, 2, None, None, None, None)),
            "Map: mode=-, workers=-, rows-in=1, rows-out=2, rows/s=-, backlog=-, state=-, busy=-",
        )

    def test_sums_are_over_subtasks_and_rates_between_looks(self) -> None:
        found = [
            metrics(subtask=0, rows_in=10, backlog_bytes=5, kept=1, workers=2),
            metrics(subtask=1, rows_in=20, busy_ns=10**9),
        ]
        with mock.patch("clutch.datastream._progress.time.monotonic", side_effect=[100.0, 101.0, 103.0, 104.0]):
            meter = Meter(lambda: found)
            (first,) = meter.look()
            found[0]["rows_in"] = 40
            (second,) = meter.look()
            (last,) = meter.look(since_start=True)
        self.assertEqual(first, Progress("Map", "thread", 2, 30, 0, 30.0, 5, 1, 0.5))
        self.assertEqual((second.rows_in, second.rows_per_second, second.busy), (60, 15.0, 0.0))
        self.assertEqual((last.rows_per_second, last.busy), (15.0, 0.125))


class Orders(TestCase):
    def test_ordered_keys_keep_their_values(self) -> None:
        with mock.patch.dict(os.environ, {"CLUTCH_JOB_OPTIONS": '{"parallelism.default": "3", "k": "v"}'}):
            given = Configuration().set_string("k", "other")
            env = StreamExecutionEnvironment.get_execution_environment(given)
        kept = env._configuration
        kept.set_float("k", 1.5).set_bytearray("k", bytearray(b"x")).set_integer("k", 1).set_boolean("k", True)
        kept.add_all(given)
        self.assertFalse(kept.remove_config("k"))
        self.assertEqual(kept.get_string("k", ""), "v")
        self.assertEqual(env.set_parallelism(7).get_parallelism(), 3)
        self.assertTrue(kept.set_string("free", "x").remove_config("free"))
        self.assertEqual(given.get_string("k", ""), "other")


if __name__ == "__main__":
    unittest.main()
