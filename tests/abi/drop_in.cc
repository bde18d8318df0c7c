// A host that runs one native function in the mode it is told, for drop_in_test.py.
//
//   drop_in PLUGIN_PATH MODE LIBRARY:SYMBOL
#include <clutch/clutch.hpp>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: drop_in PLUGIN_PATH MODE LIBRARY:SYMBOL\n";
    return 2;
  }
  clutch::HostSettings settings;
  settings.plugin_path = argv[1];
  settings.options = {{"python.execution-mode.fallback", "forbid"}};
  const clutch::Host host(settings);
  const clutch::Function function = host.open(
      clutch::Spec("table.scalar", clutch::native(argv[3])).input("x: int64").output("y: int64").mode(argv[2]));
  const clutch::Output output = function.call(clutch::columns(std::vector<int64_t>{1, 2, 41}));
  for (const int64_t value : output.column<int64_t>(0)) std::cout << value << "\n";
  std::cout << function.decision() << "\n";
  return 0;
} catch (const clutch::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
