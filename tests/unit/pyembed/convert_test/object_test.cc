// Types that say what a value is to Python: pickles and tuples.
#include <string>

#include "convert/pickler.h"
#include "convert/plain_pickle.h"
#include "support.h"

namespace clutch::pyembed {
namespace {

const ObjectLayout& layout() { return test_module().layout(); }

PyRef bytes_of(std::string_view text) {
  return PyRef::steal(PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

// repr of what the pickle module reads.
std::string unpickled(std::string_view bytes) {
  PyRef loads = eval("__import__('pickle').loads");
  PyRef given = bytes_of(bytes);
  PyRef value = PyRef::steal(PyObject_CallFunctionObjArgs(loads.get(), given.get(), nullptr));
  return value ? repr(value.get()) : take_python_error();
}

constexpr const char* kPlain[] = {"0",
                                  "1",
                                  "255",
                                  "256",
                                  "65535",
                                  "65536",
                                  "-1",
                                  "2**31 - 1",
                                  "2**31",
                                  "-2**31",
                                  "-2**31 - 1",
                                  "2**62",
                                  "-2**62",
                                  "2**63 - 1",
                                  "-2**63",
                                  "128",
                                  "-128",
                                  "2**39",
                                  "-2**39",
                                  "True",
                                  "False",
                                  "0.0",
                                  "-0.0",
                                  "1.5",
                                  "float('inf')",
                                  "1e-320",
                                  "''",
                                  "'a'",
                                  "'b\\xe9'",
                                  "'\\u20ac\\U0001f389'",
                                  "'x' * 255",
                                  "'x' * 256",
                                  "b''",
                                  "b'\\x00\\xff'",
                                  "b'y' * 300",
                                  "()",
                                  "(1,)",
                                  "(1, 'a')",
                                  "(1, 2, 3)",
                                  "(1, 2, 3, 4)",
                                  "(None, True, ((), (1.5, b'z')))",
                                  "tuple(range(16))",
                                  "((1, (2, 3, 4, 5)), 6, 7, 8)",
                                  "[]",
                                  "[1]",
                                  "[1, 'a']",
                                  "{}",
                                  "{'a': 1}",
                                  "{'a': [1, {2: ()}], (1, 2): None}",
                                  "[[1, 2], [3, 4], (5, [6])]",
                                  "{i: [i] for i in range(15)}",
                                  "[(i, i, i, i) for i in range(16)]",
                                  "[{i: [i, (i, i, i, i)] for i in range(4)}]"};

TEST(PlainPickle, IsAPickleAndComesBack) {
  for (const char* text : kPlain) {
    SCOPED_TRACE(text);
    PyRef value = eval(text);
    std::string bytes;
    ASSERT_TRUE(dump_plain(value.get(), layout(), false, bytes));
    EXPECT_EQ(unpickled(bytes), repr(value.get()));
    PyRef back = load_plain(bytes, layout());
    ASSERT_TRUE(back);
    EXPECT_EQ(repr(back.get()), repr(value.get()));
    EXPECT_EQ(Py_TYPE(back.get()), Py_TYPE(value.get()));
  }
}

TEST(PlainPickle, LeavesOtherObjectsToPickle) {
  run_python(
      "def twice():\n  x = [1]\n  return [x, x]\n"
      "def endless():\n  x = []\n  x.append(x)\n  return x\n");
  for (const char* text : {"2**63",
                           "-2**63 - 1",
                           "[[[[[]]]]]",
                           "[set()]",
                           "{1: 1j}",
                           "Color.RED",
                           "Text('a')",
                           "Number(1)",
                           "Real(1.5)",
                           "Raw(b'a')",
                           "Pair(1, 2)",
                           "'\\ud800'",
                           "twice()",
                           "twice()[0:1] * 2",
                           "endless()",
                           "[[] for i in range(16)]",
                           "list(range(17))",
                           "dict.fromkeys(range(17))",
                           "tuple(range(17))",
                           "(((((1,),),),),)",
                           "object()",
                           "1j",
                           "bytearray(b'a')",
                           "Decimal(1)"}) {
    std::string bytes;
    EXPECT_FALSE(dump_plain(eval(text).get(), layout(), false, bytes)) << text;
    EXPECT_EQ(PyErr_Occurred(), nullptr) << text;
  }
}

TEST(PlainPickle, BytesOfOthersAreNotReadAndDoNoHarm) {
  for (const char* text : kPlain) {
    std::string bytes;
    ASSERT_TRUE(dump_plain(eval(text).get(), layout(), false, bytes));
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(load_plain(std::string_view(bytes).substr(0, size), layout())) << text << " cut to " << size;
      EXPECT_EQ(PyErr_Occurred(), nullptr);
    }
    EXPECT_FALSE(load_plain(bytes + ".", layout())) << text;
    // Any byte may be another one: what is read then is what pickle reads, if it is read at all.
    for (size_t at = 2; at < std::min<size_t>(bytes.size(), 40); ++at) {
      for (const char other : {'\0', '(', 't', '.', ')', '\x85', '\x8a', 'K', 'X', 'B', '\xff'}) {
        std::string changed = bytes;
        changed[at] = other;
        if (PyRef read = load_plain(changed, layout()); read) {
          EXPECT_EQ(repr(read.get()), unpickled(changed)) << text;
        }
        EXPECT_EQ(PyErr_Occurred(), nullptr);
      }
    }
  }
  run_python("import pickle");
  for (const char* text :
       {"pickle.dumps([1])", "pickle.dumps('a', 2)", "pickle.dumps('a', 0)", "b''", "b'\\x80'", "b'\\x80\\x05'"}) {
    PyRef given = eval(text);
    const std::string_view bytes(PyBytes_AsString(given.get()), static_cast<size_t>(PyBytes_Size(given.get())));
    EXPECT_FALSE(load_plain(bytes, layout())) << text;
  }
}

TEST(Pickles, AnyObjectComesBack) {
  for (const char* text : {"[1, 'x', None]", "{'a': [1.5]}", "{1, 2}", "Row(1, 'x')", "Row(a=1, b='x')",
                           "Decimal('1.50')", "date(2020, 2, 29)", "2**100", "'\\ud800'", "1j", "range(3)", "Row",
                           "timedelta(days=1)", "OrderedDict([('a', 1)])", "bytearray(b'ab')"}) {
    EXPECT_EQ(round_trip("pickle", text), repr(eval(text).get())) << text;
  }
  EXPECT_EQ(round_trip("pickle", "None"), "None");
  EXPECT_EQ(written("pickle", "None"), "null");
  EXPECT_EQ(round_trip("list<pickle>", "[1, None, 'a', [2]]"), "[1, None, 'a', [2]]");
  EXPECT_EQ(round_trip("struct<a: pickle>", "{'a': {1: 2}}"), "Row(a={1: 2})");
  EXPECT_EQ(round_trip("map<string, pickle>", "{'a': (1, [2])}"), "{'a': (1, [2])}");
  EXPECT_EQ(round_trip("map<pickle, int64>", "{(1, 'a'): 2}"), "{(1, 'a'): 2}");
}

TEST(Pickles, PartsThatAreTheSameObjectStayThat) {
  EXPECT_EQ(round_trip("pickle", "(lambda x: [x, x, x[0] if x else 0])([[]])"), "[[[]], [[]], []]");
  run_python(
      "def same(pair): return pair[0] is pair[1]\ntwin = []\ntwins = [twin, twin]\nloop = []\nloop.append(loop)");
  Pickler pickler = *Pickler::make(layout());
  std::string_view bytes;
  ASSERT_TRUE(pickler.dump(eval("twins").get(), bytes));
  PyRef back = PyRef::steal(pickler.load(bytes));
  PyRef same = eval("same");
  PyRef answer = PyRef::steal(PyObject_CallFunctionObjArgs(same.get(), back.get(), nullptr));
  EXPECT_EQ(answer.get(), Py_True);
  EXPECT_EQ(round_trip("pickle", "loop"), "[[...]]");
}

TEST(Pickles, KeysOfEqualPartsHaveEqualBytes) {
  const auto bytes_for = [](const char* text, bool keys) {
    Pickler pickler = *Pickler::make(layout());
    if (keys) pickler.use_for_keys();
    std::string_view bytes;
    EXPECT_TRUE(pickler.dump(eval(text).get(), bytes)) << take_python_error();
    return std::string(bytes);
  };
  run_python("def text(): return ''.join(['long', ' text'])\nshared = text()");
  const char* same = "[(shared, shared), {'k': shared}, Row(shared, shared)]";
  const char* other = "[(text(), text()), {''.join(['k']): text()}, Row(text(), text())]";
  EXPECT_NE(bytes_for(same, false), bytes_for(other, false)) << "pickle notes which parts are the same";
  EXPECT_EQ(bytes_for(same, true), bytes_for(other, true));
  EXPECT_EQ(bytes_for("(shared, shared)", false), bytes_for("(text(), text())", false)) << "not of what cannot change";
  run_python("part = [1]");
  EXPECT_NE(bytes_for("[part, part]", false), bytes_for("[[1], [1]]", false));
  EXPECT_EQ(bytes_for("[part, part]", true), bytes_for("[[1], [1]]", true));
  EXPECT_EQ(unpickled(bytes_for(same, true)), repr(eval(same).get()));

  run_python("endless = []\nendless.append(endless)");
  Pickler keys = *Pickler::make(layout());
  keys.use_for_keys();
  std::string_view bytes;
  EXPECT_FALSE(keys.dump(eval("endless").get(), bytes));
  EXPECT_TRUE(take_python_error().rfind("ValueError: fast mode: can't pickle cyclic objects", 0) == 0);
}

TEST(Pickles, WhatPickleDoesNotTakeIsTold) {
  const std::string refused = written("pickle", "__import__('threading').Lock()");
  EXPECT_EQ(refused.rfind("result of type _thread.lock does not fit pickle: <unlocked _thread.lock object at 0x", 0),
            0u)
      << refused;
  EXPECT_NE(refused.find(" cannot be pickled (TypeError: c"), std::string::npos) << refused;
  EXPECT_NE(refused.find("; return what pickle takes, or declare a result type"), std::string::npos) << refused;
  EXPECT_EQ(written("pickle not null", "None"),
            "result of type NoneType does not fit pickle not null: None; return a value, or declare the result type "
            "nullable");
  run_python("class Stops:\n  def __reduce__(self): raise KeyboardInterrupt('now')");
  EXPECT_EQ(written("pickle", "[Stops()]"), "raised KeyboardInterrupt: now");
}

TEST(Pickles, FunctionsAndTheProgramsOwnClassesGoToCloudpickle) {
  if (!importable("cloudpickle")) GTEST_SKIP() << "this interpreter has no cloudpickle";
  run_python(
      "import __main__\n"
      "exec('class Own:\\n  def __init__(self, x): self.x = x\\n  def __repr__(self): return \"Own(%r)\" % self.x',"
      " __main__.__dict__)\n"
      "own = __main__.Own([1])\n"
      "add = lambda x: x + 1");
  EXPECT_EQ(round_trip("pickle", "own"), "Own([1])");
  // Another process has another __main__, so its classes travel by value.
  Pickler pickler = *Pickler::make(layout());
  std::string_view bytes;
  ASSERT_TRUE(pickler.dump(eval("own").get(), bytes));
  run_python("del __main__.Own");
  PyRef back = PyRef::steal(pickler.load(bytes));
  ASSERT_TRUE(back) << take_python_error();
  EXPECT_EQ(repr(back.get()), "Own([1])");
  ASSERT_TRUE(pickler.dump(eval("[add]").get(), bytes)) << take_python_error();
  ASSERT_TRUE(pickler.dump(eval("[add]").get(), bytes)) << "again, straight";
  PyRef list = PyRef::steal(pickler.load(bytes));
  ASSERT_TRUE(list) << take_python_error();
  PyRef three = PyRef::steal(PyObject_CallFunction(PyList_GetItem(list.get(), 0), "i", 2));
  EXPECT_EQ(repr(three.get()), "3");
}

TEST(Tuples, AreTuples) {
  const char* type = "tuple<f0: int64, f1: string>";
  for (const char* text : {"(1, 'x')", "[1, 'x']", "Row(1, 'x')", "Row(a=1, b='x')", "Other(1, 'x')", "Pair(1, 'x')"}) {
    EXPECT_EQ(round_trip(type, text), "(1, 'x')") << text;
  }
  EXPECT_EQ(round_trip(type, "(None, None)"), "(None, None)");
  EXPECT_EQ(round_trip(type, "None"), "None");
  EXPECT_EQ(round_trip("tuple<>", "()"), "()");
  EXPECT_EQ(round_trip("list<tuple<a: int8>>", "[(1,), None, [2]]"), "[(1,), None, (2,)]");
  EXPECT_EQ(round_trip("tuple<a: struct<b: tuple<c: int8>>>", "(Row(b=(3,)),)"), "(Row(b=(3,)),)");
  EXPECT_EQ(round_trip("map<tuple<a: int8, b: int8>, int8>", "{(1, 2): 3}"), "{(1, 2): 3}");
}

TEST(Tuples, RefuseWhatIsNoneOrOfAnotherLength) {
  const char* type = "tuple<f0: int64, f1: string>";
  EXPECT_EQ(written(type, "(1,)"),
            "result of type tuple does not fit tuple<f0: int64, f1: string>: (1,) has 1 value, not 2; return 2 values, "
            "or change the result type");
  EXPECT_EQ(
      written(type, "Row(1, 'x', 2)"),
      "result of type clutch_row.Row does not fit tuple<f0: int64, f1: string>: <Row(1, 'x', 2)> has 3 values, not "
      "2; return 2 values, or change the result type");
  EXPECT_EQ(written(type, "'ab'"),
            "result of type str does not fit tuple<f0: int64, f1: string>: 'ab'; return a tuple, list or Row of 2 "
            "values, or change the result type");
  EXPECT_EQ(written(type, "('a', 'b')"),
            "result at .f0 of type str does not fit int64: 'a'; return an int or change the result type");
  EXPECT_EQ(written("tuple<a: int8> not null", "None"),
            "result of type NoneType does not fit tuple<a: int8> not null: None; return a value, or declare the result "
            "type nullable");
}

}  // namespace
}  // namespace clutch::pyembed
