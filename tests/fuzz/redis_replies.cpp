// What a Redis server sends, cut anywhere: the same replies whatever the pieces, or the same end.

#include <algorithm>

#include "adapters/redis/resp.hpp"
#include "fuzz/target.hpp"

namespace scalestyle::fuzz {
namespace {

using adapters::redis::RespReader;
using adapters::redis::RespReply;

constexpr std::size_t kMaxReplyBytes = 1 << 20;

struct Read {
  std::vector<RespReply> replies{};
  bool ended = false;  // by an error
};

Read read(std::string_view bytes, std::size_t piece) {
  RespReader reader(kMaxReplyBytes);
  Read result;
  while (!bytes.empty() && !result.ended) {
    const auto next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    result.ended = !reader.feed(next);
    while (!result.ended) {
      auto reply = reader.next();
      result.ended = !reply;
      if (!reply || !*reply) break;
      result.replies.push_back(std::move(**reply));
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> seeds() {
  using namespace std::string_literals;
  return {"+OK\r\n:-42\r\n$5\r\na\r\nb\0\r\n$-1\r\n*-1\r\n$0\r\n\r\n-ERR wrong\r\n*0\r\n"s,
          "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n-NO way\r\n", "*2\r\n$10\r\n1772964931\r\n$6\r\n123456\r\n",
          "-MOVED 3999 127.0.0.1:6381\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"};
}

std::vector<std::string> words() {
  return {"\r\n", "*", "$", ":", "+", "-", "$-1\r\n", "*-1\r\n", "*1\r\n", "$0\r\n\r\n", "*2147483647\r\n",
          "$9223372036854775807\r\n", "%1\r\n", "_\r\n", "#t\r\n"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  const std::string_view bytes = text_of(data, size);
  const Read whole = read(bytes, bytes.size() + 1);
  const Read pieces = read(bytes, 1 + (size == 0 ? 0 : data[0] % 7));
  require(whole.ended == pieces.ended);
  const std::size_t both = std::min(whole.replies.size(), pieces.replies.size());
  for (std::size_t i = 0; i < both; ++i) {
    require(whole.replies[i].is_error == pieces.replies[i].is_error && whole.replies[i].value == pieces.replies[i].value);
  }
  return 0;
}
