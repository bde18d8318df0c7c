#include "supervisor/worker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "worker/bootstrap.h"

namespace clutch::pyproc {
namespace {

// What a worker may see of the host's environment: where things are and how text looks, nothing that carries secrets.
constexpr const char* kEnvironment[] = {
    "PATH",        "HOME",        "USER",       "LOGNAME",    "SHELL",         "LANG",         "LANGUAGE",
    "LC_*",        "TZ",          "TMPDIR",     "TERM",       "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH",
    "VIRTUAL_ENV", "OMP_*",       "OPENBLAS_*", "MKL_*",      "NUMEXPR_*",     "CUDA_*",       "MALLOC_*",
    "http_proxy",  "https_proxy", "no_proxy",   "HTTP_PROXY", "HTTPS_PROXY",   "NO_PROXY"};

// Why: RLIMIT_AS counts what is mapped, not what is used. The interpreter with its libraries and the first arenas map
// this much before any user data exists.
constexpr uint64_t kAddressReserve = uint64_t{256} << 20;

Status cannot(const char* what) {
  return {CLUTCH_ERR_LOAD, std::string("cannot make ") + what + " of a worker process: " + std::strerror(errno),
          CLUTCH_ORIGIN_HOST};
}

std::vector<std::string> command(const Worker::Paths& paths, const PoolOptions& options, uint32_t number) {
  std::vector<std::string> out = {paths.launcher, "--result=" + std::to_string(kControlFd),
                                  "--parent=" + std::to_string(::getpid())};
  for (int fd = 0; fd < kFirstFreeFd; ++fd) out.push_back("--fd=" + std::to_string(fd) + ":" + std::to_string(fd));
  for (const char* name : kEnvironment) out.push_back(std::string("--env=") + name);
  if (options.memory_limit > 0) {
    out.push_back("--address-space=" + std::to_string(options.memory_limit + kAddressReserve));
  }
  out.push_back(options.sandbox == Sandbox::kOff    ? "--sandbox=off"
                : options.sandbox == Sandbox::kAuto ? "--sandbox=auto"
                                                    : "--sandbox=require");
  out.insert(out.end(),
             {"--", paths.python, "-I", "-c", kBootstrap, paths.embed, paths.worker, std::to_string(number)});
  return out;
}

}  // namespace

Worker::Worker(uint32_t worker_number, uint64_t worker_epoch, const PoolOptions& options, int64_t now)
    : number(worker_number),
      epoch(worker_epoch),
      life(worker_epoch, now, options.start_timeout_ms * kMillisecond),
      slots(options.depth) {}

Status Worker::start(const Paths& paths, const PoolOptions& options, uint64_t spin_ns) {
  CLUTCH_ASSIGN_OR_RETURN(auto ends, Channel::make_pair());
  channel = Channel(std::move(ends.first));
  CLUTCH_ASSIGN_OR_RETURN(progress, ProgressMemory::create());
  page().spin_ns.store(spin_ns);

  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return cannot("the log pipe");
  log = Fd(pipe_ends[0]);
  const Fd log_writer(pipe_ends[1]);
  if (::fcntl(log.get(), F_SETFL, O_NONBLOCK) != 0) return cannot("the log pipe");

  control_epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  if (!control_epoll.valid() || ::epoll_ctl(control_epoll.get(), EPOLL_CTL_ADD, channel.fd(), &event) != 0) {
    return cannot("the watch");
  }

  Configure configure;
  configure.options = options.all;
  configure.number = number;
  CLUTCH_RETURN_IF_ERROR(send_body(FrameType::kConfigure, encode(configure)));

  Spawn spawn;
  spawn.arguments = command(paths, options, number);
  spawn.output = log_writer.get();
  spawn.control = ends.second.get();
  spawn.progress = progress->fd();
  CLUTCH_ASSIGN_OR_RETURN(process, Process::start(spawn));
  progress->close_fd();
  return {};
}

Status Worker::send_body_locked(FrameType type, std::span<const uint8_t> body) {
  Status status = channel.send_large_body(type, epoch, body);
  if (status.ok()) count_sent();
  return status;
}

Result<std::unique_ptr<ArenaMemory>> Worker::add_arena(ArenaRole role, uint64_t bytes, uint64_t ticket) {
  CLUTCH_ASSIGN_OR_RETURN(auto arena, ArenaMemory::create(role, next_arena_.fetch_add(1), arena_size(bytes)));
  AddArena message;
  message.arena = arena->number();
  message.role = role;
  message.bytes = arena->size();
  message.ticket = ticket;
  CLUTCH_RETURN_IF_ERROR(send(message, arena->fd()));
  arena->close_fd();
  return arena;
}

void Worker::drop_arena(std::unique_ptr<ArenaMemory> arena) {
  if (!arena) return;
  DropArena message;
  message.arena = arena->number();
  // A worker that cannot be told is on its way out, and takes its mappings with it.
  (void)send(message);
}

uint64_t Worker::head() const {
  uint64_t first = UINT64_MAX;
  for (const Slot& slot : slots) {
    if (slot.state == Slot::State::kSent || slot.state == Slot::State::kRevoked) first = std::min(first, slot.order);
  }
  for (const auto& [id, opening] : functions) {
    if (opening.state != Opening::State::kOpened) first = std::min(first, opening.order);
  }
  return first == UINT64_MAX ? 0 : first;
}

bool Worker::asking() const {
  return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) { return slot.asking; });
}

Slot* Worker::free_slot() {
  for (Slot& slot : slots) {
    if (slot.state == Slot::State::kFree) return &slot;
  }
  return nullptr;
}

uint32_t Worker::busy() const {
  uint32_t count = 0;
  for (const Slot& slot : slots) count += slot.state != Slot::State::kFree ? 1u : 0u;
  return count;
}

}  // namespace clutch::pyproc
