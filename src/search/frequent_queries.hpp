#pragma once
// FrequentQueries: what shoppers ask, counted in bounded memory, to be suggested to others.
//
// Counted are queries that the catalogue answered. A count halves with each half-life; with more queries than are counted at
// once a new one takes the place of the smallest and its count, as error (space-saving: a query that is asked often
// enough is never missed, whatever else is asked). Counts are not kept on disk: they begin empty with the process, since the
// impressions, which hold queries, can only be read by subject.
//
// Privacy: a query is shown() once `min_subjects` different subjects, or `min_anonymous` requests without a subject, asked
// for exactly it. Until then it keeps salted hashes of its subjects, after that none at all. forget() takes a subject's hash away,
// and with it a query that nobody else asked. A query that is shown stays after one of those who asked for it is
// forgotten: nothing tells any more who they were. Two limits: a shopper who comes under several session ids counts as several
// subjects, and one who sends no ids at all passes the other threshold by asking often enough. What looks like an
// address, a number of a person or of a card (see kept_form()) is never kept.
//
// Thread safety: every method may be called from any thread. note() takes some microseconds; shown() never waits for another
// method's work.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "events/subject.hpp"
#include "retrieval/phrase_completion.hpp"

namespace scalestyle::search {

// The form in which a query is counted and shown: folded (text::fold_for_search), blanks single, none at the ends. Nothing
// when it is never kept: not well-formed, with control characters, an "@", or six digits with nothing but blanks, points,
// dashes, slashes or brackets between them; without a letter; of fewer than 2 or more than 80 characters, or more words than
// a suggestion may have.
[[nodiscard]] std::optional<std::string> kept_form(std::string_view query);

class FrequentQueries {
 public:
  struct Options {
    std::size_t max_queries = 4'096;    // counted at once; 1 … 20,000
    std::size_t min_subjects = 3;       // 2 … 16
    std::size_t min_anonymous = 20;     // requests without a subject; 2 … 1,000,000
    double half_life_seconds = 7 * 86'400.0;
    double rebuild_seconds = 5;         // shown() is at most so much older than the counts, where somebody calls refresh()
    std::uint64_t salt = 0;             // of the hashes of subjects

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };

  // What may be suggested, the most asked first. Immutable.
  struct Shown {
    std::vector<std::string> queries{};
    retrieval::PhraseCompletion completion{};  // of `queries`
  };

  // `options` must be valid; the clock must outlive this.
  FrequentQueries(const Options& options, const core::Clock& clock);
  FrequentQueries(const FrequentQueries&) = delete;
  FrequentQueries& operator=(const FrequentQueries&) = delete;

  // A query that was asked and answered; nullptr: without a subject.
  void note(std::string_view query, const events::Subject* subject);

  void forget(const events::Subject& subject);

  // Makes shown() anew, of the queries that `answerable` takes, when counts changed and it is time; with `at_once` in any
  // case. True when it did; then it takes milliseconds.
  bool refresh(const std::function<bool(std::string_view query)>& answerable, bool at_once = false);

  // Never null.
  [[nodiscard]] std::shared_ptr<const Shown> shown() const;

  [[nodiscard]] std::size_t size() const;  // queries counted now

 private:
  // A count c at time t (in half-lives) is kept as log2 c + t, which does not change while time passes and orders queries
  // by their counts at any time.
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  struct Count {
    double level = kNone;
    double error_level = kNone;  // of what it took over
    std::vector<std::uint64_t> subjects{};
    std::uint32_t anonymous = 0;
    bool is_public = false;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Counts = std::unordered_map<std::string, Count, TextHash, std::equal_to<>>;
  using Order = std::set<std::pair<double, std::string_view>>;  // the smallest count first; views of the keys of counts_

  struct Ranked {
    double count;
    std::string query;
  };
  [[nodiscard]] double now() const;
  [[nodiscard]] std::uint64_t hash_of(const events::Subject& subject) const;
  void drop(Counts::iterator entry);
  void raise(Counts::iterator entry);
  void witness(Count& count, const events::Subject* subject) const;
  [[nodiscard]] std::vector<Ranked> take_public();

  const Options options_;
  const core::Clock& clock_;
  const core::SteadyTime began_;

  mutable std::mutex mutex_;
  Counts counts_;                         // guarded by mutex_, as the next three
  Order order_;
  bool changed_ = false;                  // since shown_ was made
  std::optional<core::SteadyTime> made_;  // when shown_ was made last
  mutable std::mutex shown_mutex_;        // held for copying a pointer alone
  std::shared_ptr<const Shown> shown_ = std::make_shared<const Shown>();  // guarded by shown_mutex_
};

}  // namespace scalestyle::search
