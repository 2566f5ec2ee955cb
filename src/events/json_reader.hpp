#pragma once
// JsonReader: reads JSON (RFC 8259) of a known shape straight into values, without a tree in between: a log's replay
// and an import read millions of small objects.
//
// The caller asks for what it expects. The first thing that is otherwise is kept as problem(); from then on every call
// gives an empty value, so that one check at the end is enough. Text is checked to be UTF-8.
// Not thread-safe; the text must outlive it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::events {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  void begin_object() { open('{', "an object"); }
  void begin_array() { open('[', "an array"); }

  // The next key of the object that is open, its colon read; nothing at the object's end, which is read too. Valid
  // until the next call.
  [[nodiscard]] std::optional<std::string_view> next_key();

  // False at the end of the array that is open, which is read too.
  [[nodiscard]] bool next_element();
  // What comes next is an array; reads nothing of it.
  [[nodiscard]] bool array_is_next();

  [[nodiscard]] std::string text();
  [[nodiscard]] std::int64_t integer();  // no fraction, no exponent
  [[nodiscard]] double number();
  [[nodiscard]] bool boolean();

  // Only blanks may follow.
  void finish();

  void fail(std::string problem);
  [[nodiscard]] bool ok() const { return problem_.empty(); }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // The byte, from 0, where what comes next begins; after a problem where it was noticed.
  [[nodiscard]] std::size_t position();

 private:
  void skip_blanks();
  void open(char bracket, std::string_view expected);
  [[nodiscard]] bool separate(char close);  // false at the end of the container
  [[nodiscard]] bool next_is(char c) const { return position_ < text_.size() && text_[position_] == c; }
  [[nodiscard]] std::string_view string_token();
  [[nodiscard]] bool escape();
  [[nodiscard]] std::optional<std::uint32_t> four_hex_digits();
  [[nodiscard]] std::string_view number_token(bool& whole);
  [[nodiscard]] std::size_t digits();
  void expected(std::string_view what);

  std::string_view text_;
  std::size_t position_ = 0;
  bool first_ = false;    // nothing of the innermost open container was read yet
  std::string unescaped_; // the last text that had escapes
  std::string problem_;
  std::size_t problem_position_ = 0;
};

}  // namespace scalestyle::events
