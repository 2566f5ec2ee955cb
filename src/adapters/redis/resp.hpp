#pragma once
// RESP2, Redis' protocol: replies read within bounds whatever the other side sends, commands written.
// hiredis' reader and formatter do the work. Specification: https://redis.io/docs/latest/develop/reference/protocol-spec/

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/redis/redis_client.hpp"
#include "core/result.hpp"

struct redisReader;
struct redisReadTask;

namespace scalestyle::adapters::redis {

struct RespReply {
  bool is_error = false;  // value.text is what the server says, without "-"
  RedisValue value{};
};

// Bytes in, replies out. Not thread-safe.
// Bounds: a reply as received and as held in memory (its texts and sizeof(RedisValue) an element), 64 KiB a line,
// 7 arrays inside each other.
class RespReader {
 public:
  explicit RespReader(std::size_t max_reply_bytes);
  ~RespReader();
  RespReader(const RespReader&) = delete;
  RespReader& operator=(const RespReader&) = delete;

  // The best piece to feed at once: more only costs copying.
  static constexpr std::size_t kPieceBytes = 16 * 1024;
  [[nodiscard]] core::Status feed(std::string_view bytes);

  // The next whole reply; none until more is fed. kDataLoss: the bytes are no RESP2 or beyond a bound; then nothing
  // more can be read.
  [[nodiscard]] core::Result<std::optional<RespReply>> next();

 private:
  struct Callbacks;
  [[nodiscard]] RedisValue* place(const redisReadTask& task, std::size_t text_bytes);
  [[nodiscard]] core::Status check_unfinished() const;

  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::size_t max_bytes_;
  std::unique_ptr<redisReader, Free> reader_;
  std::optional<RespReply> building_;
  std::size_t held_bytes_ = 0;      // of building_
  std::size_t unread_bytes_ = 0;    // received since the last whole reply
  bool too_large_ = false;
};

// The command as bytes, appended to `out`.
void append_command(std::string& out, std::span<const std::string_view> arguments);

}  // namespace scalestyle::adapters::redis
