// The inner loops of the common types: sources and sinks with inlined reads and writes, for loops over rows.
//
//   with_source(reader, array, [&](auto& source) {
//     with_sink(writer, builder, rows, [&](auto& sink) {
//       for (int64_t row = 0; row < rows; ++row) {
//         PyObject* argument = source.read(row);   // as Reader::read
//         PyObject* result = call(argument);
//         source.done(argument);                   // instead of Py_DECREF, so that it can be used again
//         if (!sink.write(result)) ...;            // as Writer::write
//       }
//     });
//   });
//
// with_source(reader, array, held, ...) is for loops that are not the only holder of an argument when they give it to
// done(): it has `held` references then if nobody else kept it.
//
// A sink may keep rows back: the builder is complete after sink.flush(), which its destructor also does. The lock is
// held throughout.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "clutch/columnar/view.h"
#include "convert/convert.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {

// An argument that comes back with no reference but ours is kept for the next row, filled with its value.
template <typename T>
class IntSource {
 public:
  IntSource(const Module& module, Reader&, const ArrowArray& array, Py_ssize_t held)
      : view_(array),
        values_(view_.values<T>()),
        layout_(module.layout()),
        refills_(layout_.knows_ints() && layout_.refills()),
        held_(held) {}
  IntSource(const IntSource&) = delete;
  IntSource& operator=(const IntSource&) = delete;
  ~IntSource() { Py_XDECREF(spare_); }

  PyObject* read(int64_t row) {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    const int64_t value = values_[row];
    if (!refills_ || !ObjectLayout::fits_spare(value)) return PyLong_FromLong(static_cast<long>(value));
    PyObject* object = std::exchange(spare_, nullptr);
    if (object == nullptr) {
      object = ObjectLayout::new_spare();
      if (object == nullptr) return nullptr;
    }
    layout_.write_int(object, value);
    last_ = object;
    return object;
  }
  void done(PyObject* argument) {
    // last_ is compared first: another int of the same value may have no room for two digits.
    if (argument == last_ && ObjectLayout::has_references(argument, held_)) {
      spare_ = argument;
    } else {
      Py_DECREF(argument);
    }
    last_ = nullptr;
  }

 private:
  columnar::ArrayView view_;
  const T* values_;
  ObjectLayout layout_;
  bool refills_;
  Py_ssize_t held_;
  PyObject* spare_ = nullptr;  // ours, to be filled
  PyObject* last_ = nullptr;   // made here and not yet done
};

class Float64Source {
 public:
  Float64Source(const Module& module, Reader&, const ArrowArray& array, Py_ssize_t held)
      : view_(array),
        values_(view_.values<double>()),
        reuse_(module.layout().knows_floats() && module.layout().refills()),
        held_(held) {}
  Float64Source(const Float64Source&) = delete;
  Float64Source& operator=(const Float64Source&) = delete;
  ~Float64Source() { Py_XDECREF(spare_); }

  PyObject* read(int64_t row) {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    if (spare_ == nullptr) return PyFloat_FromDouble(values_[row]);
    PyObject* object = std::exchange(spare_, nullptr);
    ObjectLayout::write_float(object, values_[row]);
    return object;
  }
  void done(PyObject* argument) {
    if (reuse_ && spare_ == nullptr && PyFloat_CheckExact(argument) && ObjectLayout::has_references(argument, held_)) {
      spare_ = argument;
    } else {
      Py_DECREF(argument);
    }
  }

 private:
  columnar::ArrayView view_;
  const double* values_;
  bool reuse_;
  Py_ssize_t held_;
  PyObject* spare_ = nullptr;
};

// Keeps one string of each short length for the next row that has one so long.
class Utf8Source {
 public:
  Utf8Source(const Module& module, Reader&, const ArrowArray& array, Py_ssize_t held)
      : view_(array),
        layout_(module.layout()),
        refills_(layout_.knows_text_state() && layout_.refills()),
        held_(held) {}
  Utf8Source(const Utf8Source&) = delete;
  Utf8Source& operator=(const Utf8Source&) = delete;
  ~Utf8Source() {
    for (PyObject* spare : spare_) Py_XDECREF(spare);
  }

  PyObject* read(int64_t row) {
    if (view_.is_null(row)) {
      Py_INCREF(Py_None);
      return Py_None;
    }
    const std::string_view text = view_.bytes_at<int32_t>(row);
    // One-letter strings exist once in an interpreter.
    if (text.size() < 2 || text.size() > kLongest || !refills_ || !ObjectLayout::is_ascii(text)) {
      return layout_.make_text(text);
    }
    PyObject* object = std::exchange(spare_[text.size()], nullptr);
    if (object != nullptr) {
      layout_.write_text(object, text);
    } else {
      object = layout_.make_text(text);
    }
    last_ = object;
    last_size_ = text.size();
    return object;
  }
  void done(PyObject* argument) {
    if (argument == last_ && layout_.is_spare_text(argument, held_) && spare_[last_size_] == nullptr) {
      spare_[last_size_] = argument;
    } else {
      Py_DECREF(argument);
    }
    last_ = nullptr;
  }

 private:
  static constexpr size_t kLongest = 63;

  columnar::ArrayView view_;
  ObjectLayout layout_;
  bool refills_;
  Py_ssize_t held_;
  std::array<PyObject*, kLongest + 1> spare_{};
  PyObject* last_ = nullptr;  // made here, one of the spare sort, and not yet done
  size_t last_size_ = 0;
};

class GenericSource {
 public:
  GenericSource(const Module&, Reader& reader, const ArrowArray&, Py_ssize_t) : reader_(&reader) {}
  PyObject* read(int64_t row) const { return reader_->read(row); }
  void done(PyObject* argument) const { Py_DECREF(argument); }

 private:
  Reader* reader_;
};

// Call `loop` with the source for this column. `reader` must be bound to `array`.
template <typename Loop>
decltype(auto) with_source(Reader& reader, const ArrowArray& array, Py_ssize_t held, Loop&& loop) {
  const Module& module = reader.module();
  switch (reader.fast()) {
    case Fast::kInt32: {
      IntSource<int32_t> source(module, reader, array, held);
      return loop(source);
    }
    case Fast::kInt64: {
      IntSource<int64_t> source(module, reader, array, held);
      return loop(source);
    }
    case Fast::kFloat64: {
      Float64Source source(module, reader, array, held);
      return loop(source);
    }
    case Fast::kUtf8: {
      Utf8Source source(module, reader, array, held);
      return loop(source);
    }
    case Fast::kGeneric:
      break;
  }
  GenericSource source(module, reader, array, held);
  return loop(source);
}

template <typename Loop>
decltype(auto) with_source(Reader& reader, const ArrowArray& array, Loop&& loop) {
  return with_source(reader, array, 1, std::forward<Loop>(loop));
}

// Fixed-width values are written straight into the builder's memory and counted at the end.
template <typename T, typename Derived>
class FixedSink {
 public:
  FixedSink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows)
      : layout_(writer.module().layout()), writer_(&writer), out_(&out) {
    open(rows > 0 ? rows : 1);
  }
  FixedSink(const FixedSink&) = delete;
  FixedSink& operator=(const FixedSink&) = delete;
  ~FixedSink() { flush(); }

  bool write(PyObject* value) {
    T plain;
    if (!static_cast<Derived*>(this)->take(value, plain)) [[unlikely]]
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

 protected:
  ObjectLayout layout_;

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
    if (value != Py_None) writer_->note_other_type();
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
  bool take(PyObject* value, T& out) const {
    if (!PyLong_CheckExact(value)) return false;
    int64_t plain = 0;
    if (!this->layout_.read_int(value, plain)) [[unlikely]] {
      plain = PyLong_AsLong(value);
      if (plain == -1 && PyErr_Occurred() != nullptr) {
        PyErr_Clear();  // outside of a long; the slow path says so in its words
        return false;
      }
    }
    if constexpr (sizeof(T) < sizeof(int64_t)) {
      if (plain < std::numeric_limits<T>::min() || plain > std::numeric_limits<T>::max()) return false;
    }
    out = static_cast<T>(plain);
    return true;
  }
};

class Float64Sink : public FixedSink<double, Float64Sink> {
 public:
  using FixedSink<double, Float64Sink>::FixedSink;
  bool take(PyObject* value, double& out) const {
    if (!PyFloat_CheckExact(value)) return false;
    out = PyFloat_AsDouble(value);
    return true;
  }
};

class Utf8Sink {
 public:
  Utf8Sink(Writer& writer, columnar::ArrayBuilder& out, int64_t rows)
      : layout_(writer.module().layout()), writer_(&writer), out_(&out), utf8_(slots().utf8_and_size) {
    out.reserve(rows);
  }
  bool write(PyObject* value) {
    Py_ssize_t size = 0;
    const char* text = nullptr;
    if (PyUnicode_CheckExact(value)) [[likely]] {
      text = layout_.read_text(value, size);
      if (text == nullptr) text = utf8_(value, &size);
    }
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
    if (value != Py_None) writer_->note_other_type();
    return writer_->write(value, *out_);
  }

  ObjectLayout layout_;
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
