// A worker process: takes messages from ctl one after the other and has the runtime do what they say.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "clutch/abi/plugin.h"
#include "protocol/arena.h"
#include "protocol/messages.h"
#include "worker/arenas.h"
#include "worker/context.h"
#include "worker/host_table.h"
#include "worker/link.h"
#include "worker/log.h"
#include "worker/watch.h"

namespace clutch::pyproc {

// All of it belongs to the main thread, but the log and the staging of a batch, which have locks. It must live as long
// as the process, because its watch does.
class Worker final : private StateHost {
 public:
  explicit Worker(const clutch_plugin_api& runtime) : api_(runtime), log_(link_), services_{log_} {}

  // Serve until shutdown. Gives the exit code (worker_main.h).
  int run();

 private:
  // What a handler says to the loop.
  enum class Next { kGoOn, kLeave };

  bool configure();
  Next handle(Message& message);
  void open_function(const Message& message);
  Status open_function(OpenFunction& spec, clutch_function_context& context);
  void close_function(uint64_t number);
  void add_arena(const Message& message);
  void shut_down();

  // batch.cc
  void run_batch(const BatchSubmit& submit);
  Status prepare(const BatchSubmit& submit, clutch_function_context& function);
  Status call(clutch_function_context& function, const clutch_batch& batch);
  // The OUT arena of the batch that runs, asking for a larger one if it has not this many bytes.
  Result<const Arena*> out_arena(uint64_t ticket, uint64_t needed);
  // Write what was staged into the OUT arena, asking for a larger one if it must. Sets `done`'s arena and bytes.
  Status write_output(clutch_batch_context& context, BatchDone& done);
  uint32_t send_notes(clutch_function_context& function, bool with_dead_letters);

  // ask.cc
  Result<columnar::Array> page(const clutch_batch_context& context, uint32_t state, int32_t key,
                               std::string_view cursor, uint64_t max_bytes, std::string& ret_next) override;
  Result<columnar::Array> look_up(const clutch_batch_context& context, uint32_t state,
                                  const ArrowArray& names) override;
  // Send a question and wait for its answer, which answer_ then reads.
  Status ask(ReadState question, const ArrowArray& names);
  Result<columnar::Array> answered(SectionKind kind, const columnar::Field& field) const;

  // The supervisor is gone or broke the protocol; there is nobody to tell.
  [[noreturn]] void give_up(const char* why);
  void must(bool sent) {
    if (!sent) Watch::leave();
  }

  const clutch_plugin_api& api_;
  Link link_;
  LogSender log_;
  HostServices services_;
  Watch watch_;
  clutch_host host_ = {};
  clutch_runtime* runtime_ = nullptr;
  Arenas arenas_;
  std::unordered_map<uint64_t, std::unique_ptr<clutch_function_context>> functions_;
  ArenaReader reader_;
  ArenaWriter writer_;
  ArenaReader answer_;
  uint32_t out_arena_ = 0;  // of the batch that runs
  // Of the batch that runs: looks into its IN arena.
  columnar::Array rows_, timestamps_, row_kinds_, keys_, key_index_, timers_, row_flags_, merges_;
};

}  // namespace clutch::pyproc
