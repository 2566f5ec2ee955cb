// What comes from outside: the message of a search request, a click.

#include <fmt/format.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_engine.hpp"
#include "adapters/embedded/event_log_rows.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "core/task.hpp"
#include "units.hpp"
#include "http/header_reader_impl.hpp"
#include "http/list_parameters.hpp"
#include "http/message.hpp"
#include "http/query_string.hpp"

namespace scalestyle::guard {

namespace {

constexpr events::EpochMs kStartMs = 1'772'366'400'000;

constexpr std::string_view kMessage =
    "GET /api/search?query=long+summer+dress+with+flowers&k=24&colour=Blue&price_max=50&userId=u-1234 HTTP/1.1\r\n"
    "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\nAccept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nX-Request-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r\n\r\n";

// From bytes to the request that the search takes.
void read_message() {
  http::HeaderLines lines;
  require(lines.add(kMessage), "the header's lines are refused");
  http::RequestParser parser;
  parser.eager(false);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(kMessage.data(), kMessage.size()), error);
  require(!error && parser.is_header_done(), "the header is not complete");
  const std::string target(parser.get().target());
  const auto parts = http::split_target(target);
  require(parts.has_value(), "the target is refused");
  auto pairs = http::parse_query(parts->query);
  require(pairs.has_value(), "the query string is refused");
  auto parameters = http::Parameters::check(http::search_parameters(), std::move(*pairs));
  require(parameters.has_value(), "the parameters are refused");
  const auto request = http::to_search_request(*parameters, core::SteadyTime{});
  require(request.has_value() && request->k == 24 && request->query.size() == 30, "the request is another one");
}

class StillClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return core::SteadyTime(std::chrono::hours(1)); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(kStartMs + 86'400'000)); }
};

events::Event click(int number) {
  events::Event event;
  event.event_id = fmt::format("click-{:08}", number);
  event.user_id = core::UserId(fmt::format("user-{}", number % 7));
  event.received_time_ms = event.event_time_ms = kStartMs + number * 1'000;
  event.item_id = fmt::format("{:010}", 100'000'000 + number * 13);
  event.category = number % 2 == 0 ? "Trousers" : "Dress";
  event.weight = 1;
  event.source = events::EventSource::kSearch;
  event.query = "summer dress with flowers";
  event.position = 3;
  event.request_id = fmt::format("request-{:08}", number);
  return event;
}

// As the log's writer does it for a click that comes alone: one transaction, synced, then its effect on the features.
void measure_click(Meter& meter, const std::filesystem::path& folder) {
  using namespace adapters::embedded;
  if (!meter.wants("a click appended and applied")) return;
  const StillClock clock;
  core::WorkerPool pool({.threads = 1, .queue_capacity = 64}, clock);
  core::TimerQueue timers(clock);
  telemetry::Metrics metrics;
  const auto log = SqliteEventLog::open({.folder = folder}, {clock, timers, pool, metrics}).value();
  const auto store = MemoryFeatureStore::open(folder / "features.db", {}, {pool, timers, clock, metrics}).value();
  int number = 0;
  meter.measure("a click appended and applied", 32, [&] {
    events::Event event = click(number++);
    std::vector<event_log::Row> rows;
    rows.push_back(event_log::make_row(event));
    std::vector<event_log::Insertion> insertions{{.rows = rows}};
    require(log->engine().write(insertions).has_value(), "the click is not written");
    auto batch = std::make_shared<std::vector<events::LoggedEvent>>();
    batch->push_back({{log->name(), 0, log->engine().last_offset()}, std::move(event)});
    require(core::sync_wait(store->apply(std::move(batch), core::Deadline::never())).has_value(), "the click takes no effect");
  });
  const auto subject = events::Subject::user(core::UserId("user-1"));
  const auto read = core::sync_wait(store->read(subject, core::Deadline::never()));
  require(read.has_value() && read->features.recent_items.size() >= 4, "the clicks are not among the features");
}

}  // namespace

void measure_edge(Meter& meter, const std::filesystem::path& folder) {
  meter.measure("the message of a search read", 16, read_message);
  measure_click(meter, folder);
}

}  // namespace scalestyle::guard
