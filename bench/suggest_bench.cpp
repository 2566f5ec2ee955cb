// Completions on a real catalogue: time to build, memory, and latency on one thread for everything that can be typed.
//   suggest_bench [--articles FILE] [--k N] [--prefix TEXT]…
// FILE is articles.parquet or .csv, by default that below $SCALESTYLE_SHARED/data/hm (or ../shared); nothing is measured
// without it. The prefixes are every distinct start of one to six letters of the catalogue's phrases, the same with an
// error in one of five or six, and whole phrases with an error in the last word; a time is the best of three runs of reading the
// prefix and completing it, as the server does: mistyped readings are tried where nothing matches. Some answers are compared with
// reading every phrase. Last, what counting queries costs. --prefix prints what one gets.
// Exit status 1 when an answer is wrong or a file cannot be read.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench_support.hpp"
#include "catalog/catalog.hpp"
#include "core/clock.hpp"
#include "retrieval/suggestions.hpp"
#include "search/frequent_queries.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::filesystem::path articles;
  std::size_t k = 8;
  std::vector<std::string> prefixes;
};

double microseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count();
}

core::Result<BenchOptions> parse(int argc, char** argv) {
  const char* const shared = std::getenv("SCALESTYLE_SHARED");
  BenchOptions options{.articles = std::filesystem::path(shared != nullptr ? shared : "../shared") / "data" / "hm" / "articles.parquet",
                       .prefixes = {}};
  bool given = false;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* const value = argv[i + 1];
    if (name == "--articles") {
      options.articles = value;
      given = true;
    } else if (name == "--k") {
      options.k = std::clamp<std::size_t>(std::strtoull(value, nullptr, 10), 1, 20);
    } else if (name == "--prefix") {
      options.prefixes.emplace_back(value);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (!given && !std::filesystem::exists(options.articles)) {
    fmt::print("nothing to measure: no {}\n", options.articles.string());
    std::exit(0);
  }
  return options;
}

std::vector<SuggestedPhrase> answer(const Suggestions& suggestions, std::string_view typed, std::size_t k) {
  const TypedPrefix prefix = TypedPrefix::read(typed);
  std::vector<SuggestedPhrase> found = suggestions.complete(prefix, k);
  return found.empty() ? suggestions.complete_mistyped(prefix, k) : found;
}

// What complete() should give, by reading every phrase. For prefixes of one word.
std::vector<std::string_view> by_reading_all(const Suggestions& suggestions, std::string_view typed, std::size_t k) {
  std::vector<std::string_view> found[2];
  text::Words words;
  for (std::size_t place = 0; place < suggestions.size(); ++place) {
    const std::string_view phrase = suggestions.phrase(place).text;
    text::split_words(phrase, SIZE_MAX, words);
    if (words.size() > PhraseCompletion::kMaxPhraseWords) continue;
    bool matches[2] = {false, false};
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool starts = words[i].starts_with(typed) || (!words.continues(i) && words.joined(i, words.compound_length(i)).starts_with(typed));
      matches[i == 0 ? 0 : 1] |= starts;
    }
    if (matches[0] && found[0].size() < k) {
      found[0].push_back(phrase);
    } else if (matches[1] && found[1].size() < k) {
      found[1].push_back(phrase);
    }
  }
  found[1].resize(std::min(found[1].size(), std::max(k / PhraseCompletion::kInnerShare, k - found[0].size())));
  found[0].resize(std::min(found[0].size(), k - found[1].size()));
  found[0].insert(found[0].end(), found[1].begin(), found[1].end());
  return found[0];
}

struct Prefixes {
  std::vector<std::string> starts;    // of one to six letters
  std::vector<std::string> mistyped;  // of five and six, one letter wrong
  std::vector<std::string> phrases;   // whole, one letter of the last word wrong
};

std::string with_error(std::string text, std::size_t at, std::mt19937& random) {
  text[at] = static_cast<char>('a' + random() % 26);
  return text;
}

Prefixes make_prefixes(const Suggestions& suggestions) {
  std::mt19937 random(7);
  std::set<std::string> starts;
  Prefixes prefixes;
  for (std::size_t place = 0; place < suggestions.size(); ++place) {
    const std::string_view phrase = suggestions.phrase(place).text;
    const bool is_ascii = std::ranges::all_of(phrase, [](char c) { return c > 0; });
    if (!is_ascii) continue;
    for (std::size_t length = 1; length <= std::min<std::size_t>(6, phrase.size()); ++length) starts.emplace(phrase.substr(0, length));
    if (phrase.size() > 6 && random() % 8 == 0) prefixes.phrases.push_back(with_error(std::string(phrase), phrase.size() - 2, random));
  }
  prefixes.starts.assign(starts.begin(), starts.end());
  for (const std::string& start : prefixes.starts) {
    if (start.size() >= 5) prefixes.mistyped.push_back(with_error(start, 1 + random() % (start.size() - 1), random));
  }
  return prefixes;
}

void measure(const Suggestions& suggestions, std::string_view name, const std::vector<std::string>& prefixes, std::size_t k) {
  std::vector<double> times;
  std::size_t answered = 0;
  for (const std::string& prefix : prefixes) {
    double best = 1e18;
    for (int run = 0; run < 3; ++run) {
      const auto begin = SteadyClock::now();
      const auto found = answer(suggestions, prefix, k);
      best = std::min(best, microseconds_since(begin));
      if (run == 0 && !found.empty()) ++answered;
    }
    times.push_back(best);
  }
  std::ranges::sort(times);
  const auto at = [&](double share) { return times[std::min(times.size() - 1, static_cast<std::size_t>(share * static_cast<double>(times.size())))]; };
  fmt::print("{:<34}{:>8}{:>10}{:>9.1f}{:>9.1f}{:>9.1f}\n", name, times.size(), answered, at(0.5), at(0.99), times.back());
}

// As many queries as are counted by default, each asked by enough shoppers.
void measure_queries(const Suggestions& suggestions) {
  const core::SystemClock clock;
  search::FrequentQueries queries({.salt = 1}, clock);
  const std::size_t count = std::min(suggestions.size(), search::FrequentQueries::Options().max_queries);
  const auto begin = SteadyClock::now();
  for (int shopper = 0; shopper < 3; ++shopper) {
    const events::Subject subject{events::SubjectKind::kUser, std::to_string(shopper)};
    for (std::size_t place = 0; place < count; ++place) queries.note(suggestions.phrase(place).text, &subject);
  }
  const double note = microseconds_since(begin) / static_cast<double>(3 * count);
  const auto refreshed = SteadyClock::now();
  queries.refresh([](std::string_view) { return true; }, true);
  fmt::print("queries: {} counted, {:.2f} µs to count one, {:.1f} ms to make {} of them ready\n", queries.size(), note,
             microseconds_since(refreshed) / 1000, queries.shown()->queries.size());
}

core::Status check(const Suggestions& suggestions, const std::vector<std::string>& prefixes, std::size_t k) {
  std::mt19937 random(11);
  for (int i = 0; i < 60; ++i) {
    const std::string& prefix = prefixes[random() % prefixes.size()];
    const TypedPrefix read = TypedPrefix::read(prefix);
    if (read.words.size() != 1 || read.ended) continue;
    std::vector<std::string_view> found;
    for (const SuggestedPhrase& phrase : suggestions.complete(read, k)) found.push_back(phrase.text);
    if (found == by_reading_all(suggestions, read.words[0], k)) continue;
    return core::fail(core::ErrorCode::kInternal, fmt::format("the answer for \"{}\" differs from reading every phrase", prefix));
  }
  return {};
}

core::Status run(const BenchOptions& options) {
  CORE_TRY(const catalog::Catalog catalog, bench::read_catalogue(options.articles));
  double build = 1e18;
  for (int round = 0; round < 3; ++round) {
    const auto begin = SteadyClock::now();
    static_cast<void>(Suggestions(catalog));
    build = std::min(build, microseconds_since(begin));
  }
  const Suggestions suggestions(catalog);
  fmt::print("{} articles, {} phrases; built in {:.0f} ms on one thread; {:.1f} MB\n", catalog.size(), suggestions.size(), build / 1000,
             static_cast<double>(suggestions.memory_bytes()) / 1e6);
  if (suggestions.size() == 0) return {};
  for (const std::string& prefix : options.prefixes) {
    fmt::print("{}\n", prefix);
    for (const SuggestedPhrase& phrase : answer(suggestions, prefix, options.k)) {
      fmt::print("  {:<40} {:<14} {}\n", phrase.text, to_string(phrase.kind), phrase.products);
    }
  }
  const Prefixes prefixes = make_prefixes(suggestions);
  CORE_CHECK(check(suggestions, prefixes.starts, options.k));
  fmt::print("{:<34}{:>8}{:>10}{:>9}{:>9}{:>9}\n", "", "prefixes", "answered", "p50 µs", "p99 µs", "max µs");
  measure(suggestions, "starts of 1 to 6 letters", prefixes.starts, options.k);
  measure(suggestions, "starts of 5 or 6, one wrong", prefixes.mistyped, options.k);
  measure(suggestions, "phrases, one wrong letter at the end", prefixes.phrases, options.k);
  std::string many = "s";
  while (many.size() < 98) many += " s";
  measure(suggestions, "hostile", {std::string(100, 'a'), many, "xxxxx sxxxx sxxxxx cxxxxx dxxxxx txxxxx bxxxxx pxxxxx"}, options.k);
  measure_queries(suggestions);
  return {};
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("suggest_bench", retrieval::parse(argc, argv), retrieval::run);
}
