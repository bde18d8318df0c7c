// The messages on ctl: a fixed header, then a fixed struct (hot path) or a Cap'n Proto body (messages.h).
//
// Both ends are the same build of Clutch on one machine, so the structs go as they are; the version in the header is
// there so that a mixed installation is refused instead of misread. Before the worker's first message come the lines of
// the launcher (launcher/launcher.h), which are text and cannot be taken for a frame. The worker believes the host. The
// host believes nothing: it copies a message, checks size and header, then each number, and kills the worker at the
// first lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace clutch::pyproc {

inline constexpr uint32_t kFrameMagic = 0x31574c43;  // "CLW1"
inline constexpr uint16_t kProtocolVersion = 1;

// No message is larger, header included. What does not fit goes by a descriptor (host to worker) or is cut or split
// (worker to host).
inline constexpr uint32_t kMaxMessageBytes = 64 * 1024;

enum class FrameType : uint16_t {
  // host to worker
  kConfigure = 1,      // body: Configure
  kOpenFunction = 2,   // body: OpenFunction
  kCloseFunction = 3,  // struct CloseFunction
  kBatchSubmit = 4,    // struct BatchSubmit
  kAddArena = 5,       // struct AddArena, with the arena's descriptor attached (none if refused)
  kDropArena = 6,      // struct DropArena
  kShutdown = 7,       // struct Shutdown
  kStateRead = 8,      // struct StateRead; answers the kReadState of its ticket

  // worker to host
  kReady = 32,           // body: Ready
  kFunctionOpened = 33,  // body: FunctionOpened
  kFunctionClosed = 34,  // body: FunctionClosed
  kBatchDone = 35,       // struct BatchDone
  kBatchNotes = 36,      // body: BatchNotes; comes before the BatchDone of its batch, several are legal
  kBatchError = 37,      // body: BatchError; comes before the BatchDone of its batch, exactly if status is not ok
  kNeedArena = 38,       // struct NeedArena
  kLog = 39,             // body: Log
  kReadState = 40,       // struct ReadState
};

// Flags of a header.
inline constexpr uint32_t kBodyAttached = 1u;  // host to worker: the body is in the attached memfd, body_bytes long

struct FrameHeader {
  uint32_t magic = kFrameMagic;
  uint16_t version = kProtocolVersion;
  FrameType type = FrameType::kShutdown;
  uint32_t size = 0;  // of the whole message (unit: bytes)
  uint32_t flags = 0;
  uint64_t epoch = 0;       // of the worker: counts the processes a supervisor started; the worker echoes what
                            // Configure had
  uint64_t body_bytes = 0;  // Cap'n Proto bytes: behind the header, or in the attached memfd
};

// Why: a slot is one place in the worker's queue, with an IN and an OUT arena of its own. The host alone keeps the
// table of slots; numbers here are requests that must match it.
struct BatchSubmit {
  FrameHeader header{.type = FrameType::kBatchSubmit, .size = 112};
  uint64_t ticket = 0;    // unique in the supervisor's life; never 0
  uint64_t function = 0;  // as in OpenFunction
  uint64_t sequence = 0;  // clutch_batch.sequence
  uint32_t attempt = 0;   // 1 for the first try; a replay has the same ticket and sequence
  uint32_t slot = 0;
  uint32_t in_arena = 0;
  uint32_t out_arena = 0;
  uint64_t in_bytes = 0;  // used bytes of the IN arena (arena.h)
  int64_t deadline_ns = 0;
  int64_t processing_time_ms = 0;
  int64_t watermark_ms = 0;
  uint32_t batch_flags = 0;  // clutch_batch.flags
  uint32_t reserved0 = 0;
};

inline constexpr uint32_t kDoneInputPinned = 1u;  // user code still holds views of the IN arena: the host must not
                                                  // write to it again, and gives the slot another one

struct BatchDone {
  FrameHeader header{.type = FrameType::kBatchDone, .size = 104};
  uint64_t ticket = 0;
  uint32_t attempt = 0;
  uint32_t slot = 0;
  int32_t status = 0;  // CLUTCH_OK, or the code of the BatchError before
  uint32_t flags = 0;  // kDone*
  uint32_t out_arena = 0;
  uint32_t notes = 0;      // number of BatchNotes messages sent for this batch
  uint64_t out_bytes = 0;  // used bytes of the OUT arena; 0 if status is not ok
  int64_t decode_ns = 0;   // from reading the descriptor to calling the runtime
  int64_t run_ns = 0;      // in the runtime
  int64_t encode_ns = 0;   // writing the OUT arena
  uint64_t reserved0 = 0;
};

struct Shutdown {
  FrameHeader header{.type = FrameType::kShutdown, .size = 32};
};

struct CloseFunction {
  FrameHeader header{.type = FrameType::kCloseFunction, .size = 40};
  uint64_t function = 0;
};

enum class ArenaRole : uint32_t { kIn = 0, kOut = 1 };

// A new arena. The worker maps IN read-only and OUT read-write (MAP_SHARED) and closes the descriptor. `arena` is a new
// number; nothing is replaced: BatchSubmit says which arenas a batch uses.
//
// As the answer to NeedArena: `ticket` is that of the request, and the arena is the OUT arena of that batch from now on
// (BatchDone names it). bytes 0 and no descriptor: refused, the batch must fail with CLUTCH_ERR_MEMORY.
struct AddArena {
  FrameHeader header{.type = FrameType::kAddArena, .size = 64};
  uint32_t arena = 0;
  ArenaRole role = ArenaRole::kIn;
  uint64_t bytes = 0;
  uint64_t ticket = 0;
  uint64_t reserved0 = 0;
};

// The host uses this arena no more: unmap it (a pinned one as soon as nobody holds views of it).
struct DropArena {
  FrameHeader header{.type = FrameType::kDropArena, .size = 40};
  uint32_t arena = 0;
  uint32_t reserved0 = 0;
};

// The output of this batch needs an OUT arena of at least `bytes`. The worker then reads ctl until the AddArena with
// the same ticket comes; other messages that come before it wait their turn. What it has written so far is its own to
// copy.
struct NeedArena {
  FrameHeader header{.type = FrameType::kNeedArena, .size = 48};
  uint64_t ticket = 0;
  uint64_t bytes = 0;
};

enum class StateQuestion : uint32_t {
  kPage = 0,    // one page of a list or map state of one key
  kLookUp = 1,  // entries of a map state, any number of them
};

// The batch that runs reads more of a list or map state than came with it. What it asks for lies in the batch's OUT
// arena as the section kStateNames (arena.h), `bytes` long, for which the worker may ask for a larger arena before. It
// then reads ctl until the StateRead with the same ticket comes; other messages that come before it wait their turn.
// One question at a time: until it is answered, nothing else is sent about this batch.
struct ReadState {
  FrameHeader header{.type = FrameType::kReadState, .size = 64};
  uint64_t ticket = 0;
  uint32_t state = 0;  // worker's number
  StateQuestion question = StateQuestion::kPage;
  uint64_t bytes = 0;
  uint64_t max_bytes = 0;  // kPage: of the page; the host may give less
};

// What was asked for lies in an arena with role kIn, which the next answer may use again: kStatePage and kStateCursor,
// or kStateFound.
struct StateRead {
  FrameHeader header{.type = FrameType::kStateRead, .size = 56};
  uint64_t ticket = 0;
  int32_t status = 0;  // CLUTCH_OK, or why the host did not read it; then there is no arena
  uint32_t arena = 0;
  uint64_t bytes = 0;  // used bytes of the arena
};

static_assert(sizeof(FrameHeader) == 32);
static_assert(sizeof(BatchSubmit) == 112 && sizeof(BatchDone) == 104);
static_assert(sizeof(CloseFunction) == 40 && sizeof(AddArena) == 64 && sizeof(DropArena) == 40);
static_assert(sizeof(NeedArena) == 48);
static_assert(sizeof(ReadState) == 64 && sizeof(StateRead) == 56);
static_assert(std::is_trivially_copyable_v<BatchSubmit> && std::is_trivially_copyable_v<BatchDone>);

}  // namespace clutch::pyproc
