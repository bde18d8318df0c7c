// The Row class: what functions written for PyFlink see.
#include "support.h"

namespace clutch::pyembed {
namespace {

std::string run(const std::string& expression) {
  test_module();
  PyRef value = eval(expression);
  return value ? repr(value.get()) : "";
}

TEST(Row, PrintsAsPyFlinkDoes) {
  EXPECT_EQ(run("Row(1, 'hi')"), "<Row(1, 'hi')>");
  EXPECT_EQ(run("Row(name='Alice', age=11)"), "Row(age=11, name='Alice')");
  EXPECT_EQ(run("Row('name', 'age')('Alice', 11)"), "Row(name='Alice', age=11)");
  EXPECT_EQ(run("Row()"), "<Row()>");
}

TEST(Row, ReadsByPositionNameSliceAndAttribute) {
  EXPECT_EQ(run("(lambda r: (r[0], r[-1], r['b'], r.a, r[0:2], list(r), len(r)))(Row(a=1, b=2, c=3))"),
            "(1, 3, 2, 1, [1, 2], [1, 2, 3], 3)");
  EXPECT_EQ(run("1 in Row(a=1), 'a' in Row(a=1), hasattr(Row(1), '_fields'), hasattr(Row(a=1), '_fields')"),
            "(True, False, False, True)");
}

TEST(Row, CanBeChanged) {
  test_module();
  run_python(
      "r = Row(a=1, b=2)\nr[0] = 5\nr['b'] = 6\nk = r.get_row_kind()\nr.set_row_kind(RowKind.DELETE)\n"
      "n = Row(1, 2)\nn.set_field_names(['x', 'y'])");
  EXPECT_EQ(run("r, k, r.get_row_kind(), n, n.y"),
            "(Row(a=5, b=6), <RowKind.INSERT: 0>, <RowKind.DELETE: 3>, Row(x=1, y=2), 2)");
}

TEST(Row, RefusesWhatPyFlinkRefuses) {
  test_module();
  run_python(R"py(
def error(f):
    try:
        return f()
    except Exception as e:
        return type(e).__name__ + ': ' + str(e)
)py");
  EXPECT_EQ(run("error(lambda: Row(1, a=2))"), "'ValueError: Row takes values by position or by name, not both'");
  EXPECT_EQ(run("error(lambda: Row(a=1).b)"), "\"AttributeError: Row(a=1) has no field 'b'\"");
  EXPECT_EQ(run("error(lambda: setattr(Row(a=1), 'a', 2))"),
            "\"AttributeError: fields of a Row are set by row['a'] = value\"");
  EXPECT_EQ(run("error(lambda: Row(1).as_dict())"),
            "'TypeError: a Row without field names has no dict; set them with set_field_names'");
  EXPECT_EQ(run("error(lambda: Row('a')(1, 2))"), "\"ValueError: <Row('a')> has 1 fields, 2 values were given\"");
  EXPECT_EQ(run("error(lambda: Row(a=1)['b'])"), "\"KeyError: 'b'\"");
}

TEST(Row, ComparesHashesAndCopies) {
  EXPECT_EQ(run("Row(1, 2) == Row(1, 2), Row(a=1) == Row(a=1), Row(a=1) == Row(1), Row(1) == (1,), Row(1) != Row(2)"),
            "(True, True, False, False, True)");
  EXPECT_EQ(run("{Row(1, 2): 'v'}[Row(1, 2)], len({Row(a=1), Row(a=1)})"), "('v', 1)");
  EXPECT_EQ(run("(lambda p, r: (p.loads(p.dumps(r)), p.loads(p.dumps(r)) == r, p.loads(p.dumps(r)).get_row_kind()))"
                "(__import__('pickle'), Row(a=[1], b=Row(2)))"),
            "(Row(a=[1], b=<Row(2)>), True, <RowKind.INSERT: 0>)");
  EXPECT_EQ(run("__import__('pickle').loads(__import__('pickle').dumps(Row)) is Row"), "True");
  EXPECT_EQ(run("(lambda r: (r, r is not r))(__import__('copy').deepcopy(Row(a=[1])))"), "(Row(a=[1]), False)");
}

TEST(Row, HasADict) {
  EXPECT_EQ(run("Row(a=1, b=Row(c=2)).as_dict()"), "{'a': 1, 'b': Row(c=2)}");
  EXPECT_EQ(run("Row(a=[Row(c=2)], b={'k': Row(d=1)}).as_dict(True)"), "{'a': [{'c': 2}], 'b': {'k': {'d': 1}}}");
  EXPECT_EQ(run("Row(a=1, b=2).get_fields_by_names(['b', 'a'])"), "[2, 1]");
}

TEST(Row, MadeByTheRuntimeIsLikeAnyOther) {
  test_module();
  const columnar::Field field = field_of("struct<a: int64, b: string>");
  auto reader = Reader::make(field, test_module());
  auto writer = Writer::make(field, test_module());
  columnar::ArrayBuilder builder(field);
  ASSERT_TRUE((*writer)->write(eval("(1, 'x')").get(), builder));
  const columnar::Array array = builder.finish();
  ASSERT_TRUE((*reader)->bind(*array));
  PyRef row = PyRef::steal((*reader)->read(0));
  PyRef same = eval("Row(a=1, b='x')");
  EXPECT_EQ(PyObject_RichCompareBool(row.get(), same.get(), Py_EQ), 1);
  PyRef kind = PyRef::steal(PyObject_CallMethod(row.get(), "get_row_kind", nullptr));
  EXPECT_EQ(repr(kind.get()), "<RowKind.INSERT: 0>");
  PyRef text = PyRef::steal(PyObject_GetAttrString(row.get(), "b"));
  EXPECT_EQ(repr(text.get()), "'x'");
}

TEST(Row, IsDefinedOnceInAnInterpreter) {
  auto again = Module::make();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->row_type(), test_module().row_type());
}

}  // namespace
}  // namespace clutch::pyembed
