#include "mixed_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>

#include "mixed_exchange.hpp"

namespace scalestyle::load {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
double ratio(std::uint64_t part, std::uint64_t whole) { return ratio(static_cast<double>(part), static_cast<double>(whole)); }

// Reasons are the server's constants, error kinds our own words and strerror's: what JSON needs escaped does not occur, but
// costs nothing.
std::string counts_json(const std::map<std::string, std::uint64_t>& counts) {
  std::string members;
  for (const auto& [kind, count] : counts) {
    std::string name = kind;
    std::ranges::replace_if(name, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; }, '\'');
    members += fmt::format(R"({}"{}":{})", members.empty() ? "" : ",", name, count);
  }
  return "{" + members + "}";
}

std::string latency_json(const std::vector<double>& ascending) {
  return fmt::format(R"({{"p50":{},"p95":{},"p99":{},"max":{}}})", percentile(ascending, 0.5), percentile(ascending, 0.95),
                     percentile(ascending, 0.99), percentile(ascending, 1.0));
}

std::uint64_t whole(const KindReport& kind) { return kind.answers - kind.degraded; }

std::string kind_json(const KindReport& kind, double seconds) {
  return fmt::format(
      R"({{"whole":{},"whole_rps":{},"degraded":{},"degraded_reasons":{},"refused":{},"errors":{},"error_kinds":{},"reranked":{},)"
      R"("reranked_in_full":{},"mean_rerank_depth":{},"latency_ms":{},"degraded_latency_ms":{}}})",
      whole(kind), ratio(static_cast<double>(whole(kind)), seconds), kind.degraded, counts_json(kind.reasons), kind.refused,
      kind.errors, counts_json(kind.error_kinds), kind.reranked, kind.fully_reranked, ratio(kind.rerank_depth, kind.reranked),
      latency_json(kind.latencies_ms), latency_json(kind.degraded_ms));
}

double server_ms(const LoadReport& report) {
  return ratio(1000 * report.server_cpu_seconds, static_cast<double>(report.answers + report.refused));
}
double generator_ms(const LoadReport& report) {
  return ratio(1000 * report.cpu_seconds, static_cast<double>(report.answers + report.refused));
}

}  // namespace

std::string mixed_json(const LoadOptions& options, const MixedRun& run, const LoadReport& report) {
  std::string kinds;
  for (std::size_t i = 0; i < report.kinds.size(); ++i) {
    kinds += fmt::format(R"({}"{}":{})", i == 0 ? "" : ",", kMixNames[i], kind_json(report.kinds[i], report.elapsed_seconds));
  }
  return fmt::format(
      R"({{"mode":"{}","clients":{},"rate":{},"mix":"{}","distribution":"{}","exponent":{},"distinct":{},"rerank":{},)"
      R"("seconds":{},"whole":{},"whole_rps":{},"degraded":{},"refused":{},"errors":{},"kinds":{{{}}},)"
      R"("server_cpu_seconds":{},"server_core_ms_a_request":{},"generator_cpu_seconds":{},"generator_core_ms_a_request":{},)"
      R"("latest_start_ms":{},"machine_cores":{}}})",
      options.rate > 0 ? "open" : "closed", options.clients, options.rate, run.mix, run.distribution, run.exponent, run.distinct,
      run.rerank, report.elapsed_seconds, report.answers - report.degraded,
      ratio(static_cast<double>(report.answers - report.degraded), report.elapsed_seconds), report.degraded, report.refused,
      report.errors, kinds, report.server_cpu_seconds, server_ms(report), report.cpu_seconds,
      generator_ms(report), report.latest_start_ms, std::thread::hardware_concurrency());
}

std::string mixed_text(const LoadOptions& options, const MixedRun& run, const LoadReport& report) {
  std::string text =
      options.rate > 0 ? fmt::format("open loop, {} requests/s, at most {} connections", options.rate, options.clients)
                       : fmt::format("closed loop, {} clients", options.clients);
  text += fmt::format(", {}, {} queries, {:.1f} s\n", run.mix, run.distribution, report.elapsed_seconds);
  text += "kind         whole       /s    p50 ms    p95 ms    p99 ms  degraded  refused  errors  in full  mean depth\n";
  for (std::size_t i = 0; i < report.kinds.size(); ++i) {
    const KindReport& kind = report.kinds[i];
    text += fmt::format("{:<8}{:>10}{:>9.1f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10}{:>9}{:>8}{:>8.1f}%{:>12.1f}\n", kMixNames[i], whole(kind),
                        ratio(static_cast<double>(whole(kind)), report.elapsed_seconds), percentile(kind.latencies_ms, 0.5),
                        percentile(kind.latencies_ms, 0.95), percentile(kind.latencies_ms, 0.99), kind.degraded, kind.refused,
                        kind.errors, 100 * ratio(kind.fully_reranked, kind.answers), ratio(kind.rerank_depth, kind.reranked));
    for (const auto& [reason, count] : kind.reasons) text += fmt::format("         degraded: {} × {}\n", count, reason);
    for (const auto& [error, count] : kind.error_kinds) text += fmt::format("         error: {} × {}\n", count, error);
  }
  text += fmt::format("processor ms a request: {:.2f} of the server, {:.2f} of this program\n", server_ms(report), generator_ms(report));
  if (options.rate > 0) text += fmt::format("latest start: {:.2f} ms after the intended time\n", report.latest_start_ms);
  return text;
}

}  // namespace scalestyle::load
