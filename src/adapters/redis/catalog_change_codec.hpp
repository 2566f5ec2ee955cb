#pragma once
// Changes of articles and vectors of their texts as Redis keeps them (docs/formats/redis-catalogue.md). Pure.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "ports/catalog_changes.hpp"

namespace scalestyle::adapters::redis {

// What a change sets, as JSON.
[[nodiscard]] std::string pack_change(const catalog::ArticleChange& change);

// A member of the log: "<sequence> <time> <kind> <columns> <article id> <what it sets>". kDataLoss, beginning with `key`, for
// what cannot have been written.
[[nodiscard]] core::Result<ports::LoggedChange> unpack_change(std::string_view member, std::string_view key);

// Which encoder made a vector: all that decides its bits.
[[nodiscard]] std::string encoder_key(const ports::EncoderInfo& encoder);

[[nodiscard]] std::string pack_vector(const ports::ArticleVector& vector, const ports::EncoderInfo& encoder);

// Nothing when another encoder made it. kDataLoss as above.
[[nodiscard]] core::Result<std::optional<ports::ArticleVector>> unpack_vector(std::string_view article, std::string_view value,
                                                                              const ports::EncoderInfo& encoder,
                                                                              std::string_view key);

}  // namespace scalestyle::adapters::redis
