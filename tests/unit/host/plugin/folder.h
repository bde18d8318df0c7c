// A folder for one test, with files that only their owner may write, and gone afterwards.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace clutch::host {

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "clutch_host_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder like " + pattern);
    path_ = std::filesystem::canonical(pattern).string();
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;  // A folder left behind in the temporary folder fails no test.
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Write a file, with the folders above it.
  std::string write(std::string_view name, std::string_view text) const {
    const std::string file = path(name);
    make_folders(std::filesystem::path(file).parent_path());
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw std::runtime_error("cannot write " + file);
    chmod(file.c_str(), 0644);
    return file;
  }

  std::string copy(const std::string& from, std::string_view name) const {
    const std::string file = path(name);
    make_folders(std::filesystem::path(file).parent_path());
    std::filesystem::copy_file(from, file);
    chmod(file.c_str(), 0755);
    return file;
  }

 private:
  void make_folders(const std::filesystem::path& folder) const {
    for (std::filesystem::path p = folder; p.string().size() > path_.size(); p = p.parent_path()) {
      std::filesystem::create_directories(p);
      chmod(p.c_str(), 0755);
    }
  }

  std::string path_;
};

}  // namespace clutch::host
