#include "source/files/listing.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace clutch::engine {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

Status cannot(const char* what, const std::string& path, int error) {
  return {CLUTCH_ERR_NOT_FOUND,
          std::string("cannot ") + what + " \"" + path + "\": " + std::strerror(error) +
              "; check source.path and the rights on the way to it",
          CLUTCH_ORIGIN_USER};
}

// Append the files of one folder, and to `folders` the folders in it. What goes while it is listed was never there.
Status list_folder(const std::string& path, std::vector<FoundFile>& files, std::vector<std::string>& folders) {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(path.c_str()));
  if (!folder) return cannot("list the folder", path, errno);
  while (true) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] == '.' || entry->d_name[0] == '_') continue;
    const std::string name = path + (path.back() == '/' ? "" : "/") + entry->d_name;
    struct stat facts {};
    if (lstat(name.c_str(), &facts) != 0) continue;
    // A link to a folder may lead back up; one to a file is as good as the file.
    const bool link = S_ISLNK(facts.st_mode);
    if (link && stat(name.c_str(), &facts) != 0) continue;
    if (S_ISREG(facts.st_mode)) {
      files.push_back({name, facts.st_size, facts.st_ino});
    } else if (S_ISDIR(facts.st_mode) && !link) {
      folders.push_back(name);
    }
  }
  if (errno != 0) return cannot("list the folder", path, errno);
  return {};
}

}  // namespace

Result<std::vector<FoundFile>> list_files(const std::string& path, bool recursive) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return cannot("look at", path, errno);
    return Status(CLUTCH_ERR_NOT_FOUND, "there is no file or folder \"" + path + "\"; check source.path",
                  CLUTCH_ORIGIN_USER);
  }
  std::vector<FoundFile> files;
  if (!S_ISDIR(facts.st_mode)) {
    files.push_back({path, facts.st_size, facts.st_ino});
    return files;
  }
  std::vector<std::string> folders = {path};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    std::vector<std::string> inner;
    CLUTCH_RETURN_IF_ERROR(list_folder(folder, files, inner));
    if (recursive) folders.insert(folders.end(), inner.begin(), inner.end());
  }
  std::sort(files.begin(), files.end(), [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace clutch::engine
