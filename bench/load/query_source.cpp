#include "query_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>
#include <set>
#include <sstream>

#include "core/files.hpp"

namespace scalestyle::load {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20U;
constexpr std::size_t kWordsAQuery = 4;
constexpr std::size_t kLeastWords = 20;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (std::string word; stream >> word;) {
    if (seen.insert(word).second) words.push_back(word);
  }
  return words;
}

core::Result<std::string> query_of(const std::string& line, const std::string& path, std::size_t number) {
  if (!line.starts_with('{')) return line;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  if (!error && value.is_object()) {
    const boost::json::value* query = value.get_object().if_contains("query");
    if (query != nullptr && query->is_string()) return std::string(query->get_string());
  }
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{}:{}: not a JSON object with a text \"query\"", path, number));
}

}  // namespace

core::Result<QuerySource> QuerySource::from_file(const std::string& path, bool repeat) {
  CORE_TRY(const std::string content, core::read_text_file(path, kMaxFileBytes));
  QuerySource source;
  source.repeat_ = repeat;
  std::istringstream stream(content);
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    CORE_TRY(std::string query, query_of(line, path, number));
    source.texts_.push_back(std::move(query));
  }
  if (source.texts_.empty()) return core::fail(core::ErrorCode::kInvalidArgument, path + ": has no query");
  std::set<std::string> distinct(source.texts_.begin(), source.texts_.end());
  if (!repeat && distinct.size() != source.texts_.size()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}: {} of {} queries repeat earlier ones; give --repeat if that is meant", path,
                                  source.texts_.size() - distinct.size(), source.texts_.size()));
  }
  source.capacity_ = source.texts_.size();
  return source;
}

core::Result<QuerySource> QuerySource::from_words(const std::string& path, std::uint64_t seed) {
  CORE_TRY(const std::string content, core::read_text_file(path, kMaxFileBytes));
  const std::vector<std::string> words = words_of(content);
  if (words.size() < kLeastWords) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}: {} different words, at least {} are needed", path, words.size(), kLeastWords));
  }
  // Word n goes to list n mod 4: lists share no word, so different choices are different texts.
  QuerySource source;
  source.lists_.resize(kWordsAQuery);
  for (std::size_t i = 0; i < words.size(); ++i) source.lists_[i % kWordsAQuery].push_back(words[i]);
  source.start(seed);
  return source;
}

QuerySource QuerySource::built_in(std::uint64_t seed) {
  QuerySource source;
  for (const char* list :
       {"black white navy red green beige pink grey yellow purple orange brown cream turquoise khaki rust mint lilac "
        "burgundy mustard coral silver gold denim-blue",
        "cotton linen wool silk velvet jersey denim leather cashmere satin lace corduroy fleece mesh chiffon tweed "
        "viscose suede knitted quilted",
        "slim loose oversized cropped long short-sleeved striped floral checked dotted pleated ribbed padded hooded "
        "sleeveless high-waisted embroidered printed soft warm light waterproof stretchy classic",
        "dress shirt top trousers jeans jacket coat skirt sweater cardigan blouse hoodie leggings shorts t-shirt "
        "blazer bodysuit jumpsuit vest pyjamas swimsuit bikini bra socks scarf hat gloves boots sneakers sandals bag "
        "belt earrings cap tights polo joggers parka tunic kimono",
        "women men girls boys babies teenagers work party summer winter autumn spring travel school running yoga "
        "weddings holidays beach office festival home sleep hiking"}) {
    source.lists_.push_back(words_of(list));
  }
  source.start(seed);
  return source;
}

void QuerySource::start(std::uint64_t seed) {
  capacity_ = 1;
  for (const auto& list : lists_) {
    if (capacity_ > (std::uint64_t{1} << 40U)) break;
    capacity_ *= list.size();
  }
  // A stride near the golden ratio of the whole visits every text once and makes neighbours differ in every word.
  step_ = static_cast<std::uint64_t>(static_cast<double>(capacity_) * 0.6180339887) | 1U;
  while (std::gcd(step_, capacity_) != 1) ++step_;
  position_ = seed % 1000 * (capacity_ / 1000) % capacity_;
}

core::Result<QuerySource> QuerySource::drawn(QuerySource source, std::size_t distinct, double exponent, std::uint64_t seed) {
  QuerySource few;
  for (std::size_t i = 0; i < std::min<std::size_t>(distinct, source.capacity()); ++i) few.texts_.push_back(*source.next());
  CORE_TRY(few.draw_, ZipfDraw::create(few.texts_.size(), exponent, seed));
  few.repeat_ = true;
  few.capacity_ = few.texts_.size();
  return few;
}

std::optional<std::string> QuerySource::next() {
  if (draw_) return texts_[draw_->next()];
  if (taken_ >= capacity_ && !repeat_) return std::nullopt;
  if (!texts_.empty()) return texts_[taken_++ % capacity_];
  const std::uint64_t index = (position_ + taken_++) % capacity_;
  std::uint64_t choice = 0;  // index × step mod capacity, without overflow: both are below 2^46
  for (std::uint64_t factor = index, term = step_ % capacity_; factor != 0; factor >>= 1U) {
    if ((factor & 1U) != 0) choice = (choice + term) % capacity_;
    term = term * 2 % capacity_;
  }
  std::string text;
  for (const auto& list : lists_) {
    if (!text.empty()) text += ' ';
    text += list[choice % list.size()];
    choice /= list.size();
  }
  return text;
}

std::string percent_encoded(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", byte);
    }
  }
  return result;
}

}  // namespace scalestyle::load
