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
        PyRef object = PyRef::steal(source.read(row));
        ASSERT_TRUE(object);
        ASSERT_TRUE(sink.write(object.get()));
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

TEST(Loops, CopyEveryKindOfColumn) {
  for (int64_t announced : {0, 7, 1000}) {
    expect_copies("int64", "[None if i % 7 == 3 else i * 10**15 for i in range(-300, 300)]", announced);
    expect_copies("int64", "list(range(300))", announced);
    expect_copies("int32", "[-1, 0, 1, None, 2**31 - 1, -2**31] * 40", announced);
    expect_copies("float64", "[0.5, None, float('inf'), -1.0] * 40", announced);
    expect_copies("string", "['', 'abc', None, 'grüße 🐍'] * 40", announced);
    expect_copies("bool", "[True, None, False] * 40", announced);
    expect_copies("list<int64>", "[[1], None, []] * 40", announced);
  }
}

TEST(Loops, ASinkCoercesAndRefusesAsTheWriterDoes) {
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

TEST(Loops, HalfFloatsAreThoseOfStruct) {
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

// References must balance: objects that outlive a loop would fill a worker's memory.
TEST(Loops, NoReferenceIsLost) {
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
