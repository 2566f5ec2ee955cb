#include "core/files.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_folder.hpp"

namespace scalestyle::core {
namespace {

TEST(Files, AtomicWriteReplacesTheWholeContent) {
  const support::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "CURRENT", "first, longer"));
  ASSERT_TRUE(write_file_atomically(folder / "CURRENT", "second"));
  EXPECT_EQ(read_text_file(folder / "CURRENT", 100).value(), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "a temporary file stayed";
}

TEST(Files, AtomicWriteIntoAMissingFolderNamesThePath) {
  const support::TemporaryFolder folder;
  const auto status = write_file_atomically(folder / "missing" / "file", "text");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_NE(status.error().message.find("missing/file"), std::string::npos) << status.error().message;
}

TEST(Files, ReadingIsBounded) {
  const support::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "big", std::string(1001, 'x')));
  const auto text = read_text_file(folder / "big", 1000);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kResourceExhausted);
}

TEST(MappedFile, MapsContentAndTakesAnEmptyFile) {
  const support::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "hello"));
  ASSERT_TRUE(write_file_atomically(folder / "empty", ""));
  const auto file = MappedFile::open(folder / "a");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->text(), "hello");
  file->release_pages();
  EXPECT_EQ(file->text(), "hello");
  EXPECT_TRUE(MappedFile::open(folder / "empty").value().bytes().empty());
}

TEST(MappedFile, RefusesFoldersAndMissingFiles) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(MappedFile::open(folder.path()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open(folder / "missing").error().code, ErrorCode::kNotFound);
}

TEST(FileLock, IsExclusiveBetweenProcessesAndFreedByDeath) {
  const support::TemporaryFolder folder;
  const auto path = folder / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = FileLock::acquire(path);
    const char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(2);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = FileLock::acquire(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message.find(std::to_string(child)), std::string::npos) << refused.error().message;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::acquire(path));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace scalestyle::core
