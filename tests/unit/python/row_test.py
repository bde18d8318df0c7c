"""Row and RowKind: construction, names, kinds, comparison, pickling, and one class on both sides."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import unittest

from support import PACKAGE, TestCase

# isort: split
import clutch.common
import clutch.table
import clutch_row
from clutch.common import Row, RowKind


class RowTest(TestCase):
    def test_one_class_under_every_name(self) -> None:
        self.assertIs(clutch.common.Row, clutch_row.Row)
        self.assertIs(clutch.table.Row, clutch_row.Row)
        self.assertIs(clutch.table.RowKind, clutch_row.RowKind)
        self.assertEqual(Row.__module__, "clutch_row")

    def test_the_class_a_runtime_defined_is_taken(self) -> None:
        code = (
            "import sys, types; m = types.ModuleType('clutch_row'); sys.modules['clutch_row'] = m\n"
            "exec(open(sys.argv[1]).read(), m.__dict__)\n"
            "import clutch.common; assert clutch.common.Row is m.Row\n"
            "import pickle; print(repr(pickle.loads(bytes.fromhex(sys.argv[2]))), type(m.Row(1)).__module__)"
        )
        row = Row(a=1, b=Row(2))
        row.set_row_kind(RowKind.DELETE)
        command = [sys.executable, "-c", code, clutch_row.__file__, pickle.dumps(row).hex()]
        done = subprocess.run(command, env={"PYTHONPATH": PACKAGE}, capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("Row(a=1, b=<Row(2)>) clutch_row\n", ""))

    def test_positions_names_and_slices(self) -> None:
        row = Row(name="Alice", age=11)
        self.assertEqual(repr(row), "Row(age=11, name='Alice')")
        self.assertEqual(
            (row[0], row[-1], row["name"], row.age, row[0:2], len(row)), (11, "Alice", "Alice", 11, [11, "Alice"], 2)
        )
        row["age"], row[1] = 12, "Bob"
        self.assertEqual(list(row), [12, "Bob"])
        self.assertIn(12, row)
        self.assertNotIn("age", row)

    def test_a_row_of_names_makes_rows(self) -> None:
        person = Row("name", "age")
        self.assertEqual(repr(person), "<Row('name', 'age')>")
        self.assertEqual(repr(person("Alice", 11)), "Row(name='Alice', age=11)")

    def test_names_set_later(self) -> None:
        row = Row(1, 2)
        row.set_field_names(["x", "y"])
        self.assertEqual((row.y, row.as_dict(), row.get_fields_by_names(["y", "x"])), (2, {"x": 1, "y": 2}, [2, 1]))

    def test_as_dict(self) -> None:
        row = Row(key=1, value=[Row(a=2)])
        self.assertEqual(row.as_dict(), {"key": 1, "value": [Row(a=2)]})
        self.assertEqual(row.as_dict(recursive=True), {"key": 1, "value": [{"a": 2}]})

    def test_kinds(self) -> None:
        self.assertEqual([str(kind) for kind in RowKind], ["+I", "-U", "+U", "-D"])
        self.assertEqual([int(kind) for kind in RowKind], [0, 1, 2, 3])
        self.assertEqual([kind.name for kind in RowKind], ["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"])
        self.assertEqual("%s %r" % (RowKind.DELETE, RowKind(3)), "-D <RowKind.DELETE: 3>")
        row = Row.of_kind(RowKind.UPDATE_AFTER, 1, 2)
        self.assertEqual((row.get_row_kind(), list(row)), (RowKind.UPDATE_AFTER, [1, 2]))
        self.assertEqual(Row.of_kind(RowKind.DELETE, a=1).a, 1)

    def test_equality_takes_names_values_and_kind(self) -> None:
        self.assertEqual(Row(1, 2), Row(1, 2))
        self.assertNotEqual(Row(a=1), Row(1))
        self.assertNotEqual(Row(1), (1,))
        self.assertNotEqual(Row.of_kind(RowKind.DELETE, 1), Row(1))
        self.assertEqual(len({Row(1, 2), Row(1, 2), Row(2, 1)}), 2)

    def test_order_is_that_of_the_values(self) -> None:
        self.assertEqual(sorted([Row(2, "a"), Row(1, "b"), Row(1, "a")]), [Row(1, "a"), Row(1, "b"), Row(2, "a")])
        self.assertTrue(Row(1) <= Row(1) and Row(2) > Row(1) and Row(2) >= Row(1))
        with self.assertRaises(TypeError):
            Row(1) < 1  # noqa: B015

    def test_copies(self) -> None:
        row = Row.of_kind(RowKind.DELETE, a=[1], b=None)
        for other in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row), copy.copy(row)):
            self.assertEqual(other, row)
            self.assertIsNot(other, row)
            self.assertIs(other.get_row_kind(), RowKind.DELETE)

    def test_refusals(self) -> None:
        self.refused(ValueError, "Row takes values by position or by name, not both", lambda: Row(1, a=2))
        self.refused(ValueError, "<Row('a')> has 1 fields, 2 values were given", lambda: Row("a")(1, 2))
        self.refused(
            TypeError, "a Row without field names has no dict; set them with set_field_names", lambda: Row(1).as_dict()
        )
        self.refused(TypeError, "the kind of a Row is a RowKind, not 3", lambda: Row(1).set_row_kind(3))
        self.refused(AttributeError, "Row(a=1) has no field 'b'", lambda: Row(a=1).b)
        self.refused(AttributeError, "fields of a Row are set by row['a'] = value", lambda: setattr(Row(a=1), "a", 2))
        self.refused(KeyError, "'b'", lambda: Row(a=1)["b"])


if __name__ == "__main__":
    unittest.main()
