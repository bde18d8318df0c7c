// The configuration of a pool of workers, read and checked once.
#pragma once

#include <cstdint>
#include <string>

#include "clutch/abi/base.h"
#include "clutch/columnar/result.h"
#include "protocol/messages.h"

namespace clutch::pyproc {

enum class Sandbox { kAuto, kOff, kRequire };

struct PoolOptions {
  uint32_t workers = 1;              // python.process.workers: 1..256
  uint32_t depth = 2;                // python.process.depth: 1..3, batches in flight in one worker
  uint32_t spares = 1;               // python.process.spares: 0..8
  int64_t start_timeout_ms = 20000;  // python.process.start-timeout
  int64_t batch_timeout_ms = 60000;  // python.process.batch-timeout: of a batch that names no deadline; 0: none
  uint64_t memory_limit = 0;         // python.process.memory-limit (unit: bytes); 0: none
  Sandbox sandbox = Sandbox::kAuto;  // python.process.sandbox
  uint32_t retries = 1;              // python.process.retries: 0..100
  std::string launcher;              // python.process.launcher: absolute path, for tests; empty: beside the plugin
  Options all;                       // everything, for the worker
};

// Read them. CLUTCH_ERR_CONFIG names key, value and what is legal.
Result<PoolOptions> read_pool_options(const clutch_options& options);

// "1500", "1500 ms", "1 s", "2 min", "1 h" in milliseconds.
Result<int64_t> parse_duration_ms(std::string_view key, std::string_view text);

// "0", "65536", "512k", "512 MiB", "2g" in bytes; k, m, g mean powers of 1024, with or without "b" or "ib".
Result<uint64_t> parse_bytes(std::string_view key, std::string_view text);

}  // namespace clutch::pyproc
