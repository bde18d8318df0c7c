// ListView and MapView of accumulators, over list and map state of the host. What is not asked for is not loaded:
// fold.py keeps what a batch changed as bytes and reads the rest page by page, through the functions of this class.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "clutch/columnar/row_codec.h"
#include "convert/convert.h"
#include "plan/callback.h"
#include "plan/executor.h"

namespace clutch::pyembed {

class Views {
 public:
  // `text` is the step's option "views". Declares a state for each. A sentence says what is wrong with it.
  static Result<std::unique_ptr<Views>> make(const Gil& gil, const Executor::Parts& parts, std::string_view text,
                                             const columnar::Field& accumulator);
  Views(const Views&) = delete;
  Views& operator=(const Views&) = delete;

  // Each returns false, or an empty reference, with a Python error set.
  bool begin(const Gil& gil, const Host& host, const clutch_batch& batch);
  PyRef attach(const Gil& gil, PyView accumulator, int32_t group);
  PyRef detach(const Gil& gil, PyView accumulator);
  bool clear(const Gil& gil, int32_t group);
  bool begin_row(const Gil& gil);
  bool undo_row(const Gil& gil);
  bool flush(const Gil& gil);
  // Views that user code still holds find no state any more.
  void end() { slot_.set(nullptr); }

 private:
  // Elements of a list, or keys or values of a map.
  struct Part {
    columnar::RowCodec codec;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<columnar::ArrayBuilder> builder;
  };
  struct View {
    uint32_t state;
    std::vector<Part> parts;
  };

  Views() = default;
  bool call(const char* method, PyObject* argument = nullptr);
  static PyObject* encode(PyObject* self, PyObject* arguments);
  static PyObject* decode(PyObject* self, PyObject* arguments);
  static PyObject* page(PyObject* self, PyObject* arguments);
  static PyObject* lookup(PyObject* self, PyObject* arguments);
  static PyObject* apply(PyObject* self, PyObject* arguments);
  PyObject* encode_value(Part& part, PyObject* value);
  PyObject* decode_value(Part& part, std::string_view bytes);
  PyObject* read_page(const View& view, int group, std::string_view cursor);
  PyObject* look_up(const View& view, int group, std::string_view key);
  PyObject* apply_changes(const View& view, PyObject* changes);
  View* find(int view);

  std::vector<View> views_;
  PyRef object_;  // fold.py's Views
  Slot slot_;
  const Host* host_ = nullptr;
  clutch_batch_context* context_ = nullptr;

 public:
  std::exception_ptr thrown{};  // of a callback
};

}  // namespace clutch::pyembed
