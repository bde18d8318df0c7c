// Pickles of plain values (int, float, bool, str, bytes, and small tuples, lists and dicts of them), written and read
// without the pickle module: most elements and nearly all keys are no more. What is written is a pickle like any other;
// what is read is only what is written here. The figures are in docs/conversions.md.
#pragma once

#include <string>
#include <string_view>

#include "convert/layout.h"
#include "interpreter/ref.h"

namespace clutch::pyembed {

// Append the whole pickle of `value`. False: it is no plain value, `out` holds something without meaning, and no Python
// error is set. A value in which a list or dict stands twice is none, because it has to stand there twice again, unless
// it is a key (`keys`): then only what it holds counts, and equal values of the same types give the same bytes.
bool dump_plain(PyObject* value, const ObjectLayout& layout, bool keys, std::string& out);

// The object of a pickle that dump_plain wrote. Empty: it is another pickle; a Python error is set only if memory is
// short.
PyRef load_plain(std::string_view bytes, const ObjectLayout& layout);

}  // namespace clutch::pyembed
