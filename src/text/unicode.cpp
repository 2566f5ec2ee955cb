#include "text/unicode.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/bytestream.h>

#include <algorithm>
#include <array>
#include <vector>

namespace scalestyle::text {

namespace {

constexpr std::size_t kMaxNormalizeBytes = std::size_t{1} << 30U;

struct LeadByte {
  unsigned length;
  unsigned char second_low;
  unsigned char second_high;
  unsigned char payload;
};

// Table 3-7 of the Unicode standard: which second bytes may follow a lead byte.
LeadByte classify_lead(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80, 0xBF, static_cast<unsigned char>(lead & 0x1FU)};
  if (lead == 0xE0) return {3, 0xA0, 0xBF, 0x00};
  if (lead == 0xED) return {3, 0x80, 0x9F, 0x0D};
  if (lead >= 0xE1 && lead <= 0xEF) return {3, 0x80, 0xBF, static_cast<unsigned char>(lead & 0x0FU)};
  if (lead == 0xF0) return {4, 0x90, 0xBF, 0x00};
  if (lead == 0xF4) return {4, 0x80, 0x8F, 0x04};
  if (lead >= 0xF1 && lead <= 0xF3) return {4, 0x80, 0xBF, static_cast<unsigned char>(lead & 0x07U)};
  return {0, 0, 0, 0};
}

// The reference's tables are of Unicode 8; younger characters had no category then.
bool assigned_in_unicode_8(UChar32 code_point) {
  UVersionInfo age{};
  u_charAge(code_point, age);
  return age[0] != 0 && age[0] <= 8;
}

struct Decoded {
  char32_t code_point;
  bool valid;
};

Decoded decode(std::string_view text, std::size_t& position) {
  const auto lead = static_cast<unsigned char>(text[position++]);
  if (lead < 0x80) return {lead, true};
  const LeadByte shape = classify_lead(lead);
  if (shape.length == 0) return {kReplacementCharacter, false};
  char32_t code_point = shape.payload;
  unsigned char low = shape.second_low;
  unsigned char high = shape.second_high;
  for (unsigned index = 1; index < shape.length; ++index) {
    if (position >= text.size()) return {kReplacementCharacter, false};
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < low || byte > high) return {kReplacementCharacter, false};
    ++position;
    code_point = (code_point << 6U) | (byte & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return {code_point, true};
}

core::Result<const icu::Normalizer2*> normalizer(NormalForm form) {
  UErrorCode code = U_ZERO_ERROR;
  const icu::Normalizer2* instance = nullptr;
  switch (form) {
    case NormalForm::kNfc: instance = icu::Normalizer2::getNFCInstance(code); break;
    case NormalForm::kNfd: instance = icu::Normalizer2::getNFDInstance(code); break;
    case NormalForm::kNfkc: instance = icu::Normalizer2::getNFKCInstance(code); break;
    case NormalForm::kNfkd: instance = icu::Normalizer2::getNFKDInstance(code); break;
    case NormalForm::kNfkcCasefold: instance = icu::Normalizer2::getNFKCCasefoldInstance(code); break;
  }
  if (U_FAILURE(code) || instance == nullptr) {
    return core::fail(core::ErrorCode::kInternal, std::string("ICU has no normalisation data: ") + u_errorName(code));
  }
  return instance;
}

// ICU puts combining marks into canonical order by insertion: quadratic in the length of their run. Runs longer than any
// writing has are put in order here first. What comes out is canonically equivalent, so its normal forms are the same.
class MarkOrder {
 public:
  explicit MarkOrder(std::string_view text) : text_(text) {}

  // The text itself when it has no such run; else a text that lives as long as this object.
  [[nodiscard]] std::string_view apply() {
    for (std::size_t position = 0; position < text_.size();) {
      const std::size_t start = position;
      if (!take_mark(next_code_point(text_, position), start)) end_run(start);
    }
    end_run(text_.size());
    if (copied_ == 0) return text_;
    out_.append(text_.substr(copied_));
    return out_;
  }

 private:
  static constexpr std::size_t kLongRun = 64;
  static constexpr char32_t kFirstMark = 0x300;
  struct Mark {
    std::uint8_t order;
    char32_t code_point;
  };

  bool take_mark(char32_t code_point, std::size_t start) {
    if (code_point < kFirstMark) return false;
    std::array<char32_t, kMaxDecomposition> parts{};
    const auto decomposed = std::span(parts).first(decompose(code_point, parts));
    if (std::ranges::any_of(decomposed, [](char32_t part) { return combining_class(part) == 0; })) return false;
    if (marks_.empty()) run_start_ = start;
    for (const char32_t part : decomposed) marks_.push_back({combining_class(part), part});
    return true;
  }

  void end_run(std::size_t end) {
    if (marks_.size() > kLongRun) {
      std::ranges::stable_sort(marks_, {}, &Mark::order);
      out_.append(text_.substr(copied_, run_start_ - copied_));
      for (const Mark& mark : marks_) append_utf8(mark.code_point, out_);
      copied_ = end;
    }
    marks_.clear();
  }

  std::string_view text_;
  std::string out_;
  std::vector<Mark> marks_;  // of the run being read, decomposed
  std::size_t run_start_ = 0;
  std::size_t copied_ = 0;   // bytes of the text that out_ stands for
};

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& position) { return decode(text, position).code_point; }

void append_utf8(char32_t code_point, std::string& out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = kReplacementCharacter;
  const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(static_cast<unsigned char>(value))); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | (code_point >> 6U));
    byte(0x80 | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    byte(0xE0 | (code_point >> 12U));
    byte(0x80 | ((code_point >> 6U) & 0x3FU));
    byte(0x80 | (code_point & 0x3FU));
  } else {
    byte(0xF0 | (code_point >> 18U));
    byte(0x80 | ((code_point >> 12U) & 0x3FU));
    byte(0x80 | ((code_point >> 6U) & 0x3FU));
    byte(0x80 | (code_point & 0x3FU));
  }
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (!decode(text, position).valid) return false;
  }
  return true;
}

std::size_t incomplete_suffix(std::string_view text) {
  constexpr std::size_t kLongest = 3;
  for (std::size_t length = 1; length <= std::min(kLongest, text.size()); ++length) {
    const std::string_view suffix = text.substr(text.size() - length);
    const auto lead = static_cast<unsigned char>(suffix[0]);
    if (lead >= 0x80 && lead < 0xC0) continue;
    const LeadByte shape = classify_lead(lead);
    if (shape.length <= length) return 0;
    const auto second = static_cast<unsigned char>(length > 1 ? suffix[1] : static_cast<char>(shape.second_low));
    return second >= shape.second_low && second <= shape.second_high ? length : 0;
  }
  return 0;
}

core::Result<std::string> normalize(std::string_view text, NormalForm form) {
  if (text.size() > kMaxNormalizeBytes) {
    return core::fail(core::ErrorCode::kResourceExhausted,
                      "text of " + std::to_string(text.size()) + " bytes is too long to normalise (at most 2^30)");
  }
  CORE_TRY(const icu::Normalizer2* const instance, normalizer(form));
  MarkOrder order(text);
  // Case folding makes a letter of the mark U+0345 before marks are ordered: there the order given counts.
  if (form != NormalForm::kNfkcCasefold) text = order.apply();
  std::string out;
  UErrorCode code = U_ZERO_ERROR;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  instance->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr, code);
  if (U_FAILURE(code)) {
    return core::fail(core::ErrorCode::kInternal, std::string("ICU normalisation: ") + u_errorName(code));
  }
  return out;
}

std::string fold_case_and_accents(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::array<char32_t, kMaxDecomposition> parts{};
  for (std::size_t position = 0; position < text.size();) {
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < 0x80) {
      out.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
      ++position;
      continue;
    }
    const std::size_t count = decompose(next_code_point(text, position), parts);
    for (std::size_t index = 0; index < count; ++index) {
      if (!is_nonspacing_mark(parts[index])) append_utf8(to_lower(parts[index]), out);
    }
  }
  return out;
}

std::size_t decompose(char32_t code_point, std::span<char32_t, kMaxDecomposition> parts) {
  UErrorCode code = U_ZERO_ERROR;
  const UNormalizer2* const nfd = unorm2_getNFDInstance(&code);
  std::array<UChar, 4 * kMaxDecomposition> units{};
  const std::int32_t length =
      U_FAILURE(code) ? -1
                      : unorm2_getDecomposition(nfd, static_cast<UChar32>(code_point), units.data(),
                                                static_cast<std::int32_t>(units.size()), &code);
  if (length < 0 || U_FAILURE(code)) {
    parts[0] = code_point;
    return 1;
  }
  std::size_t count = 0;
  const auto end = static_cast<std::size_t>(length);
  for (std::size_t index = 0; index < end && count < parts.size(); ++index) {
    char32_t part = units[index];
    if (U16_IS_LEAD(part) && index + 1 < end) part = 0x10000 + ((part - 0xD800U) << 10U) + (units[++index] - 0xDC00U);
    parts[count++] = part;
  }
  return count;
}

std::uint8_t combining_class(char32_t code_point) { return u_getCombiningClass(static_cast<UChar32>(code_point)); }

char32_t to_lower(char32_t code_point) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(code_point))); }

bool is_letter_or_digit(char32_t code_point) { return u_isalnum(static_cast<UChar32>(code_point)) != 0; }

bool is_digit(char32_t code_point) { return u_isdigit(static_cast<UChar32>(code_point)) != 0; }

bool is_letter(char32_t code_point) { return (U_GET_GC_MASK(static_cast<UChar32>(code_point)) & U_GC_L_MASK) != 0; }

bool is_number(char32_t code_point) { return (U_GET_GC_MASK(static_cast<UChar32>(code_point)) & U_GC_N_MASK) != 0; }

bool is_white_space(char32_t code_point) { return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0; }

bool is_of_unspaced_script(char32_t code_point) {
  if (code_point < 0xE00) return false;
  const auto character = static_cast<UChar32>(code_point);
  return u_hasBinaryProperty(character, UCHAR_IDEOGRAPHIC) != 0 ||
         u_getIntPropertyValue(character, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT ||
         (code_point >= 0x3040 && code_point <= 0x30FF);  // kana
}

bool is_nonspacing_mark(char32_t code_point) {
  if (code_point < 0x300) return false;
  switch (code_point) {
    case 0x1734: return true;  // Hanunoo pamudpod, a spacing mark only since Unicode 14
    case 0x1885:               // Mongolian baludas, letters until Unicode 9
    case 0x1886:
    case 0xA9BD:               // Javanese keret, a spacing mark until Unicode 11
    case 0x111C9: return false;  // Sharada sandhi mark, punctuation until Unicode 11
    default: break;
  }
  const auto character = static_cast<UChar32>(code_point);
  return u_charType(character) == U_NON_SPACING_MARK && assigned_in_unicode_8(character);
}

bool is_bert_whitespace(char32_t code_point) { return u_isUWhiteSpace(static_cast<UChar32>(code_point)) != 0; }

bool is_bert_control(char32_t code_point) {
  if (code_point < 0x80) {
    return (code_point < 0x20 && code_point != '\t' && code_point != '\n' && code_point != '\r') || code_point == 0x7F;
  }
  if (code_point == kReplacementCharacter) return true;
  const auto character = static_cast<UChar32>(code_point);
  switch (u_charType(character)) {
    case U_CONTROL_CHAR:
    case U_PRIVATE_USE_CHAR: return true;
    case U_FORMAT_CHAR: return assigned_in_unicode_8(character);
    default: return false;
  }
}

bool is_bert_punctuation(char32_t code_point) {
  if (code_point < 0x80) {
    return (code_point >= 33 && code_point <= 47) || (code_point >= 58 && code_point <= 64) ||
           (code_point >= 91 && code_point <= 96) || (code_point >= 123 && code_point <= 126);
  }
  constexpr char32_t kCanadianChiSign = 0x166D;   // punctuation until Unicode 12
  constexpr char32_t kSharadaSandhiMark = 0x111C9;  // punctuation until Unicode 11
  if (code_point == kCanadianChiSign || code_point == kSharadaSandhiMark) return true;
  const auto character = static_cast<UChar32>(code_point);
  return (U_GET_GC_MASK(character) & U_GC_P_MASK) != 0 && assigned_in_unicode_8(character);
}

bool is_cjk_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

}  // namespace scalestyle::text
