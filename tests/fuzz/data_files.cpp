// The files that a server keeps in its data folder, damaged: events.db with its write-ahead log, features.db, changes.db. They
// are opened, read and written as a server does at its start: an error that names the file, or data within bounds.
// The first byte of an input says which file, the rest what is damaged of it (damage.hpp).

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "adapters/embedded/catalog_change_log.hpp"
#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/feature_file.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "core/files.hpp"
#include "core/task.hpp"
#include "fuzz/damage.hpp"
#include "fuzz/scratch_folder.hpp"
#include "fuzz/target.hpp"
#include "support/compute_threads.hpp"
#include "support/feature_events.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::fuzz {
namespace {

namespace embedded = adapters::embedded;
using core::ErrorCode;
using core::sync_wait;

constexpr std::size_t kEvents = 60;
constexpr int kChanges = 12;
constexpr std::size_t kMostBytes = 1U << 20U;
constexpr std::array<std::string_view, 4> kFiles{"events.db", "events.db-wal", "features.db", "changes.db"};

// What the parts run on, and the files as they were before any damage.
class DataFiles {
 public:
  DataFiles() {
    make_events();
    make_features();
    make_changes();
    folder_.clear();
  }
  DataFiles(const DataFiles&) = delete;
  DataFiles& operator=(const DataFiles&) = delete;
  ~DataFiles() { threads_.stop(); }

  static DataFiles& get() {
    static DataFiles files;
    return files;
  }

  [[nodiscard]] std::size_t size_of(std::size_t file) const { return whole_[file].size(); }
  void check(std::size_t file, std::string_view patches) const;

 private:
  [[nodiscard]] static core::Deadline soon(const core::Clock& clock) {
    return core::Deadline::after(std::chrono::seconds(10), clock);
  }
  [[nodiscard]] std::string bytes_of(std::string_view name) const {
    auto bytes = core::read_text_file(folder_ / name, kMostBytes);
    require(bytes.has_value() && !bytes->empty());
    return std::move(*bytes);
  }
  [[nodiscard]] auto open_log() const {
    return embedded::SqliteEventLog::open({.folder = folder_.path()},
                                          {threads_.clock(), threads_.timers(), threads_.pool(), metrics_});
  }
  [[nodiscard]] auto open_store() const {
    return embedded::MemoryFeatureStore::open(folder_ / "features.db", {},
                                              {threads_.pool(), threads_.timers(), threads_.clock(), metrics_, {}});
  }
  [[nodiscard]] auto open_changes() const {
    return embedded::SqliteCatalogChanges::open({.folder = folder_.path()}, threads_.clock());
  }

  void make_events();
  void make_features();
  void make_changes();
  void check_events() const;
  void check_log() const;
  void check_features() const;
  void check_changes() const;

  ScratchFolder folder_;
  mutable support::ComputeThreads threads_;
  mutable telemetry::Metrics metrics_;
  std::array<std::string, kFiles.size()> whole_{};
};

void expect_named(const core::Error& error, std::string_view file) {
  const bool known = error.code == ErrorCode::kDataLoss || error.code == ErrorCode::kFailedPrecondition;
  if (known && error.message.find(file) != std::string::npos) return;
  std::fprintf(stderr, "%s: %s\n", std::string(core::to_string(error.code)).c_str(), error.message.c_str());
  require(false);
}

// Whether the log kept them. It writes nothing afterwards.
bool append(embedded::SqliteEventLog& log, std::vector<events::Event> batch, const core::Clock& clock) {
  std::thread writer([&log] { log.run(); });
  const auto kept = sync_wait(log.append(std::move(batch), core::Deadline::after(std::chrono::seconds(10), clock)));
  log.stop();
  writer.join();
  return kept.has_value();
}

// Clicks of users and sessions, merges and a wish to be forgotten.
std::vector<events::Event> some_events() {
  std::vector<events::Event> all;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const std::string id = "e" + std::to_string(i);
    const std::string user = "u" + std::to_string(i % 5);
    const std::string session = "s" + std::to_string(i % 3);
    all.push_back(i % 4 == 0 ? support::sample_session_click(id, session) : support::sample_click(id, user));
    if (i % 13 == 12) all.back() = support::sample_merge(id, user, session);
    if (i == kEvents / 2) all.back() = support::sample_subject_event(events::EventType::kForget, id, user);
  }
  return all;
}

std::shared_ptr<const std::vector<events::LoggedEvent>> batch_of(std::uint64_t seed) {
  return std::make_shared<const std::vector<events::LoggedEvent>>(
      support::sample_events(kEvents, support::kFeatureNowMs - 100'000, seed));
}

catalog::ArticleChange change(int number) {
  catalog::ArticleChange made{.kind = catalog::ChangeKind::kUpsert,
                              .id = catalog::ArticleId::parse(std::to_string(number)).value()};
  made.name = "Strap top " + std::to_string(number);
  made[catalog::Attribute::kColour] = "Dark Blue";
  made.sets_price = true;
  made.price = 10.5;
  return made;
}

ports::EncoderInfo encoder() { return {.model = "fuzz", .weights_hash = "1", .precision = "f32", .dimension = 4}; }

// Two thirds of the events are in the database, the rest in the write-ahead log, as a killed process leaves them.
void DataFiles::make_events() {
  std::vector<events::Event> all = some_events();
  const auto middle = all.begin() + kEvents * 2 / 3;
  require(append(*open_log().value(), {all.begin(), middle}, threads_.clock()));
  const auto log = open_log().value();
  require(append(*log, {middle, all.end()}, threads_.clock()));
  whole_[0] = bytes_of("events.db");
  whole_[1] = bytes_of("events.db-wal");
}

void DataFiles::make_features() {
  const auto store = open_store().value();
  auto batch = batch_of(1);
  require(sync_wait(store->apply(batch, core::Deadline::never())).has_value());
  require(store->checkpoint_now().has_value());
  whole_[2] = bytes_of("features.db");
}

void DataFiles::make_changes() {
  {
    const auto log = open_changes().value();
    ports::ChangeBatch batch{.encoder = encoder(), .time_ms = support::kFeatureNowMs};
    for (int i = 1; i <= kChanges; ++i) {
      batch.changes.push_back(change(i));
      batch.vectors.push_back({.article = batch.changes.back().id,
                               .values = std::make_shared<const std::vector<float>>(std::vector<float>{1, 0, 0, 0})});
    }
    require(sync_wait(log->append(std::move(batch), core::Deadline::never())).has_value());
  }
  whole_[3] = bytes_of("changes.db");
}

void DataFiles::check(std::size_t file, std::string_view patches) const {
  folder_.clear();
  if (kFiles[file] == "events.db-wal") folder_.write("events.db", whole_[0]);
  folder_.write(kFiles[file], damaged(whole_[file], patches));
  if (kFiles[file].starts_with("events")) {
    check_events();
  } else if (kFiles[file] == "features.db") {
    check_features();
  } else {
    check_changes();
  }
}

void DataFiles::check_events() const {
  if (const auto report = embedded::verify_event_log(folder_.path()); !report) expect_named(report.error(), "events.db");
  check_log();
  auto reader = embedded::EventLogReader::open(folder_.path());
  if (!reader) return expect_named(reader.error(), "events.db");
  for (std::int64_t after = 0;;) {
    const auto page = reader->read_page(after, 7);
    if (!page) return expect_named(page.error(), "events.db");
    if (page->end()) break;
    require(page->last_offset > after && page->events.size() + page->undecodable.size() <= 7);
    after = page->last_offset;
  }
}

// Everything that a server asks of its log at the start, and an event more.
void DataFiles::check_log() const {
  const auto opened = open_log();
  if (!opened) return expect_named(opened.error(), "events.db");
  embedded::SqliteEventLog& log = **opened;
  if (const auto read = sync_wait(log.history(support::user("u1"), 0, 100, soon(threads_.clock()))); !read) {
    expect_named(read.error(), "events.db");
  }
  for (bool more = true; more && log.stream().lag() > 0;) {
    const auto batch = sync_wait(log.stream().poll(20, core::Deadline::after(std::chrono::milliseconds(500), threads_.clock())));
    more = batch && !batch->empty();
    if (!batch && batch.error().code != ErrorCode::kDeadlineExceeded) expect_named(batch.error(), "events.db");
  }
  if (const auto told = embedded::figures(log); !told) expect_named(told.error(), "events.db");
  static_cast<void>(append(log, {support::sample_click("one more", "u1")}, threads_.clock()));  // kept or not: it ends
}

void DataFiles::check_features() const {
  const auto path = folder_ / "features.db";
  if (const auto info = embedded::read_feature_file_info(path); !info && info.error().code != ErrorCode::kNotFound) {
    expect_named(info.error(), "features.db");
  }
  const auto opened = open_store();
  if (!opened) return expect_named(opened.error(), "features.db");
  embedded::MemoryFeatureStore& store = **opened;
  require(store.usage().subjects <= kEvents && store.usage().items <= kEvents);
  for (const char* name : {"u0", "u1", "u2", "u9"}) {
    const auto read = sync_wait(store.read(support::user(name), soon(threads_.clock())));
    require(read.has_value() && read->features.recent_items.size() <= store.options().max_recent_items);
  }
  require(sync_wait(store.popularity(0, support::kFeatureNowMs, soon(threads_.clock()))).has_value());
  auto batch = batch_of(2);
  static_cast<void>(sync_wait(store.apply(batch, soon(threads_.clock()))).has_value());
  if (const auto written = store.checkpoint_now(); !written) expect_named(written.error(), "features.db");
}

void DataFiles::check_changes() const {
  const auto kept = embedded::read_kept_changes(folder_.path());
  if (!kept) expect_named(kept.error(), "changes.db");
  const auto opened = open_changes();
  if (!opened) return expect_named(opened.error(), "changes.db");
  const auto read = sync_wait((*opened)->read(0, 1'000, soon(threads_.clock())));
  if (!read) expect_named(read.error(), "changes.db");
  if (read) {
    std::int64_t before = 0;
    for (const auto& change : *read) {
      require(change.sequence > before && change.change.validate().has_value());
      before = change.sequence;
    }
  }
  const auto vectors = sync_wait((*opened)->vectors(encoder(), soon(threads_.clock())));
  if (!vectors) expect_named(vectors.error(), "changes.db");
  const auto is_whole = [](const ports::ArticleVector& one) { return one.values != nullptr && one.values->size() == 4; };
  if (vectors) require(std::ranges::all_of(*vectors, is_whole));
  static_cast<void>(sync_wait((*opened)->append({.changes = {change(kChanges + 1)}}, soon(threads_.clock()))).has_value());
  static_cast<void>(sync_wait((*opened)->settle(kChanges, support::kFeatureNowMs, soon(threads_.clock()))).has_value());
}

}  // namespace

std::vector<std::string> seeds() {
  const DataFiles& files = DataFiles::get();
  std::vector<std::string> all;
  for (std::size_t file = 0; file < kFiles.size(); ++file) {
    const std::string first(1, static_cast<char>(file));
    const std::size_t size = files.size_of(file);
    all.push_back(first);
    all.push_back(first + cut(size / 2));
    all.push_back(first + cut(size - 100));
    all.push_back(first + patch(size / 2, std::string(200, '\xA5')));
    for (std::size_t page = 0; page < size; page += 4'096) all.push_back(first + patch(page + 3, std::string("\x00\x02", 2)));
  }
  return all;
}

std::vector<std::string> words() {
  return {patch(18, "\x09\x09"), patch(28, std::string(4, '\0')), patch(52, "\xFF\xFF"), patch(60, "\x02"), patch(100, "\x05"),
          patch(4'096, "\x0D"), patch(8'192, "\x05"), patch(12'288, std::string(100, '\0')), cut(4'096),
          std::string("\x00\x10\x00\x01", 4)};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  if (size == 0) return 0;
  DataFiles::get().check(data[0] % kFiles.size(), text_of(data + 1, size - 1));
  return 0;
}
