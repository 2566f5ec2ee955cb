#include "adapters/redis/resp.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t kMaxLineBytes = 64 * 1024;
constexpr std::size_t kReservedElements = 64;  // of what an array announces; more only as they arrive

}  // namespace

// What hiredis calls for each part of a reply. It is C: nothing may throw through it, and null ends the reading.
struct RespReader::Callbacks {
  static RespReader& self(const redisReadTask* task) { return *static_cast<RespReader*>(task->privdata); }

  template <class Fill>
  static void* make(const redisReadTask* task, std::size_t text_bytes, Fill fill) {
    try {
      RedisValue* const value = self(task).place(*task, text_bytes);
      if (value != nullptr) fill(*value);
      return value;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  static void* text(const redisReadTask* task, char* bytes, std::size_t size) {
    return make(task, size, [&](RedisValue& value) {
      value.kind = RedisValue::Kind::kText;
      const bool is_error = task->type == REDIS_REPLY_ERROR;
      if (is_error && task->parent != nullptr) value.text = "(error) ";
      if (is_error && task->parent == nullptr) self(task).building_->is_error = true;
      value.text.append(bytes, size);
    });
  }
  static void* array(const redisReadTask* task, int elements) {
    const auto count = static_cast<std::size_t>(std::max(elements, 0));
    if (count > self(task).max_bytes_ / sizeof(RedisValue)) {
      self(task).too_large_ = true;
      return nullptr;
    }
    return make(task, 0, [&](RedisValue& value) {
      value.kind = RedisValue::Kind::kArray;
      value.elements.reserve(std::min(count, kReservedElements));
    });
  }
  static void* integer(const redisReadTask* task, long long number) {
    return make(task, 0, [&](RedisValue& value) {
      value.kind = RedisValue::Kind::kInteger;
      value.integer = number;
    });
  }
  static void* null(const redisReadTask* task) {
    return make(task, 0, [](RedisValue&) {});
  }
  static void free(void*) {}  // values belong to building_

  static redisReplyObjectFunctions* table() {
    static redisReplyObjectFunctions functions{text, array, integer, null, free};
    return &functions;
  }
};

void RespReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

RespReader::RespReader(std::size_t max_reply_bytes)
    : max_bytes_(max_reply_bytes), reader_(redisReaderCreateWithFunctions(Callbacks::table())) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = this;
}

RespReader::~RespReader() = default;

// The new value's place: in its array, which does not grow while an element of it is being read, or at the root.
RedisValue* RespReader::place(const redisReadTask& task, std::size_t text_bytes) {
  held_bytes_ += sizeof(RedisValue) + text_bytes;
  if (held_bytes_ > max_bytes_ + sizeof(RedisValue)) {
    too_large_ = true;
    return nullptr;
  }
  if (task.parent != nullptr) return &static_cast<RedisValue*>(task.parent->obj)->elements.emplace_back();
  building_.emplace();
  return &building_->value;
}

core::Status RespReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    return fail(ErrorCode::kDataLoss, fmt::format("the reply cannot be read: {}", reader_->errstr));
  }
  unread_bytes_ += bytes.size();
  return {};
}

core::Result<std::optional<RespReply>> RespReader::next() {
  void* reply = nullptr;
  const bool read = redisReaderGetReply(reader_.get(), &reply) == REDIS_OK;
  if (too_large_) return fail(ErrorCode::kDataLoss, fmt::format("a reply has more than {} bytes", max_bytes_));
  if (!read) return fail(ErrorCode::kDataLoss, fmt::format("the reply is not RESP: {}", reader_->errstr));
  if (reply == nullptr) {
    CORE_CHECK(check_unfinished());
    return std::nullopt;
  }
  unread_bytes_ = reader_->len - reader_->pos;
  held_bytes_ = 0;
  return std::exchange(building_, std::nullopt);
}

// Whether what has arrived of a reply may still become one within the bounds.
core::Status RespReader::check_unfinished() const {
  const auto too_large = [this] {
    return fail(ErrorCode::kDataLoss, fmt::format("a reply has more than {} bytes", max_bytes_));
  };
  if (unread_bytes_ > max_bytes_) return too_large();
  if (reader_->ridx < 0 || reader_->len <= reader_->pos) return {};
  const std::string_view rest(reader_->buf + reader_->pos, reader_->len - reader_->pos);
  const auto line_end = rest.substr(0, kMaxLineBytes).find('\r');
  const bool is_bulk = reader_->rstack[reader_->ridx].type == REDIS_REPLY_STRING;
  if (line_end == std::string_view::npos) {
    if (rest.size() < kMaxLineBytes) return {};
    return fail(ErrorCode::kDataLoss, fmt::format("a reply has a line of more than {} bytes", kMaxLineBytes));
  }
  if (!is_bulk) return {};
  const std::string digits(rest.substr(0, std::min<std::size_t>(line_end, 24)));
  return std::strtoull(digits.c_str(), nullptr, 10) > max_bytes_ && digits[0] != '-' ? too_large() : core::Status();
}

void append_command(std::string& out, std::span<const std::string_view> arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(arguments.size());
  sizes.reserve(arguments.size());
  for (const auto argument : arguments) {
    texts.push_back(argument.data() == nullptr ? "" : argument.data());
    sizes.push_back(argument.size());
  }
  char* bytes = nullptr;
  const int size = redisFormatCommandArgv(&bytes, static_cast<int>(arguments.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&redisFreeCommand)> owner(bytes, &redisFreeCommand);
  out.append(bytes, static_cast<std::size_t>(size));
}

}  // namespace scalestyle::adapters::redis
