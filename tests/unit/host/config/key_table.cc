// Writes docs/configuration.md, or with --check tells if it is as the key table has it.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "config/render.h"

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (!check && argc != 2) {
    std::fprintf(stderr, "usage: %s [--check] FILE\n", argv[0]);
    return 2;
  }
  const char* path = argv[argc - 1];
  const std::string table = clutch::host::render_key_table_markdown();
  if (check) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (text == table) return 0;
    std::fprintf(stderr, "%s is not what the key table says; run: ninja docs-configuration\n", path);
    return 1;
  }
  std::ofstream out(path, std::ios::binary);
  out << table;
  out.close();
  if (out) return 0;
  std::fprintf(stderr, "%s: cannot be written\n", path);
  return 1;
}
