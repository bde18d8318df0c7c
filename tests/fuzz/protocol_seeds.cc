// Writes the seeds of protocol_fuzz into a folder: one of each thing that a good worker sends, so that mutations get
// behind the first checks. The first byte of each is what protocol_fuzz chooses by.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "clutch/columnar/builder.h"
#include "protocol/arena.h"
#include "protocol/descriptor.h"
#include "protocol/messages.h"

using namespace clutch;
using namespace clutch::pyproc;

namespace {

class Seeds {
 public:
  explicit Seeds(const char* folder) : folder_(folder) { std::filesystem::create_directories(folder_); }
  void add(const std::string& name, uint8_t choice, const Bytes& bytes) {
    std::ofstream file(folder_ / name, std::ios::binary);
    file.put(static_cast<char>(choice));
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    good_ = good_ && file.good();
  }
  bool good() const { return good_; }

 private:
  std::filesystem::path folder_;
  bool good_ = true;
};

Status error() {
  Status status(CLUTCH_ERR_USER, "ValueError: no", CLUTCH_ORIGIN_USER);
  status.with(CLUTCH_DETAIL_ROW, "3").with("python.stack", "File \"f.py\", line 1");
  return status;
}

Bytes framed(FrameType type, const Bytes& body) {
  FrameHeader header{.type = type, .size = static_cast<uint32_t>(sizeof(FrameHeader) + body.size())};
  header.body_bytes = body.size();
  Bytes bytes(sizeof(header));
  std::memcpy(bytes.data(), &header, sizeof(header));
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

template <typename T>
Bytes bytes_of(const T& message) {
  Bytes bytes(sizeof(T));
  std::memcpy(bytes.data(), &message, sizeof(T));
  return bytes;
}

// The four schemas of protocol_fuzz in its order, three rows each.
Bytes arena(const char* type, void (*fill)(columnar::ArrayBuilder&)) {
  columnar::Field field;
  field.type = *columnar::parse_type(type);
  columnar::ArrayBuilder builder(field);
  for (int row = 0; row < 3; ++row) {
    fill(builder);
    builder.append_struct();
  }
  const columnar::Array rows = builder.finish();
  Bytes bytes(4096);
  ArenaWriter writer;
  writer.start(bytes);
  writer.add(SectionKind::kEmit, 0, field, *rows.get());
  writer.add_implied(SectionKind::kOrigin, 0);
  bytes.resize(writer.finish());
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Seeds seeds(argv[1]);
  seeds.add("ready", 0, encode(Ready{.error = {}, .pid = 7, .facts = {{"python", "3.11.2"}}}));
  seeds.add("ready_failed", 0, encode(Ready{.error = error(), .pid = 7, .facts = {}}));
  FunctionOpened opened{.function = 1, .error = {}, .states = {{"count", 1, 1000}}, .side_outputs = {}};
  opened.side_outputs.emplace_back().name = "late";
  opened.side_outputs.back().schema.type = *columnar::parse_type("struct<a: list<struct<b: string>>>");
  seeds.add("opened", 1, encode(opened));
  seeds.add("closed", 2, encode(FunctionClosed{.function = 1, .error = error()}));
  const BatchNotes notes{.ticket = 9, .dead_letters = {{3, error()}}, .metrics = {{1, "rows", 4.5}}};
  seeds.add("notes", 3, encode(notes));
  seeds.add("error", 4, encode(BatchError{.ticket = 9, .error = error()}));
  const Bytes log = encode(LogLine{.level = 2, .function = 1, .source = "stdout", .text = "hello"});
  seeds.add("log", 5, log);
  seeds.add("frame_log", 6, framed(FrameType::kLog, log));
  seeds.add("frame_done", 6, bytes_of(BatchDone{}));
  seeds.add("frame_need_arena", 6, bytes_of(NeedArena{}));

  const auto choice = [](int schema) { return static_cast<uint8_t>(12 * schema + 8); };
  seeds.add("arena_int64", choice(0), arena("struct<a: int64>", [](auto& b) { b.child(0).append(int64_t{5}); }));
  seeds.add("arena_strings", choice(1), arena("struct<a: string, b: list<int32>>", [](auto& b) {
              (void)b.child(0).append_bytes("words");
              b.child(1).child(0).append(int32_t{7});
              (void)b.child(1).append_list();
            }));
  seeds.add("arena_map", choice(2), arena("struct<a: map<string, bool>>", [](auto& b) { b.child(0).append_null(); }));
  seeds.add("arena_fixed", choice(3), arena("struct<a: decimal128(10, 2), b: fixed_size_list<int8>[3]>", [](auto& b) {
              b.child(0).append_null();
              b.child(1).append_null();
            }));
  return seeds.good() ? 0 : 1;
}
