// Main of a fuzz target without libFuzzer: runs the files of a seed directory, then inputs mutated from them by a
// generator with a fixed start, so that each run of a test does the same.
//
//   TARGET [SEED_DIRECTORY [RUNS]]
//   TARGET FILE                      one input, to look at a crash
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

constexpr size_t kMaxSize = 4096;

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// The input in memory of its own, so that a sanitizer sees each byte read behind it.
void run(const Input& input) {
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

class Mutator {
 public:
  Input next(const std::vector<Input>& seeds) {
    Input input = seeds.empty() || below(8) == 0 ? noise() : seeds[below(seeds.size())];
    for (size_t i = 1 + below(8); i > 0; --i) change(input, seeds);
    if (input.size() > kMaxSize) input.resize(kMaxSize);
    return input;
  }

 private:
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random_() % bound); }
  uint8_t byte() { return static_cast<uint8_t>(random_()); }

  Input noise() {
    Input input(below(256));
    for (uint8_t& b : input) b = below(3) == 0 ? byte() : static_cast<uint8_t>(below(8));
    return input;
  }

  void change(Input& input, const std::vector<Input>& seeds) {
    constexpr uint8_t kEdges[] = {0, 1, 2, 7, 8, 63, 64, 127, 128, 254, 255};
    const size_t at = below(input.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < input.size()) input[at] = byte();
        break;
      case 1:
        if (at < input.size()) input[at] = kEdges[below(std::size(kEdges))];
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<uint8_t>(input[at] ^ (1U << below(8)));
        break;
      case 3:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), 1 + below(8), byte());
        break;
      case 4:
        input.erase(
            input.begin() + static_cast<std::ptrdiff_t>(at),
            input.begin() + static_cast<std::ptrdiff_t>(at + below(std::min<size_t>(input.size() - at, 8) + 1)));
        break;
      default:
        if (seeds.empty()) break;
        const Input& other = seeds[below(seeds.size())];
        const size_t from = below(other.size() + 1);
        input.resize(at);
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
    }
  }

  std::mt19937_64 random_{20240229};
};

int run_all(int argc, char** argv) {
  std::vector<Input> seeds;
  if (argc > 1 && std::filesystem::is_regular_file(argv[1])) {
    run(read_file(argv[1]));
    return 0;
  }
  if (argc > 1 && std::filesystem::is_directory(argv[1])) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      if (entry.is_regular_file()) seeds.push_back(read_file(entry.path()));
    }
    // Why: a directory has no order, and the run must be the same everywhere.
    std::sort(seeds.begin(), seeds.end());
  }
  for (const Input& seed : seeds) run(seed);
  const long runs = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 20000;
  Mutator mutator;
  for (long i = 0; i < runs; ++i) run(mutator.next(seeds));
  std::printf("%zu seeds and %ld mutated inputs\n", seeds.size(), runs);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "an input let an exception out: %s\n", error.what());
    return 1;
  }
}
