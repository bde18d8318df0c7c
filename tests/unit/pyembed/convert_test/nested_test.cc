// Lists, structs, maps, dictionary-encoded columns, and the errors inside of them.
#include <array>

#include "support.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayBuilder;

struct Case {
  const char* type;
  const char* value;  // a Python expression
  const char* back;   // repr of what is read again, or the sentence of the refusal; nullptr: the same text as `value`
};

void expect_round_trips(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(round_trip(c.type, c.value), c.back != nullptr ? c.back : c.value) << c.type << " <- " << c.value;
  }
}
void expect_refusals(std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(written(c.type, c.value), c.back) << c.type << " <- " << c.value;
}

TEST(Nested, Lists) {
  expect_round_trips({
      {"list<int64>", "[]", nullptr},
      {"list<int64>", "[1, None, 3]", nullptr},
      {"list<int64>", "(1, 2)", "[1, 2]"},
      {"list<int64>", "range(3)", "[0, 1, 2]"},
      {"list<int64>", "collections.deque([1, 2])", "[1, 2]"},
      {"list<int64>", "Items()", "[0, 10, 20]"},
      {"list<int64>", "Other(1, 2)", "[1, 2]"},
      {"list<int64>", "__import__('array').array('i', [4, 5])", "[4, 5]"},
      {"large_list<string>", "['a', '', None]", nullptr},
      {"fixed_size_list<int8>[2]", "[1, 2]", nullptr},
      {"list<list<int64>>", "[[1], [], None, [2, 3]]", nullptr},
      {"list<bool>", "[True] * 3", "[True, True, True]"},
  });
  EXPECT_EQ(round_trip("list<int64>", "list(range(1000))"), repr(eval("list(range(1000))").get()));
  expect_refusals({
      {"list<string>", "'abc'",
       "result of type str does not fit list<string>: 'abc'; return a list, for instance list(x) or [x], or change the "
       "result type"},
      {"list<uint8>", "b'abc'",
       "result of type bytes does not fit list<uint8>: b'abc'; return a list, for instance list(x) or [x], or change "
       "the "
       "result type"},
      {"list<int64>", "{1}",
       "result of type set does not fit list<int64>: {1}; return a list, for instance list(x), or change the result "
       "type"},
      {"list<int64>", "{1: 2}",
       "result of type dict does not fit list<int64>: {1: 2}; return a list, for instance list(x), or change the "
       "result "
       "type"},
      {"list<int64>", "7",
       "result of type int does not fit list<int64>: 7; return a list, for instance list(x), or change the result "
       "type"},
      {"fixed_size_list<int8>[2]", "[1]",
       "result of type list does not fit fixed_size_list<int8>[2]: [1] has 1 items, not 2; return exactly that many, "
       "or "
       "change the result type to list"},
      {"list<int64>", "[1, 'x']",
       "result at [1] of type str does not fit int64: 'x'; return an int or change the result type"},
      {"list<list<int64>>", "[[1], [2, 'x']]",
       "result at [1][1] of type str does not fit int64: 'x'; return an int or change the result type"},
      {"list<int64>", "[BadIndex()]", "raised ValueError: no index today"},
      {"list<int64>", "[0] * 500 + ['x']",
       "result at [500] of type str does not fit int64: 'x'; return an int or change the result type"},
      {"list<int64>", "shrinking()", "[1, 2, 3]"},  // held while converted, so a list that changes does no harm
  });
}

TEST(Nested, StructsFromEverySortOfRow) {
  const char* type = "struct<a: int64, b: string>";
  const char* row = "Row(a=1, b='x')";
  expect_round_trips({
      {type, "Row(1, 'x')", row},
      {type, "Row(a=1, b='x')", row},
      {type, "Row('b', 'a')('x', 1)", row},
      {type, "Row(b='x')", "Row(a=None, b='x')"},
      {type, "(1, 'x')", row},
      {type, "[1, 'x']", row},
      {type, "(None, None)", "Row(a=None, b=None)"},
      {type, "{'a': 1, 'b': 'x'}", row},
      {type, "{'b': 'x'}", "Row(a=None, b='x')"},
      {type, "{}", "Row(a=None, b=None)"},
      {type, "OrderedDict(b='x', a=1)", row},
      {type, "types.MappingProxyType({'b': 'x', 'a': 1})", row},
      {type, "Pair('x', 1)", row},   // the names of the struct, in another order
      {type, "Other(1, 'x')", row},  // other names: by position
      {type, "Point(1, 'x')", row},
      {type, "Half(1)", "Row(a=1, b=None)"},
      {"struct<a: struct<b: list<int64>>>", "Row(Row([1]))", "Row(a=Row(b=[1]))"},
      {"struct<a: list<struct<b: int64>>>", "([(1,), None, {'b': 2}],)", "Row(a=[Row(b=1), None, Row(b=2)])"},
      {"list<struct<a: int64>>", "[(1,), (2,)]", "[Row(a=1), Row(a=2)]"},
  });
}

TEST(Nested, StructRefusals) {
  const char* type = "struct<a: int64 not null, b: string>";
  const std::string of = std::string(" does not fit ") + type + ": ";
  EXPECT_EQ(written(type, "(1,)"), "result of type tuple" + of + "(1,) has 1 field, not 2; return the fields a, b");
  EXPECT_EQ(written(type, "Row(1, 2, 3)"),
            "result of type clutch_row.Row" + of + "<Row(1, 2, 3)> has 3 fields, not 2; return the fields a, b");
  EXPECT_EQ(written(type, "{'b': 'x'}"),
            "result of type dict" + of + "{'b': 'x'} lacks the key 'a', which is not null; return the fields a, b");
  EXPECT_EQ(written(type, "{'a': 1, 'c': 2}"),
            "result of type dict" + of + "{'a': 1, 'c': 2} has the unknown key 'c'; return the fields a, b");
  EXPECT_EQ(written(type, "Row(a=1, f0=2)"),
            "result of type clutch_row.Row" + of + "Row(a=1, f0=2) has the unknown field 'f0'; return the fields a, b");
  EXPECT_EQ(written(type, "Row(b='x')"),
            "result of type clutch_row.Row" + of +
                "Row(b='x') lacks the field 'a', which is not null; return the fields a, b");
  EXPECT_EQ(written(type, "Wide(1, 'x', 2.0)"),
            "result of type Wide" + of + "Wide(a=1, b='x', c=2.0) has the unknown field 'c'; return the fields a, b");
  EXPECT_EQ(written(type, "Row('b', 'a')(1)"),
            "result of type clutch_row.Row" + of + "Row(b=1) has 2 names for 1 values; name all its fields");
  EXPECT_EQ(written(type, "5"),
            "result of type int" + of + "5; return a Row, tuple, list, dict or dataclass with the fields a, b");
  EXPECT_EQ(written(type, "'ab'"),
            "result of type str" + of + "'ab'; return a Row, tuple, list, dict or dataclass with the fields a, b");
  EXPECT_EQ(written(type, "Point"), "result of type type" + of +
                                        "<class 'Point'>; return a Row, tuple, list, dict or dataclass with the fields "
                                        "a, b");
  EXPECT_EQ(written("struct<a: struct<b: list<int64>>>", "(([1, 'x'],),)"),
            "result at .a.b[1] of type str does not fit int64: 'x'; return an int or change the result type");
}

TEST(Nested, Maps) {
  expect_round_trips({
      {"map<string, int64>", "{}", nullptr},
      {"map<string, int64>", "{'a': 1, 'b': None}", nullptr},
      {"map<int64, list<string>>", "{1: ['x'], 2: []}", nullptr},
      {"map<string, int64>", "[('a', 1), ['b', 2]]", "{'a': 1, 'b': 2}"},
      {"map<string, int64>", "OrderedDict(a=1)", "{'a': 1}"},
      {"map<string, int64>", "Table(a=1)", "{'a': 1}"},
      {"map<string, int64>", "collections.ChainMap({'a': 1})", "{'a': 1}"},
      {"map<string, int64>", "[('a', 1), ('a', 2)]", "{'a': 2}"},
      {"map<struct<x: int64>, int64>", "{(1,): 2}", "{Row(x=1): 2}"},
      {"map<date32, int64>", "{date(2024, 1, 2): 1}", "{datetime.date(2024, 1, 2): 1}"},
  });
  expect_refusals({
      {"map<string, int64>", "5",
       "result of type int does not fit map<string, int64>: 5; return a dict or a list of pairs, or change the result "
       "type"},
      {"map<string, int64>", "[('a', 1), 'xy']",
       "result of type list does not fit map<string, int64>: [('a', 1), 'xy'] has no pair at index 1; return a dict or "
       "a "
       "list of (key, value)"},
      {"map<string, int64>", "{1: 2}",
       "result at .key of type int does not fit string not null: 1; return a str, for instance str(x), or change the "
       "result type"},
      {"map<string, int64>", "{'a': 'b'}",
       "result at ['a'] of type str does not fit int64: 'b'; return an int or change the result type"},
  });
  EXPECT_EQ(
      round_trip("map<list<int64>, string>", "[([1], 'x')]"),
      "column: map<list<int64>, string> cannot become a dict, because Python's lists and dicts cannot be keys; use "
      "a list of structs with key and value instead");
}

// Rows [start, start + length) of a column must read as those of the whole.
TEST(Nested, SlicedColumnsReadTheirOwnRows) {
  const columnar::Field field = field_of(
      "struct<i: int32, s: string, b: bool, l: list<int64>, f: fixed_size_list<int8>[2], m: map<string, int64>, t: "
      "struct<x: float64>>");
  auto writer = Writer::make(field, test_module());
  ASSERT_TRUE(writer.ok());
  ArrayBuilder builder(field);
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    PyRef value = i % 5 == 3 ? eval("None")
                             : eval("(" + n + ", 's" + n + "', " + n + " % 2 == 0, [" + n + "] * (" + n +
                                    " % 3), [1, " + n + "], {'k" + n + "': " + n + "}, (" + n + " / 2,))");
    ASSERT_TRUE((*writer)->write(value.get(), builder)) << (*writer)->mismatch().sentence();
  }
  const columnar::Array array = builder.finish();
  const columnar::Array part = columnar::slice(*array, 7, 9);
  const columnar::Array piece = columnar::slice(*part, 2, 5);
  auto reader = Reader::make(field, test_module());
  ASSERT_TRUE(reader.ok());
  std::string expected;
  ASSERT_TRUE((*reader)->bind(*array));
  for (int row = 9; row < 14; ++row) {
    expected += (row == 9 ? "" : ", ") + repr(PyRef::steal((*reader)->read(row)).get());
  }
  EXPECT_EQ(read_all(field, *piece), expected);
  EXPECT_NE(expected.find("None"), std::string::npos);
}

columnar::Array dictionary_of(const columnar::Field& field, std::initializer_list<int> indices,
                              std::initializer_list<const char*> values) {
  ArrayBuilder builder(field);
  auto writer = Writer::make(field.type.children[0], test_module());
  for (const char* value : values) EXPECT_TRUE((*writer)->write(eval(value).get(), builder.child(0)));
  for (int index : indices) {
    if (index < 0) {
      builder.append_null();
    } else {
      builder.append<int32_t>(index);
    }
  }
  return builder.finish();
}

TEST(Nested, DictionaryColumnsReadAsTheirValuesAndShareThem) {
  const columnar::Field field = field_of("dictionary<int32, string>");
  const columnar::Array array = dictionary_of(field, {1, 0, -1, 1, 2}, {"'long enough'", "'other text'", "None"});
  EXPECT_EQ(read_all(field, *array), "'other text', 'long enough', None, 'other text', None");
  auto reader = Reader::make(field, test_module());
  ASSERT_TRUE((*reader)->bind(*array));
  PyRef first = PyRef::steal((*reader)->read(0)), again = PyRef::steal((*reader)->read(3));
  EXPECT_EQ(first.get(), again.get());
  (*reader)->unbind();
  // Another dictionary at the next batch: nothing of the old one may be seen.
  const columnar::Array next = dictionary_of(field, {1}, {"'a'", "'b'"});
  ASSERT_TRUE((*reader)->bind(*next));
  EXPECT_EQ(repr(PyRef::steal((*reader)->read(0)).get()), "'b'");
}

TEST(Nested, MutableValuesOfADictionaryAreNotShared) {
  const columnar::Field field = field_of("dictionary<int32, list<int64>>");
  const columnar::Array array = dictionary_of(field, {0, 0}, {"[1]"});
  auto reader = Reader::make(field, test_module());
  ASSERT_TRUE((*reader)->bind(*array));
  PyRef first = PyRef::steal((*reader)->read(0)), again = PyRef::steal((*reader)->read(1));
  EXPECT_NE(first.get(), again.get());
}

TEST(Nested, DictionaryColumnsAreNoResults) {
  EXPECT_EQ(
      written("dictionary<int32, string>", "'a'"),
      "result: type dictionary<int32, string> cannot be written; declare the type of its values as the result type");
}

// A row that fails halfway must leave the rows before it, and room for the rows after it.
TEST(Nested, AFailedValueLeavesNothingBehind) {
  const columnar::Field field = field_of("struct<a: list<int64>, b: map<string, struct<c: string, d: int8>>>");
  auto writer = Writer::make(field, test_module());
  ArrayBuilder builder(field);
  const std::array<const char*, 5> values = {"([1, 2], {'k': ('x', 1)})", "([3], {'k': ('y', 1), 'l': ('z', 1000)})",
                                             "([4, 'x'], {})", "(5, {})", "([6], {'m': ('w', 2)})"};
  std::array<PyRef, 5> objects;
  for (size_t i = 0; i < values.size(); ++i) objects[i] = eval(values[i]);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ((*writer)->write(objects[i].get(), builder), i == 0 || i == 4) << values[i];
  }
  const columnar::Array array = builder.finish();
  EXPECT_EQ(read_all(field, *array), "Row(a=[1, 2], b={'k': Row(c='x', d=1)}), Row(a=[6], b={'m': Row(c='w', d=2)})");

  std::array<PyObject*, 3> many = {objects[0].get(), objects[1].get(), objects[4].get()};
  EXPECT_EQ((*writer)->write_many(many.data(), 3, builder), 1);
  EXPECT_EQ((*writer)->mismatch().path, ".b['l'].d");
  EXPECT_EQ((*writer)->write_many(many.data() + 2, 1, builder), 1);
  const columnar::Array again = builder.finish();
  EXPECT_TRUE(columnar::equal(field, *array, *again));
}

}  // namespace
}  // namespace clutch::pyembed
