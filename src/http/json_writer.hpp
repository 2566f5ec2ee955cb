#pragma once
// JsonWriter: compact JSON text, written front to back. Numbers are shortest round-trip decimals; one that is not
// finite becomes null. Ill-formed UTF-8 in a text becomes U+FFFD, so the output is always valid JSON.
// Not thread-safe. The caller keeps objects and arrays balanced (asserted by take()).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalestyle::http {

class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_bytes = 512) { out_.reserve(expected_bytes); }

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);  // the program's own: not escaped

  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::uint64_t value);
  JsonWriter& number(double value);
  JsonWriter& number(float value);
  JsonWriter& milliseconds(double value);  // three decimals
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // a value that is JSON already

  [[nodiscard]] std::string take() &&;

 private:
  void separate();

  std::string out_;
  std::size_t depth_ = 0;
  bool needs_comma_ = false;
};

}  // namespace scalestyle::http
