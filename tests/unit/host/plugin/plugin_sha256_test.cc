#include "plugin/sha256.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "folder.h"

namespace clutch::host {
namespace {

// Examples of FIPS 180-4, and lengths around the end of a block, compared with coreutils' sha256sum.
TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  for (size_t size = 0; size < 200; ++size) {
    const std::string text(size, 'x');
    Sha256 hash;
    for (size_t at = 0; at < size; at += 7) hash.update(text.data() + at, std::min<size_t>(7, size - at));
    EXPECT_EQ(hash.finish(), sha256_hex(text)) << size;
  }
}

TEST(Sha256, ReadsFilesFromTheirStart) {
  const TestFolder folder;
  const std::string text(200'000, 'b');
  const int fd = open(folder.write("file", text).c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(lseek(fd, 5, SEEK_SET), 5);
  EXPECT_EQ(*sha256_of_file(fd), sha256_hex(text));
  EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 5);
  close(fd);
  EXPECT_EQ(sha256_of_file(fd).status().message(), "cannot be read: Bad file descriptor");
}

}  // namespace
}  // namespace clutch::host
