// scalestyle events export | import: the event log as JSON lines.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/event_log_reader.hpp"
#include "command_list.hpp"
#include "consumer/event_export.hpp"
#include "consumer/event_import.hpp"
#include "core/files.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "events/event_json.hpp"
#include "runtime.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

namespace {

namespace embedded = adapters::embedded;

constexpr std::uint64_t kShownRejects = 100;  // more are only counted
constexpr auto kBatchDeadline = std::chrono::seconds(60);

// Shows the first problems of an input, one a line, and counts the rest.
class RejectList {
 public:
  void add(const std::string& message) {
    if (++count_ <= kShownRejects) fmt::print(stderr, "error: {}\n", message);
    if (count_ == kShownRejects + 1) fmt::print(stderr, "error: … and more, which are only counted\n");
  }

 private:
  std::uint64_t count_ = 0;
};

// A file descriptor that is closed at the end of its scope, unless it is a standard stream.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ > STDERR_FILENO) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

core::Status write_all(int descriptor, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(core::system_error("write", name, errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

core::Status export_to(embedded::EventLogReader& reader, int descriptor, const std::string& name, consumer::ExportCounts& counts) {
  RejectList rejects;
  return consumer::export_events(reader,
                                 {.write = [&](std::string_view lines) { return write_all(descriptor, lines, name); },
                                  .reject = [&](const std::string& message) { rejects.add(message); }},
                                 counts);
}

// The file appears whole or not at all.
core::Status export_to_file(embedded::EventLogReader& reader, const std::filesystem::path& path, consumer::ExportCounts& counts) {
  const std::filesystem::path partial = path.string() + ".partial";
  const Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.number() < 0) return std::unexpected(core::system_error("create", partial, errno));
  auto exported = export_to(reader, file.number(), partial.string(), counts);
  if (exported && ::fsync(file.number()) != 0) exported = std::unexpected(core::system_error("sync", partial, errno));
  if (exported && ::rename(partial.c_str(), path.c_str()) != 0) {
    exported = std::unexpected(core::system_error("rename", partial, errno));
  }
  if (!exported) ::unlink(partial.c_str());
  return exported;
}

core::Result<consumer::ExportCounts> run_export(const core::Settings& settings) {
  CORE_TRY(const auto data, data_folder(settings));
  CORE_TRY(auto reader, embedded::EventLogReader::open(data));
  consumer::ExportCounts counts;
  if (settings.is_set("out")) {
    CORE_CHECK(export_to_file(reader, settings.text("out"), counts));
  } else {
    CORE_CHECK(export_to(reader, STDOUT_FILENO, "standard output", counts));
  }
  fmt::print(stderr, "exported {} events", counts.events);
  if (counts.undecodable > 0) fmt::print(stderr, "; {} records are no event", counts.undecodable);
  fmt::print(stderr, "\n");
  return counts;
}

int interrupt_end = -1;  // where the handler of a signal writes to

extern "C" void note_interrupt(int) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t written = ::write(interrupt_end, "i", 1);
  errno = saved;
}

// While it lives, the first SIGINT or SIGTERM only makes descriptor() readable, so that an import ends between two
// batches; the second ends the process. One at a time.
class InterruptGuard {
 public:
  InterruptGuard() {
    if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;  // a signal ends the process then, which is safe too
    interrupt_end = ends_[1];
    struct sigaction action {};
    action.sa_handler = note_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &old_interrupt_);
    ::sigaction(SIGTERM, &action, &old_terminate_);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard() {
    if (ends_[0] < 0) return;
    ::sigaction(SIGINT, &old_interrupt_, nullptr);
    ::sigaction(SIGTERM, &old_terminate_, nullptr);
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int descriptor() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{-1, -1};
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

// The event log with the threads that it needs.
class OpenLog {
 public:
  explicit OpenLog(std::filesystem::path folder) : compute_(1), timers_(compute_.clock()), folder_(std::move(folder)) {}
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;
  ~OpenLog() {
    if (log_) log_->stop();
    if (writer_.joinable()) writer_.join();
    timers_.stop();
    if (timer_thread_.joinable()) timer_thread_.join();
    compute_.stop();
    log_.reset();
  }

  core::Status open() {
    CORE_TRY(log_, embedded::SqliteEventLog::open({.folder = folder_}, {.clock = compute_.clock(), .timers = timers_,
                                                                        .pool = compute_.pool(), .metrics = metrics_}));
    timer_thread_ = std::thread([this] { timers_.run(); });
    writer_ = std::thread([this] { log_->run(); });
    return {};
  }

  core::Status append(std::vector<events::Event> batch, consumer::ImportCounts& counts) {
    const auto imported = core::sync_wait(log_->import(std::move(batch), core::Deadline::after(kBatchDeadline, compute_.clock())));
    if (!imported) return std::unexpected(imported.error().error);
    for (const auto& event : *imported) {
      switch (event.outcome) {
        case embedded::ImportOutcome::kKept: ++counts.kept; break;
        case embedded::ImportOutcome::kDuplicate: ++counts.duplicates; break;
        case embedded::ImportOutcome::kForgotten: ++counts.forgotten; break;
      }
    }
    CORE_CHECK(embedded::checkpoint_wal(*log_));
    return {};
  }

 private:
  Compute compute_;
  core::TimerQueue timers_;
  telemetry::Metrics metrics_;
  const std::filesystem::path folder_;
  std::unique_ptr<embedded::SqliteEventLog> log_;
  std::thread timer_thread_;
  std::thread writer_;
};

core::Result<consumer::ImportCounts> run_import(const core::Settings& settings) {
  CORE_TRY(const auto data, data_folder(settings));
  const bool from_file = settings.is_set("in");
  const std::string name = from_file ? settings.text("in") : "standard input";
  const Descriptor input(from_file ? ::open(name.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO);
  if (input.number() < 0) return std::unexpected(core::system_error("open", name, errno));
  OpenLog log(data);
  if (auto opened = log.open(); !opened) {
    // Most often the lock of a server; a log of another format says so itself.
    if (opened.error().code == core::ErrorCode::kFailedPrecondition) {
      opened.error().message += "; an import needs the log for itself: a server over this folder must be stopped";
    }
    return std::unexpected(std::move(opened).error());
  }

  const InterruptGuard guard;
  RejectList rejects;
  consumer::LineReader lines(input.number(), name, events::kMaxEventJsonBytes, guard.descriptor());
  consumer::ImportCounts counts;
  auto imported = consumer::import_events(
      lines, embedded::SqliteEventLog::kMaxBatchEvents,
      {.append = [&](std::vector<events::Event> batch, consumer::ImportCounts& so_far) { return log.append(std::move(batch), so_far); },
       .reject = [&](const std::string& message) { rejects.add(message); }},
      counts);
  fmt::print("imported {} events; {} were there already; {} of forgotten subjects left out; {} lines rejected\n", counts.kept,
             counts.duplicates, counts.forgotten, counts.rejected);
  if (!imported) {
    imported.error().message += fmt::format(". Everything up to line {} is done; run the import again to go on: nothing counts "
                                            "twice",
                                            counts.done_through_line);
    return std::unexpected(std::move(imported).error());
  }
  return counts;
}

}  // namespace

Command events_export_command() {
  return {.path = {"events", "export"},
          .help = "Write the events of the log as JSON lines; a server may run meanwhile",
          .settings = {"data", "out"},
          .run = [](const Invocation& invocation) {
            const auto counts = run_export(invocation.settings);
            if (!counts) return report(counts.error());
            return counts->undecodable == 0 ? kExitOk : kExitFailure;
          }};
}

Command events_import_command() {
  return {.path = {"events", "import"},
          .help = "Add events from JSON lines to the log; each event_id counts once; no server may run",
          .settings = {"data", "in"},
          .run = [](const Invocation& invocation) {
            const auto counts = run_import(invocation.settings);
            if (!counts) return report(counts.error());
            return counts->rejected == 0 ? kExitOk : kExitFailure;
          }};
}

}  // namespace scalestyle::app
