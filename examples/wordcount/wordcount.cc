// Counts the words of a text with two Python functions, once in every execution mode, and shows what ran where.
//
//   wordcount FILE
//
// A host program needs no more than <clutch/clutch.hpp> and libclutch. The Python functions are in words.py.
#include <algorithm>
#include <chrono>
#include <clutch/clutch.hpp>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using Counts = std::map<std::string, int64_t>;

constexpr size_t kBatchLines = 512;

std::vector<std::string> read_lines(const char* path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

// Runs all lines through tokenize and normalize in one mode. Several batches are in flight where the mode allows it.
Counts count_words(const clutch::Host& host, const std::vector<std::string>& lines, const std::string& mode) {
  const clutch::Function tokenize = host.open(clutch::Spec("stream.flat_map", clutch::imported(WORDS_FILE ":tokenize"))
                                                  .input("line: string")
                                                  .output("word: string")
                                                  .mode(mode));
  const clutch::Function normalize = host.open(clutch::Spec("table.scalar", clutch::imported(WORDS_FILE ":normalize"))
                                                   .input("word: string")
                                                   .output("word: string")
                                                   .mode(mode));
  Counts counts;
  std::deque<uint64_t> tokenizing;
  std::deque<uint64_t> normalizing;
  const auto take_words = [&] {
    for (std::string& word : normalize.await(normalizing.front()).column<std::string>(0)) ++counts[std::move(word)];
    normalizing.pop_front();
  };
  const auto take_tokens = [&] {
    clutch::Output tokens = tokenize.await(tokenizing.front());
    tokenizing.pop_front();
    if (normalizing.size() == normalize.max_in_flight()) take_words();
    normalizing.push_back(normalize.submit(tokens.take()));
  };

  for (size_t first = 0; first < lines.size(); first += kBatchLines) {
    const size_t count = std::min(kBatchLines, lines.size() - first);
    const std::vector<std::string> batch(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                         lines.begin() + static_cast<std::ptrdiff_t>(first + count));
    if (tokenizing.size() == tokenize.max_in_flight()) take_tokens();
    tokenizing.push_back(tokenize.submit(clutch::columns(batch)));
  }
  while (!tokenizing.empty()) take_tokens();
  while (!normalizing.empty()) take_words();

  std::cout << "\n" << tokenize.decision() << "\n";
  return counts;
}

void print_top(const Counts& counts, size_t limit) {
  std::vector<std::pair<std::string, int64_t>> words(counts.begin(), counts.end());
  std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (size_t i = 0; i < std::min(limit, words.size()); ++i) {
    std::printf("  %6lld  %s\n", static_cast<long long>(words[i].second), words[i].first.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: wordcount FILE\n";
    return 2;
  }
  const std::vector<std::string> lines = read_lines(argv[1]);
  const clutch::Host host;
  std::map<std::string, Counts> results;
  for (const std::string mode : {"thread", "process"}) {
    const auto start = std::chrono::steady_clock::now();
    results[mode] = count_words(host, lines, mode);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    int64_t words = 0;
    for (const auto& [word, count] : results[mode]) words += count;
    std::printf("mode %s: %zu lines, %lld words, %zu distinct, %.0f rows/s (start included)\n", mode.c_str(),
                lines.size(), static_cast<long long>(words), results[mode].size(),
                static_cast<double>(lines.size() + static_cast<size_t>(words)) / seconds);
    print_top(results[mode], 10);
    std::fflush(stdout);
  }
  const bool equal = results["thread"] == results["process"];
  std::cout << (equal ? "\nBoth modes gave the same counts.\n" : "\nThe modes DIFFER.\n");
  return equal ? 0 : 1;
} catch (const clutch::Error& error) {
  std::cerr << "wordcount: " << error.what() << "\n" << error.detail("traceback");
  return 1;
} catch (const std::exception& error) {
  std::cerr << "wordcount: " << error.what() << "\n";
  return 1;
}
