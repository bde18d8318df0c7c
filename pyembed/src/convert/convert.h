// Conversions between Arrow columns and Python objects: the one implementation both modes run. docs/conversions.md is
// its specification. A Reader or Writer is made once per column when a function opens, and used for every batch.
//
// The interpreter lock is held for every call in this header, destructors included. A Reader or Writer belongs to one
// function instance and is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clutch/columnar/builder.h"
#include "clutch/columnar/result.h"
#include "clutch/columnar/type.h"
#include "convert/module.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// Which inlined loop serves a column; everything that has no loop of its own is kGeneric.
enum class Fast : uint8_t { kGeneric, kInt32, kInt64, kFloat64, kUtf8 };

// Arrow values to Python objects.
class Reader {
 public:
  // Plan a column. `module` must outlive the reader. Fails with CLUTCH_ERR_UNSUPPORTED where this interpreter cannot
  // serve the type (a named zone without a zone database), naming the field and what to install.
  static Result<std::unique_ptr<Reader>> make(const columnar::Field& field, const Module& module);

  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Read from `array` from now on; it must stay alive until the next bind or unbind. False with a Python error set
  // where memory is short.
  virtual bool bind(const ArrowArray& array) = 0;
  // Drop what was kept for the bound array (the objects of a dictionary). Call it when the batch ends.
  virtual void unbind() {}

  // A new reference for one row, or NULL with a Python error set (a value Python's type cannot hold, no memory).
  virtual PyObject* read(int64_t row) = 0;

  // Rows [first, first + count) as new references into `out`. The number of rows read: less than count means that row
  // first + result failed and a Python error is set; the rows before it are in `out` and belong to the caller.
  virtual int64_t read_many(int64_t first, int64_t count, PyObject** out) = 0;

  Fast fast() const { return fast_; }
  const columnar::Field& field() const { return field_; }
  const Module& module() const { return *module_; }

 protected:
  Reader(const columnar::Field& field, const Module& module, Fast fast)
      : field_(field), module_(&module), fast_(fast) {}

  columnar::Field field_;
  const Module* module_;
  Fast fast_;
};

// Why a value does not fit its column.
struct Mismatch {
  std::string path;         // below the column: "b[3].c"; empty for the column itself
  std::string python_type;  // "str", "decimal.Decimal"
  std::string value;        // repr, cut to 200 characters
  std::string expected;     // "int64", "struct<a: int64> not null"
  std::string reason;       // after the value: " is outside of -128 to 127"; may be empty
  std::string hint;         // "return an int or change the result type"

  // "result of type str does not fit int64: 'abc'; return an int or change the result type"
  std::string sentence(std::string_view subject = "result") const;
};

// Python objects to Arrow values.
class Writer {
 public:
  // Plan a result column. `module` must outlive the writer. Fails with CLUTCH_ERR_UNSUPPORTED for dictionary types
  // (read only) and where this interpreter cannot serve the type.
  static Result<std::unique_ptr<Writer>> make(const columnar::Field& field, const Module& module);

  virtual ~Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Append `value` (borrowed) to `out`, which was made from field(). On false nothing was appended, and either a
  // Python error is set (user code that ran for the conversion raised: __index__, an iterator, a property; or no
  // memory), or mismatch() says what does not fit. Throws std::bad_alloc where the builder cannot grow.
  bool write(PyObject* value, columnar::ArrayBuilder& out) {
    const int64_t before = out.length();
    if (append(value, out)) [[likely]]
      return true;
    undo(out, before);
    return false;
  }

  // The values are keys from now on: equal ones give equal bytes wherever their type can see to it. Pickles note which
  // parts are the same object, and then do not.
  virtual void use_for_keys() {}
  // The writer of a field of a struct, NULL for other types.
  virtual Writer* column(size_t /*i*/) { return nullptr; }

  // Append values[0, count) (borrowed); the number appended. Less than count: that value failed as in write().
  virtual int64_t write_many(PyObject* const* values, int64_t count, columnar::ArrayBuilder& out) = 0;

  // Meaningful after a write that failed without a Python error.
  const Mismatch& mismatch() const { return mismatch_; }
  Mismatch take_mismatch() { return std::move(mismatch_); }

  // Whether a sink of convert/fast.h has met a value of another type than the column's own: neither None nor exactly
  // int, float or str. Such a value is asked for its meaning by code that may give another answer later.
  bool met_other_type() const { return met_other_type_; }
  void note_other_type() { met_other_type_ = true; }

  Fast fast() const { return fast_; }
  const columnar::Field& field() const { return field_; }
  const Module& module() const { return *module_; }

  // As write(), but a failure may leave half a value in the children of `out`; for writers of nested types.
  virtual bool append(PyObject* value, columnar::ArrayBuilder& out) = 0;

 protected:
  Writer(const columnar::Field& field, const Module& module, Fast fast)
      : field_(field), module_(&module), fast_(fast) {}
  static void undo(columnar::ArrayBuilder& out, int64_t length) { out.truncate(length); }

  // Record that `value` does not fit, and return false. `reason` goes behind the value's repr.
  [[gnu::cold]] bool fail(PyObject* value, std::string reason, std::string hint);
  // Take over the mismatch of a writer below this one, if it is no Python error, as found at `step` ("[3]", ".name").
  [[gnu::cold]] bool fail_below(Writer& below, const std::string& step);

  // pandas.NA, pandas.NaT, numpy's NaT.
  static bool is_missing(PyObject* value);
  static bool is_numpy_time(PyObject* value);
  static bool is_numpy_scalar(PyObject* value);
  // The Python object a numpy scalar stands for: value.item().
  static PyRef unwrap(PyObject* value);

  columnar::Field field_;
  const Module* module_;
  Fast fast_;
  bool met_other_type_ = false;
  Mismatch mismatch_;
};

// The fast paths, for loops that must not pay a virtual call per value, are in convert/fast.h:
//   with_source(reader, array, [&](auto& source) { PyObject* object = source.read(row); ... });
//   with_sink(writer, builder, rows, [&](auto& sink) { if (!sink.write(object)) ...; });
// Both call the lambda once with the type that fits, and work for every column.

}  // namespace clutch::pyembed
