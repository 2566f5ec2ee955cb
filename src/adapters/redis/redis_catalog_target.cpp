#include "adapters/redis/redis_catalog_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/redis/catalogue_blocks.hpp"
#include "adapters/redis/redis_catalog_store.hpp"
#include "adapters/redis/store_errors.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kBlocksAtOnce = 16;
constexpr std::size_t kKeysAtOnce = 512;

RedisCommand on_key(std::vector<std::string> arguments) {
  RedisCommand command;
  command.key = arguments[1];
  command.arguments = std::move(arguments);
  return command;
}

std::string counts_text(const CatalogueManifest& manifest) {
  return fmt::format("{} {}", manifest.blocks.size(), manifest.neighbours ? manifest.neighbours->blocks.size() : 0);
}

std::optional<std::pair<std::size_t, std::size_t>> parse_counts(std::string_view text) {
  std::pair<std::size_t, std::size_t> counts;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, counts.first);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, counts.second);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return counts;
}

core::Status expect_same(const ports::CatalogSnapshot& written, const ports::CatalogSnapshot& read, const std::string& key) {
  const auto neighbours = [](const ports::CatalogSnapshot& snapshot) {
    return snapshot.neighbours == nullptr ? 0 : snapshot.neighbours->all().size();
  };
  if (read.catalog->size() == written.catalog->size() && read.catalog->numbering() == written.catalog->numbering() &&
      neighbours(read) == neighbours(written)) {
    return {};
  }
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{}: {} articles and {} neighbours were written, {} and {} are there", key,
                                written.catalog->size(), neighbours(written), read.catalog->size(), neighbours(read)));
}

}  // namespace

struct RedisCatalogTarget::BlockPlan {
  std::function<std::string(std::size_t)> key;
  std::function<std::string(std::size_t first, std::size_t count)> pack;
  std::size_t rows = 0;
  std::size_t a_block = 0;
  std::vector<std::string>* hashes = nullptr;
};

core::Task<core::Result<RedisValue>> RedisCatalogTarget::call(RedisCommand command, core::Deadline deadline) {
  const std::string key = command.key;
  auto reply = co_await client_.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(write_error(std::move(reply).error(), key));
  co_return reply;
}

core::Task<core::Status> RedisCatalogTarget::run(std::vector<RedisCommand> commands, core::Deadline deadline) {
  if (commands.empty()) co_return core::Status();
  std::vector<std::string> keys;
  for (const RedisCommand& command : commands) keys.push_back(command.key);
  auto replies = co_await client_.pipeline(std::move(commands), deadline);
  if (!replies) co_return std::unexpected(write_error(std::move(replies).error(), keys.front()));
  co_return first_error(*replies, keys);
}

core::Task<core::Result<std::optional<core::GenerationId>>> RedisCatalogTarget::current(core::Deadline deadline) {
  RedisCatalogStore store(client_, pool_, {.prefix = keys_.prefix});
  auto id = co_await store.current(deadline);
  if (id) co_return std::optional<core::GenerationId>(std::move(*id));
  // One that cannot be is overwritten.
  const bool none = id.error().code == core::ErrorCode::kNotFound || id.error().code == core::ErrorCode::kDataLoss;
  if (none) co_return std::optional<core::GenerationId>();
  co_return std::unexpected(std::move(id).error());
}

core::Task<core::Status> RedisCatalogTarget::begin(ports::TargetGeneration generation, core::Deadline deadline) {
  const core::GenerationId& id = generation.snapshot->info.id;
  if (!is_generation_name(id.value())) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "not the id of a generation: \"" + id.value() + "\"");
  }
  const std::size_t articles = generation.snapshot->catalog->size();
  const ports::PopularitySeeds& seeds = *generation.popular;
  for (const auto* const list : {&seeds.all_time, &seeds.last_24h, &seeds.last_7d}) {
    for (const ports::PopularArticle& one : *list) {
      if (one.row.value < articles) continue;
      co_return core::fail(core::ErrorCode::kInvalidArgument,
                           fmt::format("a popular article is row {} of a catalogue of {} articles", one.row.value, articles));
    }
  }
  CORE_CO_TRY(const auto served, co_await current(deadline));
  if (served == id) {
    co_return core::fail(core::ErrorCode::kInvalidArgument,
                         fmt::format("{}: the generation {} is served; another one must have another id", keys_.current(),
                                     id.value()));
  }
  generation_ = std::move(generation);
  const ports::CatalogSnapshot& snapshot = *generation_.snapshot;
  manifest_ = {};
  manifest_.info = snapshot.info;
  manifest_.numbering = snapshot.catalog->numbering();
  is_current_ = false;
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::write_blocks(BlockPlan plan, core::Deadline deadline) {
  const std::size_t blocks = blocks_of(plan.rows, plan.a_block);
  const std::string lifetime = std::to_string(options_.unfinished_lifetime.count());
  plan.hashes->assign(blocks, {});
  for (std::size_t first = 0; first < blocks; first += kBlocksAtOnce) {
    const std::size_t count = std::min(kBlocksAtOnce, blocks - first);
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    std::vector<std::string> packed(count);
    pool_.parallel_for(count, [&](std::size_t i) {
      const std::size_t row = (first + i) * plan.a_block;
      packed[i] = plan.pack(row, std::min(plan.a_block, plan.rows - row));
      (*plan.hashes)[first + i] = core::sha256_hex(packed[i]);
    });
    std::vector<RedisCommand> commands;
    for (std::size_t i = 0; i < count; ++i) {
      commands.push_back(on_key({"SET", plan.key(first + i), std::move(packed[i]), "EX", lifetime}));
    }
    auto written = co_await run(std::move(commands), deadline);
    if (!written) co_return written;
  }
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::write_articles(core::Deadline deadline) {
  const ports::CatalogSnapshot& snapshot = *generation_.snapshot;
  const core::GenerationId& id = snapshot.info.id;
  BlockPlan articles{.key = [&](std::size_t block) { return keys_.articles(id, block); },
                     .pack = [&](std::size_t first, std::size_t count) { return pack_articles(*snapshot.catalog, first, count); },
                     .rows = snapshot.catalog->size(),
                     .a_block = kArticlesABlock,
                     .hashes = &manifest_.blocks};
  auto written = co_await write_blocks(std::move(articles), deadline);
  if (!written) co_return written;
  if (snapshot.neighbours != nullptr) {
    manifest_.neighbours.emplace();
    manifest_.neighbours->total = snapshot.neighbours->all().size();
    BlockPlan neighbours{.key = [&](std::size_t block) { return keys_.neighbours(id, block); },
                         .pack = [&](std::size_t first,
                                     std::size_t count) { return pack_neighbours(*snapshot.neighbours, first, count); },
                         .rows = snapshot.catalog->size(),
                         .a_block = kNeighbourRowsABlock,
                         .hashes = &manifest_.neighbours->blocks};
    written = co_await write_blocks(std::move(neighbours), deadline);
    if (!written) co_return written;
  }
  RedisCommand manifest = on_key({"SET", keys_.manifest(id), manifest_.to_text(), "EX",
                                  std::to_string(options_.unfinished_lifetime.count())});
  auto described = co_await call(std::move(manifest), deadline);
  if (!described) co_return std::unexpected(std::move(described).error());
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::write_vectors(ports::VectorSlice, core::Deadline) { co_return core::Status(); }

core::Task<core::Result<ports::TargetCounts>> RedisCatalogTarget::finish(core::Deadline deadline) {
  const ports::CatalogSnapshot& snapshot = *generation_.snapshot;
  RedisCatalogStore store(client_, pool_, {.prefix = keys_.prefix});
  CORE_CO_TRY(const auto read, co_await store.load(snapshot.info.id, deadline));
  CORE_CO_CHECK(expect_same(snapshot, *read, keys_.manifest(snapshot.info.id)));
  ports::TargetCounts counts;
  counts.articles = read->catalog->size();
  counts.neighbours = read->neighbours == nullptr ? 0 : read->neighbours->all().size();
  const ports::PopularitySeeds& seeds = *generation_.popular;
  CORE_CO_TRY(counts.popular, co_await write_global_popular(deadline));
  CORE_CO_CHECK(co_await write_window("24h", seeds.last_24h, std::chrono::hours(24), deadline));
  CORE_CO_CHECK(co_await write_window("7d", seeds.last_7d, std::chrono::hours(7 * 24), deadline));
  co_return counts;
}

std::vector<std::string> RedisCatalogTarget::keys_of(const core::GenerationId& id, std::size_t blocks,
                                                     std::size_t neighbour_blocks) const {
  std::vector<std::string> names{keys_.manifest(id)};
  for (std::size_t block = 0; block < blocks; ++block) names.push_back(keys_.articles(id, block));
  for (std::size_t block = 0; block < neighbour_blocks; ++block) names.push_back(keys_.neighbours(id, block));
  return names;
}

// Once all are kept; kDataLoss where one has expired meanwhile.
core::Task<core::Status> RedisCatalogTarget::keep_blocks(core::Deadline deadline) {
  const std::size_t neighbour_blocks = manifest_.neighbours ? manifest_.neighbours->blocks.size() : 0;
  const auto names = keys_of(manifest_.info.id, manifest_.blocks.size(), neighbour_blocks);
  for (std::size_t first = 0; first < names.size(); first += kKeysAtOnce) {
    const std::size_t last = std::min(first + kKeysAtOnce, names.size());
    std::vector<RedisCommand> commands;
    for (std::size_t i = first; i < last; ++i) commands.push_back(on_key({"PERSIST", names[i]}));
    for (std::size_t i = first; i < last; ++i) commands.push_back(on_key({"TTL", names[i]}));
    auto replies = co_await client_.pipeline(std::move(commands), deadline);
    if (!replies) co_return std::unexpected(write_error(std::move(replies).error(), names[first]));
    for (std::size_t i = first; i < last; ++i) {
      const auto& kept = (*replies)[i - first];
      const auto& lives = (*replies)[last - first + i - first];
      if (!kept) co_return std::unexpected(write_error(kept.error(), names[i]));
      if (!lives) co_return std::unexpected(write_error(lives.error(), names[i]));
      if (lives->integer != -1) co_return damaged_key(names[i], "it expired before the generation was switched to");
    }
  }
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::switch_to(core::Deadline deadline) {
  const core::GenerationId& id = manifest_.info.id;
  // First, so that what is kept from here on is known to remove_others() of a later run.
  RedisCommand note = on_key({"HSET", keys_.generations(), id.value(), counts_text(manifest_)});
  auto noted = co_await call(std::move(note), deadline);
  if (!noted) co_return std::unexpected(std::move(noted).error());
  auto kept = co_await keep_blocks(deadline);
  if (!kept) co_return kept;
  auto items = co_await write_items(deadline);
  if (!items) co_return items;
  RedisCommand version = on_key({"SET", keys_.current(), id.value()});
  auto switched = co_await call(std::move(version), deadline);
  if (!switched) co_return std::unexpected(std::move(switched).error());
  is_current_ = true;
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::remove_generation(core::GenerationId id, std::string counts,
                                                               core::Deadline deadline) {
  // Of one whose counts cannot be read, only the manifest: nobody loads the rest.
  const auto blocks = parse_counts(counts).value_or(std::pair<std::size_t, std::size_t>{0, 0});
  const auto names = keys_of(id, blocks.first, blocks.second);
  for (std::size_t first = 0; first < names.size(); first += kKeysAtOnce) {
    const std::size_t last = std::min(first + kKeysAtOnce, names.size());
    std::vector<RedisCommand> commands;
    for (std::size_t i = first; i < last; ++i) commands.push_back(on_key({"UNLINK", names[i]}));
    auto removed = co_await run(std::move(commands), deadline);
    if (!removed) co_return removed;
  }
  RedisCommand forget = on_key({"HDEL", keys_.generations(), id.value()});
  auto forgotten = co_await call(std::move(forget), deadline);
  if (!forgotten) co_return std::unexpected(std::move(forgotten).error());
  co_return core::Status();
}

core::Task<core::Status> RedisCatalogTarget::abort(core::Deadline deadline) {
  if (generation_.snapshot == nullptr || is_current_) co_return core::Status();
  const core::GenerationId id = manifest_.info.id;
  // A switch whose answer was lost may have been made.
  CORE_CO_TRY(const auto served, co_await current(deadline));
  if (served == id) co_return core::Status();
  std::string counts = counts_text(manifest_);
  auto removed = co_await remove_generation(id, std::move(counts), deadline);
  co_return removed;
}

core::Task<core::Result<std::size_t>> RedisCatalogTarget::remove_others(std::set<core::GenerationId> keep,
                                                                        core::Deadline deadline) {
  CORE_CO_TRY(const auto served, co_await current(deadline));
  if (served) keep.insert(*served);
  RedisCommand list = on_key({"HGETALL", keys_.generations()});
  CORE_CO_TRY(const RedisValue known, co_await call(std::move(list), deadline));
  std::size_t removed = 0;
  for (std::size_t i = 0; i + 1 < known.elements.size(); i += 2) {
    const core::GenerationId id(known.elements[i].text);
    if (keep.contains(id)) continue;
    std::string counts = known.elements[i + 1].text;
    auto gone = co_await remove_generation(id, std::move(counts), deadline);
    if (!gone) co_return std::unexpected(std::move(gone).error());
    ++removed;
  }
  if (is_current_) {
    CORE_CO_CHECK(co_await remove_stale_items(deadline));
    CORE_CO_CHECK(co_await remove_stale_popular(deadline));
  }
  co_return removed;
}

}  // namespace scalestyle::adapters::redis
