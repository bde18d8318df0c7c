// The output of a command: standard output, or a file that appears whole or not at all.
#pragma once

#include <cstdio>
#include <string>

namespace clutch::tool {

// A regular file is written under another name in the same folder and takes its place with finish(); until then the
// old file, if there is one, is untouched, and without finish() nothing is left. What is no regular file (a pipe,
// /dev/null, standard output) is written directly. Throws clutch::Error with the path.
class OutputFile {
 public:
  explicit OutputFile(std::string path);  // "-" is standard output.
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  std::FILE* stream() const { return stream_; }
  // "standard output", or the path.
  const std::string& name() const { return name_; }
  // Whether what was written can be seen although finish() was not called.
  bool direct() const { return unfinished_.empty(); }

  void finish();

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  std::string target_;      // With symbolic links followed.
  std::string unfinished_;  // The file that is written, or empty.
  std::FILE* stream_ = nullptr;
};

}  // namespace clutch::tool
