#include "load_run.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>

namespace scalestyle::load {
namespace {

constexpr std::uint64_t kHopelessErrors = 1000;

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

double milliseconds(SteadyClock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Searches with the texts of a QuerySource.
class SearchExchange final : public Exchange {
 public:
  SearchExchange(const LoadOptions& options, QuerySource& queries) : options_(options), queries_(queries) {}

  std::optional<std::string> next_request() override {
    const std::optional<std::string> query = queries_.next();
    if (!query) return std::nullopt;
    std::string path = options_.path_template;
    if (const std::size_t place = path.find("{query}"); place != std::string::npos) {
      path.replace(place, 7, percent_encoded(*query));
    }
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}:{}\r\nAccept: application/json\r\n\r\n", path, options_.host,
                       options_.port);
  }

  Verdict judge(const HttpAnswer& answer, std::size_t /*kind*/) override {
    if (answer.status != 200) return {.error = fmt::format("HTTP {}", answer.status)};
    const AnswerCheck check = check_answer(answer.body);
    if (!check.is_success) return {.error = "status is not success"};
    if (!check.has_data && !options_.allow_empty) return {.error = "empty data"};
    return {.error = {}, .is_degraded = check.is_degraded, .is_empty = !check.has_data};
  }

 private:
  const LoadOptions& options_;
  QuerySource& queries_;
};

struct Client {
  HttpConnection connection;
  bool is_busy = false;
  bool is_counted = false;
  std::size_t kind = 0;
  bool watches_write = false;
  int watched = -1;  // descriptor in epoll
  TimePoint intended;
  TimePoint sent;
};

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, Exchange& exchange, const Address& address)
      : options_(options), exchange_(exchange), address_(address), clients_(options.clients) {}
  ~LoadRun() {
    if (epoll_ >= 0) ::close(epoll_);
  }
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  core::Result<LoadReport> run() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return core::fail(core::ErrorCode::kUnavailable, "epoll_create1 failed");
    for (std::size_t i = 0; i < clients_.size(); ++i) idle_.push_back(i);
    phase_requests_ = options_.warmup_requests;
    is_counting_ = false;
    if (phase_requests_ > 0) CORE_CHECK(run_phase());
    is_counting_ = true;
    phase_requests_ = options_.requests;
    report_.kinds.resize(exchange_.kinds());
    const double cpu_before = own_cpu_seconds();
    CORE_TRY(const double server_before, server_cpu_seconds());
    const TimePoint begin = SteadyClock::now();
    end_ = begin + std::chrono::duration_cast<SteadyClock::duration>(
                       std::chrono::duration<double>(options_.duration_seconds));
    CORE_CHECK(run_phase());
    report_.elapsed_seconds = milliseconds(last_answer_ - begin) / 1000.0;
    report_.cpu_seconds = own_cpu_seconds() - cpu_before;
    CORE_TRY(const double server_after, server_cpu_seconds());
    report_.server_cpu_seconds = server_after - server_before;
    std::ranges::sort(report_.latencies_ms);
    for (KindReport& kind : report_.kinds) {
      std::ranges::sort(kind.latencies_ms);
      std::ranges::sort(kind.degraded_ms);
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] bool is_open_loop() const { return options_.rate > 0 && is_counting_; }

  [[nodiscard]] core::Result<double> server_cpu_seconds() const {
    if (options_.server_pid == 0) return 0;
    return cpu_seconds_of(options_.server_pid);
  }

  // Starts requests until the phase's count or time is over, then waits for the answers that are still out.
  core::Status run_phase() {
    started_ = 0;
    phase_begin_ = SteadyClock::now();
    is_ending_ = false;
    while (true) {
      wake_rested();
      start_due_requests();
      if (is_ending_ && idle_.size() == clients_.size()) return {};
      CORE_CHECK(wait_and_handle());
    }
  }

  [[nodiscard]] TimePoint intended_time(std::uint64_t index) const {
    return phase_begin_ + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(index) * 1e9 /
                                                                            options_.rate));
  }

  void start_due_requests() {
    while (!is_ending_ && !idle_.empty()) {
      const TimePoint now = SteadyClock::now();
      const TimePoint intended = is_open_loop() ? intended_time(started_) : now;
      if ((phase_requests_ > 0 && started_ >= phase_requests_) || (is_counting_ && intended >= end_)) {
        is_ending_ = true;
        return;
      }
      if (intended > now) return;
      if (is_open_loop() && now >= end_ + deadline()) return give_up_backlog();
      if (is_hopeless()) {
        is_ending_ = true;
        return;
      }
      std::optional<std::string> request = exchange_.next_request();
      if (!request) {
        is_ending_ = true;
        return;
      }
      ++started_;
      start_request(idle_.front(), std::move(*request), intended, now);
    }
  }

  // The server is far behind: what should have started by the end counts as errors instead of being asked for hours.
  void give_up_backlog() {
    is_ending_ = true;
    std::uint64_t late = 0;
    while (intended_time(started_ + late) < end_ && (phase_requests_ == 0 || started_ + late < phase_requests_)) ++late;
    report_.errors += late;
    report_.error_kinds["not started within the deadline"] += late;
  }

  // Nobody answers: no reason to knock a million times.
  [[nodiscard]] bool is_hopeless() const {
    return report_.answers + report_.refused == 0 && report_.errors >= kHopelessErrors;
  }

  void start_request(std::size_t index, std::string request, TimePoint intended, TimePoint now) {
    idle_.pop_front();
    Client& client = clients_[index];
    client.is_busy = true;
    client.is_counted = is_counting_;
    client.kind = exchange_.last_kind();
    client.intended = intended;
    client.sent = now;
    report_.latest_start_ms = std::max(report_.latest_start_ms, is_counting_ ? milliseconds(now - intended) : 0.0);
    const core::Status started = client.connection.start(address_, std::move(request));
    if (!started) return fail_request(index, started.error().message);
    watch(index);
  }

  void watch(std::size_t index) {
    Client& client = clients_[index];
    const bool write = client.connection.wants_write();
    const bool is_new = client.watched != client.connection.descriptor();
    if (!is_new && write == client.watches_write) return;
    epoll_event event{};
    event.events = EPOLLIN | (write ? EPOLLOUT : 0U);
    event.data.u64 = index;
    const int operation = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (::epoll_ctl(epoll_, operation, client.connection.descriptor(), &event) != 0) {
      return fail_request(index, fmt::format("epoll_ctl: {}", std::strerror(errno)));
    }
    client.watched = client.connection.descriptor();
    client.watches_write = write;
  }

  core::Status wait_and_handle() {
    std::array<epoll_event, 64> events{};
    const timespec timeout = time_to_wait();
    const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    if (count < 0 && errno != EINTR) {
      return core::fail(core::ErrorCode::kUnavailable, fmt::format("epoll: {}", std::strerror(errno)));
    }
    for (int i = 0; i < count; ++i) handle(static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64));
    expire();
    return {};
  }

  // Until the next request is due or the oldest answer is late.
  [[nodiscard]] timespec time_to_wait() const {
    const TimePoint now = SteadyClock::now();
    TimePoint next = now + std::chrono::seconds(1);
    if (is_open_loop() && !is_ending_ && !idle_.empty()) next = std::min(next, intended_time(started_));
    if (!resting_.empty()) next = is_ending_ ? now : std::min(next, resting_.front().until);
    for (const Client& client : clients_) {
      if (client.is_busy) next = std::min(next, client.sent + deadline());
    }
    const auto wait = std::max(std::chrono::duration_cast<std::chrono::nanoseconds>(next - now),
                               std::chrono::nanoseconds(0));
    return {static_cast<time_t>(wait.count() / 1'000'000'000), static_cast<long>(wait.count() % 1'000'000'000)};
  }

  [[nodiscard]] static SteadyClock::duration duration_of(double ms) {
    return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double, std::milli>(ms));
  }
  [[nodiscard]] SteadyClock::duration deadline() const { return duration_of(options_.deadline_ms); }

  void handle(std::size_t index) {
    Client& client = clients_[index];
    if (!client.is_busy) return drop_connection(client);  // the server closed an idle connection
    if (client.connection.wants_write()) {
      if (const auto written = client.connection.on_writable(); !written) {
        return fail_request(index, written.error().message);
      }
      return watch(index);
    }
    const auto progress = client.connection.on_readable();
    if (!progress) return fail_request(index, progress.error().message);
    if (*progress == HttpConnection::Progress::kComplete) finish_request(index);
  }

  void finish_request(std::size_t index) {
    Client& client = clients_[index];
    const HttpAnswer answer = client.connection.answer();
    last_answer_ = SteadyClock::now();
    const Exchange::Verdict verdict = exchange_.judge(answer, client.kind);
    if (client.is_counted) count(client, verdict, milliseconds(last_answer_ - client.intended));
    if (!answer.keep_alive) drop_connection(client);
    if (verdict.is_refused && options_.refusal_pause_ms > 0 && !is_open_loop()) return rest(index);
    release(index);
  }

  void count(const Client& client, const Exchange::Verdict& verdict, double latency_ms) {
    KindReport& kind = report_.kinds[client.kind];
    if (verdict.is_refused) {
      ++report_.refused;
      ++kind.refused;
      return;
    }
    if (!verdict.error.empty()) return count_error(verdict.error, client.kind);
    ++report_.answers;
    ++kind.answers;
    if (verdict.is_degraded) {
      ++report_.degraded;
      ++kind.degraded;
    }
    if (verdict.is_empty) ++report_.empty;
    if (verdict.reranked > 0) ++kind.reranked;
    if (verdict.is_fully_reranked) ++kind.fully_reranked;
    kind.rerank_depth += verdict.reranked;
    for (const std::string& reason : verdict.reasons) ++kind.reasons[reason];
    report_.latencies_ms.push_back(latency_ms);
    (verdict.is_degraded ? kind.degraded_ms : kind.latencies_ms).push_back(latency_ms);
  }

  void count_error(const std::string& error, std::size_t kind) {
    ++report_.errors;
    ++report_.error_kinds[error];
    ++report_.kinds[kind].errors;
    ++report_.kinds[kind].error_kinds[error];
  }

  void fail_request(std::size_t index, const std::string& kind) {
    Client& client = clients_[index];
    last_answer_ = SteadyClock::now();
    if (client.is_counted) count_error(kind, client.kind);
    drop_connection(client);
    release(index);
  }

  void drop_connection(Client& client) {
    client.connection.close();  // leaves epoll with it
    client.watched = -1;
  }

  // All rest equally long: who was refused first is the first to wake.
  void rest(std::size_t index) {
    clients_[index].is_busy = false;
    resting_.push_back({index, SteadyClock::now() + duration_of(options_.refusal_pause_ms)});
  }

  void wake_rested() {
    const TimePoint now = SteadyClock::now();
    while (!resting_.empty() && (resting_.front().until <= now || is_ending_)) {
      idle_.push_back(resting_.front().client);
      resting_.pop_front();
    }
  }

  void release(std::size_t index) {
    clients_[index].is_busy = false;
    idle_.push_back(index);
  }

  void expire() {
    const TimePoint now = SteadyClock::now();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i].is_busy && now - clients_[i].sent >= deadline()) fail_request(i, "deadline");
    }
  }

  const LoadOptions& options_;
  Exchange& exchange_;
  Address address_;
  int epoll_ = -1;
  std::vector<Client> clients_;
  std::deque<std::size_t> idle_;
  struct Resting {
    std::size_t client;
    TimePoint until;
  };
  std::deque<Resting> resting_;  // refused, soonest first
  bool is_counting_ = false;
  bool is_ending_ = false;
  std::uint64_t phase_requests_ = 0;
  std::uint64_t started_ = 0;
  TimePoint phase_begin_;
  TimePoint end_;
  TimePoint last_answer_;
  LoadReport report_;
};

}  // namespace

core::Status LoadOptions::validate() const {
  const auto invalid = [](std::string_view field, std::string_view what) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("--{} {}", field, what), std::string(field));
  };
  if (clients < 1 || clients > 4096) return invalid("clients", "is not in 1 … 4096");
  if (!(rate >= 0 && rate <= 1e6)) return invalid("rate", "is not in 0 … 1000000");
  if (!(duration_seconds > 0 && duration_seconds <= 86400)) return invalid("duration", "is not in 0 … 86400 seconds");
  if (requests > 100'000'000) return invalid("requests", "is above 100000000");
  if (!(deadline_ms > 0 && deadline_ms <= 600'000)) return invalid("deadline-ms", "is not in 0 … 600000");
  if (!(refusal_pause_ms >= 0 && refusal_pause_ms <= 600'000)) return invalid("refusal-pause-ms", "is not in 0 … 600000");
  if (!path_template.starts_with('/')) return invalid("path-template", "does not begin with /");
  if (path_template.find_first_of(" \r\n\t") != std::string::npos) return invalid("path-template", "has a blank");
  return {};
}

core::Result<LoadReport> run_load(const LoadOptions& options, QuerySource& queries) {
  SearchExchange exchange(options, queries);
  return run_load(options, exchange);
}

core::Result<LoadReport> run_load(const LoadOptions& options, Exchange& exchange) {
  CORE_CHECK(options.validate());
  CORE_TRY(const Address address, resolve(options.host, options.port));
  if (!address.is_loopback && !options.allow_remote) {
    return core::fail(core::ErrorCode::kPermissionDenied,
                      fmt::format("{} is not this machine; --allow-remote sends load to other machines", options.host));
  }
  LoadRun run(options, exchange, address);
  return run.run();
}

}  // namespace scalestyle::load
