#pragma once
// Strong types for things that must not be mixed. (ArticleId and RowIndex live in catalog/.)

#include <compare>
#include <string>
#include <utility>

namespace scalestyle::core {

template <class Tag>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend auto operator<=>(const StringId&, const StringId&) = default;

 private:
  std::string value_;
};

using UserId = StringId<struct UserIdTag>;
using SessionId = StringId<struct SessionIdTag>;
using RequestId = StringId<struct RequestIdTag>;
using GenerationId = StringId<struct GenerationIdTag>;

}  // namespace scalestyle::core
