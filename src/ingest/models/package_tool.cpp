#include "ingest/models/package_tool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "core/files.hpp"

extern char** environ;

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPollPause{20};
constexpr std::size_t kMaxLogBytes = 16 << 20;
constexpr std::size_t kLastWordsBytes = 400;
constexpr int kNoSuchProgram = 127;

std::string last_words(const fs::path& log) {
  const auto text = core::read_text_file(log, kMaxLogBytes);
  if (!text) return text.error().message;
  std::string tail = text->substr(text->size() - std::min(text->size(), kLastWordsBytes));
  std::ranges::replace(tail, '\n', ' ');
  // Colour codes and other control characters are not for our messages.
  std::erase_if(tail, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return tail;
}

core::Result<pid_t> spawn(const std::vector<std::string>& arguments, const fs::path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, raw[0], &actions, nullptr, raw.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return fail(ErrorCode::kNotFound, fmt::format("{} is not installed", arguments[0]));
  if (error != 0) return std::unexpected(core::system_error("run", arguments[0], error));
  return child;
}

}  // namespace

core::Status run_program(const std::vector<std::string>& arguments, const fs::path& log, core::Deadline deadline,
                         const core::Clock& clock) {
  CORE_TRY(const pid_t child, spawn(arguments, log));
  int state = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &state, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) return std::unexpected(core::system_error("wait for", arguments[0], errno));
    if (deadline.expired(clock)) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &state, 0);
      return fail(ErrorCode::kDeadlineExceeded, fmt::format("{} did not end in time and was stopped", arguments[0]));
    }
    std::this_thread::sleep_for(kPollPause);
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return {};
  if (WIFEXITED(state) && WEXITSTATUS(state) == kNoSuchProgram) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is not installed", arguments[0]));
  }
  return fail(ErrorCode::kUnavailable, fmt::format("{} failed ({}): {}", arguments[0],
                                                   WIFEXITED(state) ? fmt::format("exit code {}", WEXITSTATUS(state))
                                                                    : fmt::format("signal {}", WTERMSIG(state)),
                                                   last_words(log)));
}

core::Status SystemPackageTool::download(const PackageSource& package, const fs::path& folder,
                                         core::Deadline deadline) {
  const fs::path log = folder / "package-tool.log";
  std::vector<std::string> arguments;
  if (package.kind == PackageKind::kMaven) {
    arguments = {"mvn", "-q", "-B", "dependency:copy", "-Dartifact=" + package.coordinates,
                 "-DoutputDirectory=" + folder.string()};
  } else {
    arguments = {"python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder.string(),
                 package.coordinates};
  }
  const auto status = run_program(arguments, log, deadline, clock_);
  if (status) {
    std::error_code ignored;
    fs::remove(log, ignored);
  }
  return status;
}

}  // namespace scalestyle::ingest::models
