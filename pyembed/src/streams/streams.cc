#include "streams/streams.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "interpreter/interpreter.h"
#include "interpreter/slots.h"

namespace clutch::pyembed {
namespace {

constexpr size_t kMaxLine = 8192;  // (unit: bytes) longer lines are handed over in pieces

// Why: printing is the process's, as sys.stdout is; a thread that runs no function still has to find a host.
struct Hosts {
  std::mutex mutex;
  std::vector<const Host*> open;
};

Hosts& hosts() {
  static Hosts* const kHosts = new Hosts;
  return *kHosts;
}

struct Channel {
  std::string_view source;
  int level;
  int descriptor;
  std::string line;  // what came without a newline so far
};

// Of one thread.
struct Printing {
  const Host* host = nullptr;
  clutch_function_context* context = nullptr;
  Channel channels[2] = {{"stdout", CLUTCH_LOG_INFO, STDOUT_FILENO, {}},
                         {"stderr", CLUTCH_LOG_WARN, STDERR_FILENO, {}}};
  ~Printing();
};

Printing& printing() {
  thread_local Printing state;
  return state;
}

void hand_over(const Printing& state, const Channel& channel, std::string_view line) {
  if (state.host != nullptr) {
    state.host->write_log(channel.level, channel.source, state.context, line);
    return;
  }
  Hosts& all = hosts();
  std::lock_guard<std::mutex> guard(all.mutex);
  if (!all.open.empty()) {
    all.open.back()->write_log(channel.level, channel.source, nullptr, line);
    return;
  }
  std::string text(line);
  text += '\n';
  // No host is open: the text goes where it would have gone. A descriptor that takes no more is no reason to fail.
  if (::write(channel.descriptor, text.data(), text.size()) < 0) return;
}

void flush(const Printing& state, Channel& channel) {
  if (channel.line.empty()) return;
  std::string line;
  line.swap(channel.line);
  hand_over(state, channel, line);
}

// The largest piece that ends between two characters.
size_t whole_characters(std::string_view text, size_t limit) {
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end == 0 ? limit : end;
}

void add(const Printing& state, Channel& channel, std::string_view text) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view part = text.substr(0, newline);
    if (newline != std::string_view::npos && channel.line.empty() && part.size() <= kMaxLine) {
      hand_over(state, channel, part);
    } else {
      channel.line.append(part);
      while (channel.line.size() > kMaxLine) {
        const size_t end = whole_characters(channel.line, kMaxLine);
        const std::string rest = channel.line.substr(end);
        channel.line.resize(end);
        flush(state, channel);
        channel.line = rest;
      }
      if (newline != std::string_view::npos) {
        std::string line;
        line.swap(channel.line);
        hand_over(state, channel, line);
      }
    }
    if (newline == std::string_view::npos) return;
    text.remove_prefix(newline + 1);
  }
}

Printing::~Printing() {
  for (Channel& channel : channels) flush(*this, channel);
}

PyObject* write(int index, PyObject* text) {
  if (PyUnicode_Check(text) == 0) {
    PyErr_SetString(PyExc_TypeError, "write() argument must be str");
    return nullptr;
  }
  Printing& state = printing();
  Py_ssize_t size = 0;
  if (const char* utf8 = slots().utf8_and_size(text, &size); utf8 != nullptr) {
    add(state, state.channels[index], {utf8, static_cast<size_t>(size)});
  } else {
    PyErr_Clear();
    PyRef bytes = PyRef::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
    char* data = nullptr;
    if (!bytes || PyBytes_AsStringAndSize(bytes.get(), &data, &size) != 0) return nullptr;
    add(state, state.channels[index], {data, static_cast<size_t>(size)});
  }
  return PyLong_FromSsize_t(PyUnicode_GetLength(text));
}

PyObject* write_out(PyObject*, PyObject* text) { return write(0, text); }
PyObject* write_err(PyObject*, PyObject* text) { return write(1, text); }

// flush() of a file does not end a line here: a host's log has no half lines.
PyObject* flush_stream(PyObject*, PyObject*) {
  Py_INCREF(Py_None);
  return Py_None;
}

PyMethodDef kWriteOut = {"write", write_out, METH_O, nullptr};
PyMethodDef kWriteErr = {"write", write_err, METH_O, nullptr};
PyMethodDef kFlush = {"flush", flush_stream, METH_NOARGS, nullptr};

}  // namespace

bool install_streams(const Gil& gil, Interpreter& interpreter) {
  PyRef install = interpreter.helper(gil, Interpreter::File::kStreams, "install");
  PyRef out = PyRef::steal(PyCFunction_New(&kWriteOut, nullptr));
  PyRef err = PyRef::steal(PyCFunction_New(&kWriteErr, nullptr));
  PyRef flush_function = PyRef::steal(PyCFunction_New(&kFlush, nullptr));
  if (!install || !out || !err || !flush_function) return false;
  return static_cast<bool>(PyRef::steal(PyObject_CallFunctionObjArgs(install.get(), out.get(), flush_function.get(),
                                                                     err.get(), flush_function.get(), nullptr)));
}

PrintScope::PrintScope(const Host& host, clutch_function_context* context) {
  Printing& state = printing();
  outer_host_ = state.host;
  outer_context_ = state.context;
  state.host = &host;
  state.context = context;
}

PrintScope::~PrintScope() {
  Printing& state = printing();
  for (Channel& channel : state.channels) flush(state, channel);
  state.host = outer_host_;
  state.context = outer_context_;
}

void add_printing_host(const Host& host) {
  Hosts& all = hosts();
  std::lock_guard<std::mutex> guard(all.mutex);
  all.open.push_back(&host);
}

void remove_printing_host(const Host& host) {
  Hosts& all = hosts();
  std::lock_guard<std::mutex> guard(all.mutex);
  all.open.erase(std::remove(all.open.begin(), all.open.end(), &host), all.open.end());
}

}  // namespace clutch::pyembed
