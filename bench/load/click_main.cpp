// scalestyle-click-load: clicks at a fixed rate with the disk's own sync beside them, how soon a click changes the next
// answer, and a fill with many users. Exit status: 0 all answers good and every bound kept, 1 otherwise, 2 wrong usage.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "click_exchange.hpp"
#include "command_line.hpp"
#include "freshness.hpp"
#include "load_run.hpp"
#include "sync_probe.hpp"

namespace scalestyle::load {
namespace {

constexpr std::string_view kUsage = R"(scalestyle-click-load [options]
  --mode MODE            clicks (default), freshness, fill
  --host ADDRESS         127.0.0.1; other machines only with --allow-remote
  --port PORT            8080
  --json                 also what was measured as a line of JSON
  --seed N               other seeds make other events (1); event ids repeat with the seed
  clicks: open loop, latency counted from the intended start
  --rate R               clicks a second (2000)
  --duration SECONDS     60
  --clients N            most connections (256)
  --users N              10000
  --probe-folder FOLDER  also sync a file of this folder, and demand p99 ≤ 2 × the sync's p99 + 1 ms
  --probe-rate R         syncs a second (50)
  freshness: one after the other
  --rounds N             300
  --path PATH            the question (/api/recommendation/search?query=warm+winter+jacket&k=20)
  --no-after             without the click's token
  --bound-ms MS          demand p99 of the answer ≤ p99 of the same question without a user + MS (5)
  fill: closed loop of batches
  --users N --clients N --batch N    every user `--rounds` times, in turn
)";

struct Options {
  std::string mode = "clicks";
  std::string host = "127.0.0.1";
  std::string port = "8080";
  std::uint64_t seed = 1;
  double rate = 2'000;
  double duration = 60;
  std::size_t clients = 256;
  std::uint64_t users = 10'000;
  std::string probe_folder;
  double probe_rate = 50;
  std::size_t rounds = 300;
  std::string path = FreshnessOptions().path;
  bool no_after = false;
  double bound_ms = 5;
  std::size_t batch = 500;
  bool allow_remote = false;
  bool json = false;
  bool help = false;
};

void print_percentiles(std::string_view name, const std::vector<double>& ascending) {
  fmt::print("{:<34}{:>9}{:>10.2f}{:>10.2f}{:>10.2f}\n", name, ascending.size(), percentile(ascending, 0.5),
             percentile(ascending, 0.99), percentile(ascending, 1.0));
}
// Name and ascending times, milliseconds.
using NamedTimes = std::pair<std::string_view, const std::vector<double>&>;

void print_json(std::string_view mode, std::initializer_list<NamedTimes> times) {
  std::string line = fmt::format(R"({{"mode":"{}")", mode);
  for (const auto& [name, ascending] : times) {
    line += fmt::format(R"(,"{}":{{"count":{},"p50_ms":{:.4f},"p99_ms":{:.4f},"max_ms":{:.4f}}})", name, ascending.size(),
                        percentile(ascending, 0.5), percentile(ascending, 0.99), percentile(ascending, 1.0));
  }
  fmt::print("{}}}\n", line);
}
void print_head() { fmt::print("{:<34}{:>9}{:>10}{:>10}{:>10}\n", "", "count", "p50 ms", "p99 ms", "max ms"); }

bool demand(std::string_view what, bool is_kept) {
  fmt::print("{}: {}\n", is_kept ? "pass" : "FAIL", what);
  return is_kept;
}

void print_errors(const LoadReport& report) {
  for (const auto& [kind, count] : report.error_kinds) fmt::print("error: {} × {}\n", count, kind);
}

LoadOptions load_options(const Options& options) {
  LoadOptions load;
  load.host = options.host;
  load.port = options.port;
  load.clients = options.clients;
  load.allow_remote = options.allow_remote;
  return load;
}

core::Result<bool> run_clicks(const Options& options, const Address& address) {
  const std::string host = options.host + ":" + options.port;
  CORE_TRY(auto items, shown_items(address, host, 500));
  ClickExchange exchange({.host = host, .items = std::move(items), .users = options.users, .seed = options.seed});
  LoadOptions load = load_options(options);
  load.rate = options.rate;
  load.duration_seconds = options.duration;
  SyncProbe probe;
  if (!options.probe_folder.empty()) CORE_CHECK(probe.start(options.probe_folder, options.probe_rate));
  CORE_TRY(const LoadReport report, run_load(load, exchange));
  CORE_TRY(const auto syncs, probe.stop());
  fmt::print("open loop, {} clicks/s for {} s: {} acknowledged, {} errors, own CPU {:.1f} s, latest start {:.2f} ms\n", options.rate,
             options.duration, report.answers, report.errors, report.cpu_seconds, report.latest_start_ms);
  print_errors(report);
  print_head();
  print_percentiles("acknowledgement", report.latencies_ms);
  if (options.json) print_json("clicks", {{"acknowledgement", report.latencies_ms}, {"fdatasync", syncs}});
  bool is_good = demand("every click acknowledged", report.errors == 0 && report.answers > 0);
  if (!options.probe_folder.empty()) {
    print_percentiles("fdatasync in the same folder", syncs);
    const double bound = 2 * percentile(syncs, 0.99) + 1;
    is_good &= demand(fmt::format("acknowledgement p99 {:.2f} ms ≤ 2 × fdatasync p99 + 1 ms = {:.2f} ms", report.percentile(0.99), bound),
                      report.percentile(0.99) <= bound);
  }
  return is_good;
}

core::Result<bool> run_freshness(const Options& options, const Address& address) {
  const double cpu_before = own_cpu_seconds();
  CORE_TRY(const auto report, measure_freshness(address, options.host + ":" + options.port,
                                                {.rounds = options.rounds, .use_after = !options.no_after, .path = options.path, .seed = options.seed}));
  fmt::print("click, then {} {}: own CPU {:.1f} s\n", options.path, options.no_after ? "without after" : "with after",
             own_cpu_seconds() - cpu_before);
  print_head();
  print_percentiles("click → acknowledgement", report.acknowledged_ms);
  print_percentiles("acknowledgement → changed answer", report.reflected_ms);
  print_percentiles("the same question, no user", report.plain_ms);
  if (options.json) {
    print_json("freshness", {{"acknowledgement", report.acknowledged_ms}, {"reflected", report.reflected_ms}, {"plain", report.plain_ms}});
  }
  fmt::print("the very next answer shows the click: {} of {}\n", report.first_reflects, report.rounds);
  const double reflected = percentile(report.reflected_ms, 0.99), plain = percentile(report.plain_ms, 0.99);
  bool is_good = demand("every click shows within a second", report.never_reflects == 0);
  if (!options.no_after) is_good &= demand("with after, the very next answer shows it", report.first_reflects == report.rounds);
  return demand(fmt::format("changed answer p99 {:.2f} ms ≤ {:.2f} ms of the question itself + {} ms", reflected, plain, options.bound_ms),
                reflected <= plain + options.bound_ms) && is_good;
}

core::Result<bool> run_fill(const Options& options, const Address& address) {
  const std::string host = options.host + ":" + options.port;
  CORE_TRY(auto items, shown_items(address, host, 500));
  bool is_good = true;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    ClickExchange exchange({.host = host, .items = items, .users = options.users, .seed = options.seed + round,
                            .batch = options.batch, .each_user_once = true});
    LoadOptions load = load_options(options);
    load.duration_seconds = 86'400;
    CORE_TRY(const LoadReport report, run_load(load, exchange));
    fmt::print("fill {}: {} users, {} batches of {}, {:.0f} events/s, p99 {:.1f} ms, own CPU {:.1f} s\n", round + 1, options.users,
               report.answers, options.batch, static_cast<double>(report.answers * options.batch) / report.elapsed_seconds,
               report.percentile(0.99), report.cpu_seconds);
    print_errors(report);
    is_good &= report.errors == 0;
  }
  return demand("every batch acknowledged", is_good);
}

core::Result<bool> dispatch(const Options& options) {
  CORE_TRY(const Address address, resolve(options.host, options.port));
  if (!address.is_loopback && !options.allow_remote) {
    return core::fail(core::ErrorCode::kPermissionDenied, options.host + " is not this machine; see --allow-remote");
  }
  if (options.mode == "clicks") return run_clicks(options, address);
  if (options.mode == "freshness") return run_freshness(options, address);
  if (options.mode == "fill") return run_fill(options, address);
  return core::fail(core::ErrorCode::kInvalidArgument, "--mode: clicks, freshness or fill");
}

int run(int argc, char** argv) {
  Options options;
  CommandLine line;
  line.text("mode", options.mode);
  line.text("host", options.host);
  line.text("port", options.port);
  line.text("probe-folder", options.probe_folder);
  line.text("path", options.path);
  line.number("seed", options.seed);
  line.number("rate", options.rate);
  line.number("duration", options.duration);
  line.number("clients", options.clients);
  line.number("users", options.users);
  line.number("probe-rate", options.probe_rate);
  line.number("rounds", options.rounds);
  line.number("bound-ms", options.bound_ms);
  line.number("batch", options.batch);
  line.flag("no-after", options.no_after);
  line.flag("allow-remote", options.allow_remote);
  line.flag("json", options.json);
  line.flag("help", options.help);
  const auto parsed = line.parse(argc, argv);
  if (parsed && options.help) {
    fmt::print("{}", kUsage);
    return 0;
  }
  core::Result<bool> result = false;
  try {
    result = parsed ? dispatch(options) : std::unexpected(parsed.error());
  } catch (const std::exception& failure) {  // an answer of another shape than documented
    result = core::fail(core::ErrorCode::kDataLoss, failure.what());
  }
  if (!result) {
    fmt::print(stderr, "scalestyle-click-load: {}\n", result.error().message);
    return 2;
  }
  return *result ? 0 : 1;
}

}  // namespace
}  // namespace scalestyle::load

int main(int argc, char** argv) { return scalestyle::load::run(argc, argv); }
