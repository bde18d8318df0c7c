#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "connectors.h"
#include "source/lines/line_buffer.h"
#include "source/lines/socket.h"
#include "source/lines/stdin.h"

namespace clutch::engine {
namespace {

using Json = nlohmann::json;
using Kind = SourceReader::Polled::Kind;
using Texts = std::vector<std::string>;

// Lines of text that comes in pieces.
Texts lines_of(const std::string& delimiter, const Texts& pieces) {
  LineBuffer lines(delimiter, "the test");
  columnar::ArrayBuilder builder(value_field("string"));
  Status status;
  for (const std::string& piece : pieces) {
    lines.feed(piece);
    if (status.ok()) status = lines.take(1000, builder);
  }
  lines.finish();
  if (status.ok()) status = lines.take(1000, builder);
  Texts out;
  const columnar::Array array = builder.finish();
  for (int64_t i = 0; i < array->length; ++i) out.push_back(rows::value_json(value_field("string"), *array, i));
  if (!status.ok()) out.emplace_back(status.message());
  return out;
}

TEST(LineBuffer, FindsDelimitersAcrossPieces) {
  EXPECT_EQ(lines_of("\n", {"a\r", "\nb", "\n", "\nc"}), (Texts{"a", "b", "", "c"}));
  EXPECT_EQ(lines_of("<>", {"a<", ">b<>", "<", ">c<"}), (Texts{"a", "b", "", "c<"}));
  EXPECT_EQ(lines_of("", {"a\n", "b"}), (Texts{"a\nb"}));
  EXPECT_EQ(lines_of("\n", {"a\n", "b\xFF\n"}), (Texts{"a", "line 2 of the test is not UTF-8; send UTF-8"}));
}

struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends), 0); }
  ~Pipe() {
    close(ends[0]);
    stop();
  }
  void send(std::string_view text) const { EXPECT_EQ(write(ends[1], text.data(), text.size()), ssize_t(text.size())); }
  void stop() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  int ends[2] = {-1, -1};
};

TEST(StdinSource, GivesWhatIsThere) {
  Pipe pipe;
  const auto source = descriptor_source(pipe.ends[0], "standard input", value_field("string"));
  auto reader = *source->reader({});
  ASSERT_TRUE(reader->open().ok());
  pipe.send("one\ntwo\nthr");
  auto polled = reader->poll(std::nullopt);
  ASSERT_TRUE(polled.ok());
  Texts values;
  append_values(source->element(), *polled->batch, values);
  EXPECT_EQ(values, (Texts{"\"one\"", "\"two\""}));
  EXPECT_EQ(reader->poll(std::chrono::steady_clock::now())->kind, Kind::kNothing);
  pipe.send("ee");
  pipe.stop();
  EXPECT_EQ(drain(*source, *reader), (Texts{"\"three\""}));
  EXPECT_EQ(reader->poll(std::nullopt)->kind, Kind::kEnded);
  auto other = *source->reader({1, 2, 10});
  EXPECT_EQ(drain(*source, *other), Texts());
}

TEST(StdinSource, WakeEndsAWait) {
  const Pipe pipe;
  const auto source = descriptor_source(pipe.ends[0], "standard input", value_field("string"));
  auto reader = *source->reader({});
  std::thread waker([&] { reader->wake(); });
  auto polled = reader->poll(std::nullopt);
  waker.join();
  ASSERT_TRUE(polled.ok());
  EXPECT_EQ(polled->kind, Kind::kNothing);
}

TEST(StdinSource, RefusesWhatItCannotDo) {
  EXPECT_EQ(make_stdin_source({{"path", "x"}}, value_field("string"), "nodes[0].source").status().message(),
            "nodes[0].source.path: is not known; there are no members here");
  EXPECT_EQ(make_stdin_source({{"type", "stdin"}}, value_field("int8"), "nodes[0].source").status().message(),
            "nodes[0].source: gives text, and \"output\" is int8; write \"output\": \"string\"");
  auto source = make_stdin_source({{"type", "stdin"}}, value_field("string"), "nodes[0].source");
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*(*source)->reader({}))->position().status().message(),
            "standard input cannot be read again; take a source of files where a job is restored");
  const auto closed = descriptor_source(1 << 20, "standard input", value_field("string"));
  EXPECT_EQ(read_all(*closed).back(), "cannot read standard input: Bad file descriptor; give it an input");
}

// A server on the loopback that sends one text to each of its clients, and ends the connection.
class Server {
 public:
  Server() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Server() {
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }
  void serve(Texts texts) {
    EXPECT_EQ(listen(fd_, 4), 0);
    thread_ = std::thread([this, texts = std::move(texts)] {
      for (const std::string& text : texts) {
        const int client = accept(fd_, nullptr, nullptr);
        EXPECT_EQ(send(client, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
        close(client);
      }
    });
  }
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
  std::thread thread_;
};

std::unique_ptr<Source> socket_source(const Json& members) {
  auto source = make_socket_source(members, value_field("string"), "nodes[0].source");
  EXPECT_TRUE(source.ok()) << source.status().message();
  return *std::move(source);
}

TEST(SocketSource, ReadsLinesUntilTheServerEnds) {
  Server server;
  server.serve({"a\nb\r\nc"});
  EXPECT_EQ(read_all(*socket_source({{"host", "localhost"}, {"port", server.port()}})),
            (Texts{"\"a\"", "\"b\"", "\"c\""}));
}

TEST(SocketSource, ConnectsAgainAsOftenAsItIsTold) {
  Server server;
  server.serve({"a;b", "c;", "d"});
  const auto source = socket_source(
      {{"host", "127.0.0.1"}, {"port", server.port()}, {"delimiter", ";"}, {"retries", 2}, {"retry_ms", 0}});
  EXPECT_EQ(read_all(*source), (Texts{"\"a\"", "\"b\"", "\"c\"", "\"d\""}));
}

TEST(SocketSource, SaysThatNobodyAnswers) {
  const Server server;  // bound, but not listening
  const auto source = socket_source({{"host", "127.0.0.1"}, {"port", server.port()}, {"retries", 1}, {"retry_ms", 0}});
  EXPECT_EQ(read_all(*source).back(), "cannot connect to 127.0.0.1:" + std::to_string(server.port()) +
                                          ": Connection refused; start the server first, or set retries");
}

TEST(SocketSource, WakeEndsTheWaitForAServer) {
  const Server server;
  const auto source =
      socket_source({{"host", "127.0.0.1"}, {"port", server.port()}, {"retries", -1}, {"retry_ms", 86'400'000}});
  auto reader = *source->reader({});
  std::thread waker([&] { reader->wake(); });
  auto polled = reader->poll(std::nullopt);
  waker.join();
  ASSERT_TRUE(polled.ok()) << polled.status().message();
  EXPECT_EQ(polled->kind, Kind::kNothing);
}

TEST(SocketSource, RefusesMembersByTheirPlace) {
  const auto refusal = [](const Json& members) {
    return std::string(make_socket_source(members, value_field("string"), "s").status().message());
  };
  EXPECT_EQ(refusal({{"port", 1}}), "s.host: is missing; give a text");
  EXPECT_EQ(refusal({{"host", "x"}}), "s.port: is missing; give a whole number from 1 to 65535");
  EXPECT_EQ(refusal({{"host", "x"}, {"port", 65536}}), "s.port: 65536 is no whole number from 1 to 65535");
  EXPECT_EQ(refusal({{"host", "x"}, {"port", 1}, {"retries", -2}}),
            "s.retries: -2 is no whole number from -1 to 2147483647");
  EXPECT_EQ((*socket_source({{"host", "x"}, {"port", 1}})->reader({}))->position().status().message(),
            "what came from a socket cannot be read again; take a source of files where a job is restored");
}

}  // namespace
}  // namespace clutch::engine
