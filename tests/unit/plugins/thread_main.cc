#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

// Why: a libpython 3.13 that was loaded and never initialised deletes the first thread key of the process when its
// destructors run, whoever made it. GoogleTest's own is that key, so the process must end without destructors.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  std::fflush(nullptr);
  _exit(status);
}
