#include "support.h"

#include <cstdlib>
#include <cstring>

#include "interpreter/slots.h"

namespace clutch::pyembed {

namespace {

constexpr char kPrelude[] = R"py(
import collections, dataclasses, datetime, decimal, enum, sys, types
from datetime import date, time, timedelta, timezone
from decimal import Decimal
from collections import OrderedDict, namedtuple, defaultdict
from clutch_row import Row, RowKind

class Color(enum.IntEnum):
    RED = 1
    BLUE = 70000
class Text(str): pass
class Number(int): pass
class Real(float): pass
class Table(dict): pass
class Raw(bytes): pass
class Moment(datetime.datetime): pass
class HasIndex:
    def __index__(self): return 7
class HasFloat:
    def __float__(self): return 2.5
class BadIndex:
    def __index__(self): raise ValueError('no index today')
class BadRepr:
    def __repr__(self): raise ValueError('no repr')
class Quit:
    def __repr__(self): raise KeyboardInterrupt('stop')
class Items:
    def __len__(self): return 3
    def __getitem__(self, i):
        if i >= 3: raise IndexError(i)
        return i * 10
class Shrinks:
    def __init__(self, list): self.list = list
    def __index__(self):
        self.list.clear()
        return 1
Pair = namedtuple('Pair', 'b a')
Other = namedtuple('Other', 'x y')
@dataclasses.dataclass
class Point:
    a: int
    b: str
@dataclasses.dataclass
class Half:
    a: int
@dataclasses.dataclass
class Wide:
    a: int
    b: str
    c: float
def shrinking():
    items = []
    items.extend([Shrinks(items), 2, 3])
    return items
try:
    import numpy as np
except ImportError:
    np = None
try:
    import pandas as pd
except ImportError:
    pd = None
)py";

PyObject* globals() {
  static PyObject* const kGlobals = [] {
    PyObject* names = PyDict_New();  // kept for the life of the process
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    return names;
  }();
  return kGlobals;
}

void start() {
  static const bool kStarted = [] {
    // Named, or the prefix would be that of whatever python3 comes first on PATH.
    static std::wstring program;
    if (const char* python = std::getenv("CLUTCH_TEST_PYTHON"); python != nullptr) {
      program.assign(python, python + std::strlen(python));
      slots().set_program_name(program.c_str());
    }
    Py_InitializeEx(0);
    return true;
  }();
  (void)kStarted;
}

}  // namespace

const Module& test_module() {
  static const Module* const kModule = [] {
    start();
    auto module = Module::make();
    if (!module.ok()) {
      ADD_FAILURE() << module.status().message();
      std::abort();
    }
    const Module* kept = module->release();  // lives as long as the interpreter, which is never finalised
    run_python(kPrelude);
    return kept;
  }();
  return *kModule;
}

void run_python(const std::string& code) {
  PyRef compiled = PyRef::steal(Py_CompileString(code.c_str(), "<test>", Py_file_input));
  PyRef done = compiled ? PyRef::steal(PyEval_EvalCode(compiled.get(), globals(), globals())) : PyRef();
  if (!done) ADD_FAILURE() << code << "\n" << take_python_error();
}

PyRef eval(const std::string& expression) {
  PyRef code = PyRef::steal(Py_CompileString(expression.c_str(), "<test>", Py_eval_input));
  PyRef value = code ? PyRef::steal(PyEval_EvalCode(code.get(), globals(), globals())) : PyRef();
  if (!value) ADD_FAILURE() << expression << "\n" << take_python_error();
  return value;
}

std::string repr(PyObject* object) {
  PyRef text = PyRef::steal(PyObject_Repr(object));
  return text ? text_of(text.get()) : take_python_error();
}

bool importable(const char* module) {
  start();
  PyRef found = PyRef::steal(PyImport_ImportModule(module));
  PyErr_Clear();
  return static_cast<bool>(found);
}

bool python_before(int minor) {
  test_module();
  return PyLong_AsLong(eval("sys.version_info[1]").get()) < minor;
}

columnar::Field field_of(const std::string& text, const std::string& name) {
  const std::string suffix = " not null";
  const bool required = text.size() > suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
  auto type = columnar::parse_type(required ? text.substr(0, text.size() - suffix.size()) : text);
  if (!type.ok()) ADD_FAILURE() << text << ": " << type.status().message();
  return {name, type.ok() ? *type : columnar::Type(), !required};
}

namespace {

// Write one value; "" and the array, or what went wrong.
std::string write_one(const columnar::Field& field, const std::string& expression, columnar::Array& out) {
  const Module& module = test_module();
  auto writer = Writer::make(field, module);
  if (!writer.ok()) return std::string(writer.status().message());
  PyRef value = eval(expression);
  if (!value) return "no value";
  columnar::ArrayBuilder builder(field);
  if (!(*writer)->write(value.get(), builder)) {
    EXPECT_EQ(builder.length(), 0) << "nothing must be left of a value that failed";
    if (PyErr_Occurred() != nullptr) return "raised " + take_python_error();
    return (*writer)->mismatch().sentence();
  }
  EXPECT_EQ(PyErr_Occurred(), nullptr) << take_python_error();
  EXPECT_EQ(builder.length(), 1);
  out = builder.finish();
  return "";
}

}  // namespace

std::string written(const std::string& type, const std::string& expression) {
  const columnar::Field field = field_of(type);
  columnar::Array array;
  const std::string problem = write_one(field, expression, array);
  return problem.empty() ? columnar::row_to_string(field, *array, 0) : problem;
}

std::string round_trip(const std::string& type, const std::string& expression) {
  const columnar::Field field = field_of(type);
  columnar::Array array;
  const std::string problem = write_one(field, expression, array);
  return problem.empty() ? read_all(field, *array) : problem;
}

std::string read_all(const columnar::Field& field, const ArrowArray& array) {
  auto reader = Reader::make(field, test_module());
  if (!reader.ok()) return std::string(reader.status().message());
  EXPECT_TRUE((*reader)->bind(array));
  std::string out;
  for (int64_t row = 0; row < array.length; ++row) {
    PyRef object = PyRef::steal((*reader)->read(row));
    out += (row == 0 ? "" : ", ") + (object ? repr(object.get()) : "raised " + take_python_error());
  }
  return out;
}

extern "C" __attribute__((visibility("default"))) int clutch_run_cases(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace clutch::pyembed
