#pragma once
// An open SqliteEventLog with its threads, in a folder of its own.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/event_log_reader.hpp"
#include "core/task.hpp"
#include "support/compute_threads.hpp"
#include "support/sample_event.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {

class OpenLog {
 public:
  explicit OpenLog(SqliteEventLog::Options options = {}) : options_(std::move(options)) {
    if (options_.folder.empty()) options_.folder = folder_.path();
    open();
  }
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;
  ~OpenLog() {
    close();
    threads_.stop();
  }

  [[nodiscard]] SqliteEventLog& operator*() { return *log_; }
  [[nodiscard]] SqliteEventLog* operator->() { return log_.get(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return options_.folder; }
  [[nodiscard]] const core::Clock& clock() const { return threads_.clock(); }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

  void open() {
    auto opened = SqliteEventLog::open(options_, {threads_.clock(), threads_.timers(), threads_.pool(), metrics_});
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
    writer_ = std::thread([this] { log_->run(); });
  }
  void close() {
    if (log_ == nullptr) return;
    log_->stop();
    writer_.join();
    log_.reset();
  }
  void reopen() {
    close();
    open();
  }

  ports::AppendResult append(std::vector<events::Event> batch) {
    return core::sync_wait(log_->append(std::move(batch), core::Deadline::after(std::chrono::seconds(30), threads_.clock())));
  }
  // The event's offset; 0 after a failure.
  std::int64_t append_one(events::Event event) {
    const auto result = append({std::move(event)});
    EXPECT_TRUE(result) << result.error().error.message;
    return result ? result->front().position.offset : 0;
  }
  void commit(std::int64_t offset) {
    const auto done = core::sync_wait(log_->stream().commit({.stream = log_->name(), .partition = 0, .offset = offset}, core::Deadline::never()));
    EXPECT_TRUE(done) << done.error().message;
  }
  [[nodiscard]] std::vector<events::LoggedEvent> everything() const { return all_events(options_.folder); }

  [[nodiscard]] static std::vector<events::LoggedEvent> all_events(const std::filesystem::path& folder) {
    std::vector<events::LoggedEvent> all;
    auto reader = EventLogReader::open(folder);
    EXPECT_TRUE(reader) << reader.error().message;
    for (std::int64_t after = 0; reader;) {
      auto page = reader->read_page(after, 7);
      EXPECT_TRUE(page) << page.error().message;
      if (!page || page->end()) break;
      EXPECT_TRUE(page->undecodable.empty());
      after = page->last_offset;
      for (auto& event : page->events) all.push_back(std::move(event));
    }
    return all;
  }

 private:
  support::TemporaryFolder folder_;
  SqliteEventLog::Options options_;
  support::ComputeThreads threads_;
  telemetry::Metrics metrics_;
  std::unique_ptr<SqliteEventLog> log_;
  std::thread writer_;
};

inline std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace scalestyle::adapters::embedded
