// The inlined sources and sinks do what Reader and Writer do, for every value.
#include <cstdlib>

#include "convert/fast.h"
#include "convert/float16.h"
#include "support.h"

namespace clutch::pyembed {
namespace {

using columnar::ArrayBuilder;

// Values in, the same values out: through the loops a function runs in.
void expect_copies(const char* type, const char* list, int64_t announced) {
  const columnar::Field field = field_of(type);
  auto reader = Reader::make(field, test_module());
  auto writer = Writer::make(field, test_module());
  ASSERT_TRUE(reader.ok() && writer.ok());
  PyRef values = eval(list);
  ArrayBuilder builder(field);
  for (Py_ssize_t i = 0; i < PyList_Size(values.get()); ++i) {
    ASSERT_TRUE((*writer)->write(PyList_GetItem(values.get(), i), builder));
  }
  const columnar::Array array = builder.finish();
  ASSERT_TRUE((*reader)->bind(*array));
  with_source(**reader, *array, [&](auto& source) {
    with_sink(**writer, builder, announced, [&](auto& sink) {
      for (int64_t row = 0; row < array->length; ++row) {
        PyObject* object = source.read(row);
        ASSERT_NE(object, nullptr);
        ASSERT_TRUE(sink.write(object));
        source.done(object);
      }
    });
  });
  const columnar::Array copy = builder.finish();
  EXPECT_TRUE(columnar::equal(field, *array, *copy)) << type;
  EXPECT_EQ(read_all(field, *copy), read_all(field, *array));

  std::vector<PyObject*> many(static_cast<size_t>(array->length));
  ASSERT_EQ((*reader)->read_many(0, array->length, many.data()), array->length);
  EXPECT_EQ((*writer)->write_many(many.data(), array->length, builder), array->length);
  for (PyObject* object : many) Py_DECREF(object);
  EXPECT_TRUE(columnar::equal(field, *array, *builder.finish())) << type;
}

class Loops : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const ObjectLayout& layout = test_module().layout();
    EXPECT_TRUE(layout.knows_ints() && layout.knows_floats() && layout.knows_text() && layout.knows_text_state())
        << "this interpreter's objects look different";
    if (GetParam()) const_cast<Module&>(test_module()).layout().forget();
  }
  void TearDown() override { const_cast<Module&>(test_module()).layout().find(); }
};

INSTANTIATE_TEST_SUITE_P(Layout, Loops, testing::Values(false, true),
                         [](const auto& instance) { return instance.param ? "Api" : "Memory"; });

TEST_P(Loops, CopyEveryKindOfColumn) {
  for (int64_t announced : {0, 7, 1000}) {
    expect_copies("int64", "[None if i % 7 == 3 else i * 10**15 for i in range(-300, 300)]", announced);
    expect_copies("int64", "list(range(300))", announced);
    expect_copies("int64", "[s * (2**b + d) for b in range(8, 63) for d in (-1, 0, 1) for s in (-1, 1)]", announced);
    expect_copies("int32", "[-1, 0, 1, None, 2**31 - 1, -2**31] * 40", announced);
    expect_copies("float64", "[0.5, None, float('inf'), -1.0] * 40", announced);
    expect_copies("string", "['', 'abc', None, 'grüße 🐍'] * 40", announced);
    expect_copies("string", "['x' * n + t for n in range(100) for t in ('', 'a', 'b', 'ü')]", announced);
    expect_copies("bool", "[True, None, False] * 40", announced);
    expect_copies("list<int64>", "[[1], None, []] * 40", announced);
  }
}

TEST_P(Loops, ASinkCoercesAndRefusesAsTheWriterDoes) {
  const columnar::Field field = field_of("int32");
  auto writer = Writer::make(field, test_module());
  ArrayBuilder builder(field);
  with_sink(**writer, builder, 4, [&](auto& sink) {
    EXPECT_TRUE(sink.write(eval("1").get()));
    EXPECT_TRUE(sink.write(eval("True").get()));
    EXPECT_FALSE(sink.write(eval("2**31").get()));
    EXPECT_EQ(PyErr_Occurred(), nullptr);
    EXPECT_NE((*writer)->mismatch().sentence().find("2147483648 is outside of"), std::string::npos);
    EXPECT_FALSE(sink.write(eval("2**80").get()));
    EXPECT_EQ(PyErr_Occurred(), nullptr);
    EXPECT_FALSE(sink.write(eval("BadIndex()").get()));
    EXPECT_EQ(take_python_error(), "ValueError: no index today");
    EXPECT_TRUE(sink.write(Py_None));
    EXPECT_TRUE(sink.write(eval("Color.RED").get()));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(sink.write(eval("-1").get()));
  });
  EXPECT_EQ(builder.length(), 104);
  EXPECT_EQ(read_all(field, *builder.finish()).substr(0, 20), "1, 1, None, 1, -1, -");

  const columnar::Field text = field_of("string");
  auto text_writer = Writer::make(text, test_module());
  ArrayBuilder text_builder(text);
  with_sink(**text_writer, text_builder, 4, [&](auto& sink) {
    EXPECT_TRUE(sink.write(eval("Text('sub')").get()));
    EXPECT_FALSE(sink.write(eval("'\\ud800'").get()));
    EXPECT_EQ(PyErr_Occurred(), nullptr);
    EXPECT_FALSE(sink.write(eval("b'x'").get()));
  });
  EXPECT_EQ(read_all(text, *text_builder.finish()), "'sub'");
}

TEST(LoopsOnce, HalfFloatsAreThoseOfStruct) {
  test_module();
  run_python("import struct\nhalves = [struct.unpack('<e', struct.pack('<H', i))[0] for i in range(65536)]");
  PyRef halves = eval("halves");
  for (int bits = 0; bits < 65536; ++bits) {
    const double expected = PyFloat_AsDouble(PyList_GetItem(halves.get(), bits));
    const double value = half_to_double(static_cast<uint16_t>(bits));
    if (expected != expected) {
      ASSERT_NE(value, value) << bits;
      continue;
    }
    ASSERT_EQ(value, expected) << bits;
    ASSERT_EQ(double_to_half(value), bits);
  }
  run_python("packed = [struct.unpack('<H', struct.pack('<e', i * 0.37))[0] for i in range(-50000, 50000)]");
  PyRef packed = eval("packed");
  for (int i = -50000; i < 50000; ++i) {
    ASSERT_EQ(double_to_half(i * 0.37), PyLong_AsLong(PyList_GetItem(packed.get(), i + 50000))) << i;
  }
}

// A column of these values, and the objects a function makes of its arguments one by one, in a list.
void for_each_argument(const char* type, const char* list, const char* function, std::string* result) {
  const columnar::Field field = field_of(type);
  auto reader = Reader::make(field, test_module());
  auto writer = Writer::make(field, test_module());
  PyRef values = eval(list), callable = eval(function);
  ArrayBuilder builder(field);
  for (Py_ssize_t i = 0; i < PyList_Size(values.get()); ++i) {
    ASSERT_TRUE((*writer)->write(PyList_GetItem(values.get(), i), builder));
  }
  const columnar::Array array = builder.finish();
  ASSERT_TRUE((*reader)->bind(*array));
  PyRef results = PyRef::steal(PyList_New(0));
  with_source(**reader, *array, [&](auto& source) {
    for (int64_t row = 0; row < array->length; ++row) {
      PyObject* argument = source.read(row);
      PyRef made = PyRef::steal(PyObject_CallFunctionObjArgs(callable.get(), argument, nullptr));
      source.done(argument);
      ASSERT_TRUE(made) << take_python_error();
      PyList_Append(results.get(), made.get());
    }
  });
  *result = repr(results.get());
}

// An argument is filled again for the next row; a function must never see that.
TEST_P(Loops, WhatAFunctionKeepsStaysAsItWas) {
  struct Kept {
    const char* type;
    const char* values;
  };
  for (const Kept& kept :
       {Kept{"int64", "[i * 1000003 for i in range(-50, 50)]"}, Kept{"int32", "[70000 + i for i in range(100)]"},
        Kept{"float64", "[i / 7 for i in range(100)]"}, Kept{"string", "['text %03d' % i for i in range(100)]"}}) {
    const std::string expected = repr(eval(kept.values).get());
    std::string got;
    for_each_argument(kept.type, kept.values, "lambda x: x", &got);
    EXPECT_EQ(got, expected) << kept.type;
    for_each_argument(kept.type, kept.values, "lambda x: (hash(x), x)", &got);
    EXPECT_EQ(got, repr(eval("[(hash(x), x) for x in " + std::string(kept.values) + "]").get())) << kept.type;
    run_python("seen = {}\nholders = []");
    for_each_argument(kept.type, kept.values, "lambda x: seen.setdefault(x, len(seen))", &got);
    EXPECT_EQ(repr(eval("list(seen)").get()), expected) << kept.type;
    for_each_argument(kept.type, kept.values, "lambda x: holders.append(lambda: x)", &got);
    EXPECT_EQ(repr(eval("[h() for h in holders]").get()), expected) << kept.type;
  }
  // Interned strings and attribute names live on in tables that do not count as references.
  run_python("import sys\nclass Thing: pass\nthing = Thing()");
  std::string got;
  for_each_argument("string", "['attr_%03d' % i for i in range(100)]", "lambda x: (setattr(thing, x, x), None)[1]",
                    &got);
  EXPECT_EQ(repr(eval("vars(thing)").get()),
            repr(eval("{'attr_%03d' % i: 'attr_%03d' % i for i in range(100)}").get()));
  for_each_argument("string", "['in %03d' % i for i in range(100)]", "lambda x: (sys.intern(x), None)[1]", &got);
  EXPECT_EQ(repr(eval("[sys.intern('in %03d' % i) for i in range(100)]").get()),
            repr(eval("['in %03d' % i for i in range(100)]").get()));
  for_each_argument("string", "['text %03d' % i for i in range(100)]", "lambda x: x.upper() + x[5:]", &got);
  EXPECT_EQ(got, repr(eval("['TEXT %03d%03d' % (i, i) for i in range(100)]").get()));
}

// References must balance: objects that outlive a loop would fill a worker's memory.
TEST(LoopsOnce, NoReferenceIsLost) {
  test_module();
  run_python("probe = 'x' * 50\nbad = [object() for _ in range(3)]");
  PyRef probe = eval("probe");
  PyRef refcount = eval("sys.getrefcount");
  const auto count = [&] {
    PyRef number = PyRef::steal(PyObject_CallFunctionObjArgs(refcount.get(), probe.get(), nullptr));
    return PyLong_AsLong(number.get());
  };
  const long before = count();
  for (const char* type : {"int64", "string", "list<string>", "struct<a: string>", "map<string, string>", "date32"}) {
    for (const char* value : {"probe", "[probe]", "{'a': probe}", "(probe,)", "Row(a=probe)", "Row(b=probe)",
                              "[[probe]]", "{probe: probe}", "{probe: 1}"}) {
      written(type, value);
    }
  }
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace clutch::pyembed
