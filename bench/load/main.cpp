// scalestyle-load: asks a running server searches that never repeat, checks every answer, and reports latencies; or what shoppers
// do, mixed, each kind by itself.
// Exit status: 0 all answers good and none degraded, 1 otherwise, 2 wrong usage.

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>

#include "click_exchange.hpp"
#include "load_run.hpp"
#include "mixed_exchange.hpp"
#include "mixed_report.hpp"

namespace scalestyle::load {
namespace {

constexpr std::size_t kMostPictures = 500;  // files in memory
constexpr std::size_t kItemsToClick = 200;

constexpr std::string_view kUsage = R"(scalestyle-load [options]
  --host ADDRESS         127.0.0.1; other machines only with --allow-remote
  --port PORT            8080
  --path-template PATH   /api/recommendation/search?query={query}&k=10
  --queries FILE         one query a line, or JSON Lines with "query"; each once, or again and again with --repeat
  --words FILE           make unique queries of four of these words; default: of built-in fashion words
  --seed N               which unique queries (0 … 999): other seeds repeat nothing; default 1
  --clients N            closed loop: connections that ask again at once; open loop: most connections (default 1)
  --rate R               open loop: R requests a second, latency counted from the intended start
  --duration SECONDS     10
  --requests N           stop after N counted requests
  --warmup N             N requests first, not counted (0)
  --deadline-ms MS       later answers are errors (5000)
  --allow-empty          an answer without data is good
  --allow-degraded       degraded answers do not fail the run
  --server-pid PID       report this process's processor time too
  --json                 one JSON object instead of text
 Mixed, a report for each kind; 503 and 429 with Retry-After are refusals, which are no errors:
  --mix SHARES           such as text=70,image=15,hybrid=10,click=5; --path-template is of the searches by words
  --refusal-pause-ms MS  closed loop: a client that was refused asks again after so long, as Retry-After tells it (0: at once)
  --images FOLDER        JPEG and PNG files, posted as files of forms; with image or hybrid
  --rerank N             every search by words asks for N rows reranked (none asks)
 Queries and pictures, mixed or not:
  --distribution NAME    unique (default): none twice; zipf: drawn from so many by Zipf's law
  --distinct N           zipf: how many different ones (1000)
  --exponent S           zipf: the law's exponent (1.0)
)";

struct CommandLine {
  LoadOptions options;
  std::string queries;
  std::string words;
  std::uint64_t seed = 1;
  bool repeat = false;
  bool allow_degraded = false;
  bool json = false;
  bool help = false;
  std::string mix;  // empty: searches by words alone
  std::string images;
  std::uint64_t rerank = 0;
  std::string distribution = "unique";
  std::size_t distinct = 1'000;
  double exponent = 1;

  [[nodiscard]] bool is_zipf() const { return distribution == "zipf"; }
};

template <class Number>
core::Status parse_number(std::string_view name, std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("--{}: \"{}\" is not a number", name, text));
}

core::Status take_option(CommandLine& line, std::string_view name, const char* value) {
  LoadOptions& options = line.options;
  if (name == "host") options.host = value;
  if (name == "port") options.port = value;
  if (name == "path-template") options.path_template = value;
  if (name == "queries") line.queries = value;
  if (name == "words") line.words = value;
  if (name == "repeat") line.repeat = true;
  if (name == "allow-remote") options.allow_remote = true;
  if (name == "allow-empty") options.allow_empty = true;
  if (name == "allow-degraded") line.allow_degraded = true;
  if (name == "json") line.json = true;
  if (name == "help") line.help = true;
  if (name == "mix") line.mix = value;
  if (name == "images") line.images = value;
  if (name == "distribution") line.distribution = value;
  if (name == "rerank") return parse_number(name, value, line.rerank);
  if (name == "distinct") return parse_number(name, value, line.distinct);
  if (name == "exponent") return parse_number(name, value, line.exponent);
  if (name == "refusal-pause-ms") return parse_number(name, value, options.refusal_pause_ms);
  if (name == "server-pid") return parse_number(name, value, options.server_pid);
  if (name == "seed") return parse_number(name, value, line.seed);
  if (name == "clients") return parse_number(name, value, options.clients);
  if (name == "rate") return parse_number(name, value, options.rate);
  if (name == "duration") return parse_number(name, value, options.duration_seconds);
  if (name == "requests") return parse_number(name, value, options.requests);
  if (name == "warmup") return parse_number(name, value, options.warmup_requests);
  if (name == "deadline-ms") return parse_number(name, value, options.deadline_ms);
  return {};
}

core::Result<CommandLine> parse_command_line(int argc, char** argv) {
  constexpr std::array kOptions{
      option{"host", required_argument, nullptr, 0},          option{"port", required_argument, nullptr, 0},
      option{"path-template", required_argument, nullptr, 0}, option{"queries", required_argument, nullptr, 0},
      option{"words", required_argument, nullptr, 0},         option{"seed", required_argument, nullptr, 0},
      option{"repeat", no_argument, nullptr, 0},              option{"clients", required_argument, nullptr, 0},
      option{"rate", required_argument, nullptr, 0},          option{"duration", required_argument, nullptr, 0},
      option{"requests", required_argument, nullptr, 0},      option{"warmup", required_argument, nullptr, 0},
      option{"deadline-ms", required_argument, nullptr, 0},   option{"allow-remote", no_argument, nullptr, 0},
      option{"allow-empty", no_argument, nullptr, 0},         option{"allow-degraded", no_argument, nullptr, 0},
      option{"json", no_argument, nullptr, 0},                option{"help", no_argument, nullptr, 0},
      option{"mix", required_argument, nullptr, 0},           option{"images", required_argument, nullptr, 0},
      option{"distribution", required_argument, nullptr, 0},  option{"rerank", required_argument, nullptr, 0},
      option{"distinct", required_argument, nullptr, 0},      option{"exponent", required_argument, nullptr, 0},
      option{"server-pid", required_argument, nullptr, 0},    option{"refusal-pause-ms", required_argument, nullptr, 0},
      option{nullptr, 0, nullptr, 0}};
  CommandLine line;
  int index = 0;
  for (int code = 0; (code = getopt_long(argc, argv, "", kOptions.data(), &index)) != -1;) {
    if (code != 0) return core::fail(core::ErrorCode::kInvalidArgument, "see --help");
    CORE_CHECK(take_option(line, kOptions[static_cast<std::size_t>(index)].name, optarg));
  }
  if (optind < argc) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no option; see --help", argv[optind]));
  }
  if (!line.queries.empty() && !line.words.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--queries and --words exclude each other");
  }
  if (line.distribution != "unique" && line.distribution != "zipf") {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("--distribution: \"{}\" is not unique or zipf", line.distribution));
  }
  if (line.seed > 999) return core::fail(core::ErrorCode::kInvalidArgument, "--seed is not in 0 … 999");
  return line;
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double rate_of(const LoadReport& report) {
  return report.elapsed_seconds > 0 ? static_cast<double>(report.answers) / report.elapsed_seconds : 0;
}

double degraded_share(const LoadReport& report) {
  return report.answers > 0 ? static_cast<double>(report.degraded) / static_cast<double>(report.answers) : 0;
}

std::string to_json(const LoadOptions& options, const LoadReport& report, bool is_unique) {
  std::string kinds;
  for (const auto& [kind, count] : report.error_kinds) {
    std::string name = kind;  // error kinds are our own words and strerror's: quotes do not occur, but cost nothing
    std::ranges::replace_if(name, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; }, '\'');
    kinds += fmt::format(R"({}"{}":{})", kinds.empty() ? "" : ",", name, count);
  }
  return fmt::format(
      R"({{"mode":"{}","clients":{},"rate":{},"unique_queries":{},"answers":{},"errors":{},"error_kinds":{{{}}},)"
      R"("degraded_share":{},"empty":{},"seconds":{},"rps":{},"latency_ms":{{"mean":{},"p50":{},"p95":{},"p99":{},)"
      R"("max":{}}},"latest_start_ms":{},"generator_cpu_seconds":{},"machine_cores":{}}})",
      options.rate > 0 ? "open" : "closed", options.clients, options.rate, is_unique, report.answers, report.errors,
      kinds, degraded_share(report), report.empty, report.elapsed_seconds, rate_of(report), mean_of(report.latencies_ms),
      report.percentile(0.5), report.percentile(0.95), report.percentile(0.99), report.percentile(1.0),
      report.latest_start_ms, report.cpu_seconds, std::thread::hardware_concurrency());
}

std::string to_text(const LoadOptions& options, const LoadReport& report, bool is_unique) {
  std::string text =
      options.rate > 0 ? fmt::format("open loop, {} requests/s, at most {} connections", options.rate, options.clients)
                       : fmt::format("closed loop, {} clients", options.clients);
  text += fmt::format(", {} queries, {:.1f} s, {} cores\n", is_unique ? "unique" : "repeated", report.elapsed_seconds,
                      std::thread::hardware_concurrency());
  text += "  answers   errors  degraded      rps    p50 ms    p95 ms    p99 ms    max ms   own CPU s\n";
  text += fmt::format("{:>9}{:>9}{:>9.2f}%{:>9.1f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}{:>12.2f}\n", report.answers,
                      report.errors, 100 * degraded_share(report), rate_of(report), report.percentile(0.5),
                      report.percentile(0.95), report.percentile(0.99), report.percentile(1.0), report.cpu_seconds);
  for (const auto& [kind, count] : report.error_kinds) text += fmt::format("error: {} × {}\n", count, kind);
  if (options.rate > 0) text += fmt::format("latest start: {:.2f} ms after the intended time\n", report.latest_start_ms);
  return text;
}

core::Result<QuerySource> all_of(const CommandLine& line) {
  if (!line.queries.empty()) return QuerySource::from_file(line.queries, line.repeat);
  if (!line.words.empty()) return QuerySource::from_words(line.words, line.seed);
  return QuerySource::built_in(line.seed);
}

core::Result<QuerySource> source_of(const CommandLine& line) {
  CORE_TRY(QuerySource source, all_of(line));
  if (!line.is_zipf()) return source;
  return QuerySource::drawn(std::move(source), line.distinct, line.exponent, line.seed);
}

core::Result<MixedExchange> mix_of(const CommandLine& line, QuerySource queries) {
  const LoadOptions& load = line.options;
  MixOptions options{.host = load.host + ":" + load.port, .path_template = load.path_template, .rerank = line.rerank, .seed = line.seed};
  CORE_TRY(options.shares, parse_mix(line.mix));
  if (!line.images.empty()) {
    CORE_TRY(options.pictures, read_pictures(line.images, kMostPictures));
  }
  if (line.is_zipf()) options.distinct_pictures = line.distinct;
  options.exponent = line.exponent;
  if (options.shares[static_cast<std::size_t>(MixKind::kClick)] > 0) {
    CORE_TRY(const Address address, resolve(load.host, load.port));
    CORE_TRY(options.items, shown_items(address, options.host, kItemsToClick));
  }
  return MixedExchange::create(std::move(options), std::move(queries));
}

core::Result<bool> run_mixed(const CommandLine& line, QuerySource queries) {
  CORE_TRY(MixedExchange exchange, mix_of(line, std::move(queries)));
  CORE_TRY(const LoadReport report, run_load(line.options, exchange));
  const MixedRun run{.mix = line.mix, .distribution = line.distribution, .exponent = line.is_zipf() ? line.exponent : 0,
                     .distinct = line.is_zipf() ? line.distinct : 0, .rerank = line.rerank};
  if (line.json) {
    fmt::print("{}\n", mixed_json(line.options, run, report));
  } else {
    fmt::print("{}", mixed_text(line.options, run, report));
  }
  return report.errors == 0 && report.answers > 0 && (report.degraded == 0 || line.allow_degraded);
}

core::Result<bool> run_searches(const CommandLine& line, QuerySource& queries) {
  CORE_TRY(const LoadReport report, run_load(line.options, queries));
  if (line.json) {
    fmt::print("{}\n", to_json(line.options, report, queries.is_unique()));
  } else {
    fmt::print("{}", to_text(line.options, report, queries.is_unique()));
  }
  return report.errors == 0 && report.answers > 0 && (report.degraded == 0 || line.allow_degraded);
}

int run(int argc, char** argv) {
  const auto line = parse_command_line(argc, argv);
  if (line && line->help) {
    fmt::print("{}", kUsage);
    return 0;
  }
  if (!line) {
    fmt::print(stderr, "scalestyle-load: {}\n", line.error().message);
    return 2;
  }
  auto source = source_of(*line);
  if (!source) {
    fmt::print(stderr, "scalestyle-load: {}\n", source.error().message);
    return 2;
  }
  const auto is_good = line->mix.empty() ? run_searches(*line, *source) : run_mixed(*line, std::move(*source));
  if (!is_good) {
    fmt::print(stderr, "scalestyle-load: {}\n", is_good.error().message);
    return 2;
  }
  return *is_good ? 0 : 1;
}

}  // namespace
}  // namespace scalestyle::load

int main(int argc, char** argv) { return scalestyle::load::run(argc, argv); }
