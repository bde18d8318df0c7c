// The inner loops of the common types: sources and sinks with inlined reads and writes, for loops over rows.
//
//   with_source(reader, array, [&](auto& source) {
//     with_sink(writer, builder, rows, [&](auto& sink) {
//       for (int64_t row = 0; row < rows; ++row) {
//         PyObject* argument = source.read(row);   // as Reader::read
//         ...
//         if (!sink.write(result)) ...;            // as Writer::write
//       }
//     });
//   });
//
// A sink may keep rows back: the builder is complete after sink.flush(), which its destructor also does. The lock is
// held throughout.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "clutch/columnar/view.h"
#include "convert/convert.h"
#include "convert/text.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

template <typename T>
class IntSource {
 public:
  IntSource(Reader&, const ArrowArray& array) : view_(array), values_(view_.values<T>()) {}
  PyObject* read(int64_t row) const {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    // Why: PyLong_FromLong has a path for one digit in 3.8 to 3.11 that PyLong_FromLongLong lacks.
    return PyLong_FromLong(static_cast<long>(values_[row]));
  }

 private:
  columnar::ArrayView view_;
  const T* values_;
};

class Float64Source {
 public:
  Float64Source(Reader&, const ArrowArray& array) : view_(array), values_(view_.values<double>()) {}
  PyObject* read(int64_t row) const {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    return PyFloat_FromDouble(values_[row]);
  }

 private:
  columnar::ArrayView view_;
  const double* values_;
};

class Utf8Source {
 public:
  Utf8Source(Reader&, const ArrowArray& array) : view_(array) {}
  PyObject* read(int64_t row) const {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    return make_text(view_.bytes_at<int32_t>(row));
  }

 private:
  columnar::ArrayView view_;
};

class GenericSource {
 public:
  GenericSource(Reader& reader, const ArrowArray&) : reader_(&reader) {}
  PyObject* read(int64_t row) const { return reader_->read(row); }

 private:
  Reader* reader_;
};

// Call `loop` with the source for this column. `reader` must be bound to `array`.
template <typename Loop>
decltype(auto) with_source(Reader& reader, const ArrowArray& array, Loop&& loop) {
  const auto run = [&](auto source) -> decltype(auto) { return loop(source); };
  switch (reader.fast()) {
    case Fast::kInt32:
      return run(IntSource<int32_t>(reader, array));
    case Fast::kInt64:
      return run(IntSource<int64_t>(reader, array));
    case Fast::kFloat64:
      return run(Float64Source(reader, array));
    case Fast::kUtf8:
      return run(Utf8Source(reader, array));
    case Fast::kGeneric:
      break;
  }
  return run(GenericSource(reader, array));
}

// Fixed-width values are written straight into the builder's memory and counted at the end.
template <typename T, typename Derived>
class FixedSink {
 public:
  FixedSink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows) : writer_(&writer), out_(&out) {
    open(rows > 0 ? rows : 1);
  }
  FixedSink(const FixedSink&) = delete;
  FixedSink& operator=(const FixedSink&) = delete;
  ~FixedSink() { flush(); }

  bool write(PyObject* value) {
    T plain;
    if (!Derived::take(value, plain)) [[unlikely]]
      return slow(value);
    if (cursor_ == end_) [[unlikely]]
      grow();
    *cursor_++ = plain;
    return true;
  }

  void flush() {
    if (cursor_ == begin_) return;
    const int64_t count = cursor_ - begin_;
    out_->data().resize(out_->data().size() + count * static_cast<int64_t>(sizeof(T)));
    out_->advance(count);
    begin_ = cursor_;
  }

 private:
  void open(int64_t rows) {
    out_->reserve(rows);  // of the validity bits too, so that flush() never has to grow anything
    columnar::Buffer& data = out_->data();
    begin_ = cursor_ = reinterpret_cast<T*>(data.data() + data.size());
    end_ = begin_ + rows;
  }
  [[gnu::noinline, gnu::cold]] void grow() {
    const int64_t more = out_->length() + (cursor_ - begin_) + 64;
    flush();
    open(more);
  }
  [[gnu::noinline, gnu::cold]] bool slow(PyObject* value) {
    const int64_t left = end_ - cursor_;
    flush();
    const bool written = writer_->write(value, *out_);
    open(left > 1 ? left - 1 : 1);
    return written;
  }

  Writer* writer_;
  columnar::ArrayBuilder* out_;
  T* begin_ = nullptr;
  T* cursor_ = nullptr;
  T* end_ = nullptr;
};

template <typename T>
class IntSink : public FixedSink<T, IntSink<T>> {
 public:
  using FixedSink<T, IntSink<T>>::FixedSink;
  static bool take(PyObject* value, T& out) {
    if (!PyLong_CheckExact(value)) return false;
    const long plain = PyLong_AsLong(value);
    if (plain == -1 && PyErr_Occurred() != nullptr) [[unlikely]] {
      PyErr_Clear();  // outside of a long; the slow path says so in its words
      return false;
    }
    if constexpr (sizeof(T) < sizeof(long)) {
      if (plain < std::numeric_limits<T>::min() || plain > std::numeric_limits<T>::max()) return false;
    }
    out = static_cast<T>(plain);
    return true;
  }
};

class Float64Sink : public FixedSink<double, Float64Sink> {
 public:
  using FixedSink<double, Float64Sink>::FixedSink;
  static bool take(PyObject* value, double& out) {
    if (!PyFloat_CheckExact(value)) return false;
    out = PyFloat_AsDouble(value);
    return true;
  }
};

class Utf8Sink {
 public:
  Utf8Sink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows)
      : writer_(&writer), out_(&out), utf8_(slots().utf8_and_size) {
    out.reserve(rows);
  }
  bool write(PyObject* value) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_CheckExact(value) ? utf8_(value, &size) : nullptr;
    if (text == nullptr) [[unlikely]]
      return slow(value);
    if (!out_->append_bytes({text, static_cast<size_t>(size)}).ok()) [[unlikely]]
      return slow(value);
    return true;
  }
  void flush() {}

 private:
  [[gnu::noinline, gnu::cold]] bool slow(PyObject* value) {
    PyErr_Clear();  // lone surrogates; the writer finds them again and describes them
    return writer_->write(value, *out_);
  }

  Writer* writer_;
  columnar::ArrayBuilder* out_;
  const char* (*utf8_)(PyObject*, Py_ssize_t*);
};

class GenericSink {
 public:
  GenericSink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows) : writer_(&writer), out_(&out) {
    out.reserve(rows);
  }
  bool write(PyObject* value) { return writer_->write(value, *out_); }
  void flush() {}

 private:
  Writer* writer_;
  columnar::ArrayBuilder* out_;
};

// Call `loop` with the sink for this result column. `rows` is how many values are expected; more are welcome.
template <typename Loop>
decltype(auto) with_sink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows, Loop&& loop) {
  switch (writer.fast()) {
    case Fast::kInt32: {
      IntSink<int32_t> sink(writer, out, rows);
      return loop(sink);
    }
    case Fast::kInt64: {
      IntSink<int64_t> sink(writer, out, rows);
      return loop(sink);
    }
    case Fast::kFloat64: {
      Float64Sink sink(writer, out, rows);
      return loop(sink);
    }
    case Fast::kUtf8: {
      Utf8Sink sink(writer, out, rows);
      return loop(sink);
    }
    case Fast::kGeneric:
      break;
  }
  GenericSink sink(writer, out, rows);
  return loop(sink);
}

}  // namespace clutch::pyembed
