#pragma once
// Characters out of a stream of bytes that is cut anywhere, as the tokens of a byte-level vocabulary are.
//
// Thread safety: one thread at a time.

#include <string>
#include <string_view>

namespace scalestyle::text {

class Utf8Pieces {
 public:
  // The characters that `bytes` complete, those held back before included; valid until the next call. An incomplete
  // character at the end (at most 3 bytes) is held back. Ill-formed bytes become U+FFFD, so that all the pieces together
  // are the UTF-8 text that the whole stream reads as.
  [[nodiscard]] std::string_view push(std::string_view bytes);

  // The end of the stream: U+FFFD when a character was left incomplete, else nothing. The object may be used again.
  [[nodiscard]] std::string_view finish();

 private:
  std::string held_;
  std::string out_;
};

}  // namespace scalestyle::text
