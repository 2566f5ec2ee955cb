#include "adapters/redis/redis_catalog_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/redis/catalogue_blocks.hpp"
#include "adapters/redis/catalogue_manifest.hpp"
#include "adapters/redis/store_errors.hpp"
#include "catalog/catalog.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::redis {

namespace {

using Kind = RedisValue::Kind;

constexpr std::size_t kBlocksAtOnce = 16;

// Blocks of one kind, as the manifest lists them.
struct BlockList {
  std::function<std::string(std::size_t)> key;
  const std::vector<std::string>& hashes;
  std::size_t rows = 0;     // of all blocks
  std::size_t a_block = 0;  // of each but the last
  std::function<core::Status(std::string_view block, const std::string& key, std::size_t count)> unpack;
};

RedisCommand get(std::string key) {
  RedisCommand command{.arguments = {"GET", key}};
  command.key = std::move(key);
  return command;
}

std::unexpected<core::Error> gone(const core::GenerationId& id) {
  return core::fail(core::ErrorCode::kNotFound, fmt::format("Redis has no generation {}", id.value()));
}

// Nothing where the key is missing.
core::Task<core::Result<std::optional<std::string>>> read_text(RedisClient& client, std::string key, core::Deadline deadline) {
  RedisCommand command = get(key);
  auto reply = co_await client.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), key));
  if (reply->is_null()) co_return std::optional<std::string>();
  if (reply->kind != Kind::kText) co_return damaged_key(key, "it is no text");
  co_return std::optional<std::string>(std::move(reply->text));
}

core::Status take_block(const BlockList& list, std::size_t block, const core::Result<RedisValue>& reply) {
  const std::string key = list.key(block);
  if (!reply) return std::unexpected(read_error(reply.error(), key));
  if (reply->is_null()) return damaged_key(key, "it is missing");
  if (core::sha256_hex(reply->text) != list.hashes[block]) return damaged_key(key, "its checksum is not that of the manifest");
  const std::size_t first = block * list.a_block;
  return list.unpack(reply->text, key, std::min(list.a_block, list.rows - first));
}

// Reads and unpacks all of them, in order; goes on on a worker.
core::Task<core::Status> read_blocks(RedisClient& client, core::WorkerPool& pool, BlockList list, core::Deadline deadline) {
  for (std::size_t first = 0; first < list.hashes.size(); first += kBlocksAtOnce) {
    const std::size_t count = std::min(kBlocksAtOnce, list.hashes.size() - first);
    std::vector<RedisCommand> commands;
    for (std::size_t i = 0; i < count; ++i) commands.push_back(get(list.key(first + i)));
    auto replies = co_await client.pipeline(std::move(commands), deadline);
    if (!replies) co_return std::unexpected(read_error(std::move(replies).error(), list.key(first)));
    CORE_CO_CHECK(co_await pool.schedule(deadline));
    for (std::size_t i = 0; i < count; ++i) CORE_CO_CHECK(take_block(list, first + i, (*replies)[i]));
  }
  co_return core::Status();
}

using Snapshot = std::shared_ptr<const ports::CatalogSnapshot>;

core::Task<core::Result<Snapshot>> read_generation(RedisClient& client, core::WorkerPool& pool, CatalogueKeys keys,
                                                   CatalogueManifest manifest, core::Deadline deadline) {
  const core::GenerationId id = manifest.info.id;
  catalog::CatalogBuilder builder;
  BlockList articles{.key = [&](std::size_t block) { return keys.articles(id, block); },
                     .hashes = manifest.blocks,
                     .rows = manifest.info.articles,
                     .a_block = kArticlesABlock,
                     .unpack = [&](std::string_view block, const std::string& key, std::size_t count) {
                       return unpack_articles(block, key, count,
                                              [&](const catalog::Article& article) { return builder.add(article); });
                     }};
  auto read = co_await read_blocks(client, pool, std::move(articles), deadline);
  if (!read) co_return std::unexpected(std::move(read).error());
  CORE_CO_CHECK(co_await pool.schedule(deadline));  // of an empty catalogue too
  auto built = std::move(builder).build();
  if (!built) co_return damaged_key(keys.manifest(id), built.error().message);
  if (built->size() != manifest.info.articles || built->numbering() != manifest.numbering) {
    co_return damaged_key(keys.manifest(id), "its articles are not those that it names");
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(*built));
  if (manifest.neighbours) {
    UnpackedNeighbours unpacked;
    BlockList neighbours{.key = [&](std::size_t block) { return keys.neighbours(id, block); },
                         .hashes = manifest.neighbours->blocks,
                         .rows = manifest.info.articles,
                         .a_block = kNeighbourRowsABlock,
                         .unpack = [&](std::string_view block, const std::string& key, std::size_t count) {
                           return unpack_neighbours(block, key, count, unpacked);
                         }};
    auto read_too = co_await read_blocks(client, pool, std::move(neighbours), deadline);
    if (!read_too) co_return std::unexpected(std::move(read_too).error());
    if (unpacked.neighbours.size() != manifest.neighbours->total) {
      co_return damaged_key(keys.manifest(id), "its neighbours are not as many as it says");
    }
    auto made = ranking::ItemNeighbours::make(std::move(unpacked.begins), std::move(unpacked.neighbours));
    if (!made) co_return damaged_key(keys.manifest(id), made.error().message);
    snapshot->neighbours = std::make_shared<const ranking::ItemNeighbours>(std::move(*made));
  }
  snapshot->info = std::move(manifest.info);
  co_return std::shared_ptr<const ports::CatalogSnapshot>(std::move(snapshot));
}

core::Task<core::Result<CatalogueManifest>> read_manifest(RedisClient& client, const CatalogueKeys& keys, core::GenerationId generation,
                                                          core::Deadline deadline) {
  if (!is_generation_name(generation.value())) {
    co_return core::fail(core::ErrorCode::kNotFound, "not the id of a generation: \"" + generation.value() + "\"");
  }
  const std::string key = keys.manifest(generation);
  CORE_CO_TRY(const auto text, co_await read_text(client, key, deadline));
  if (!text) co_return gone(generation);
  CORE_CO_TRY(CatalogueManifest manifest, CatalogueManifest::parse(*text, key));
  if (manifest.info.id != generation) co_return damaged_key(key, "it describes the generation " + manifest.info.id.value());
  co_return manifest;
}

}  // namespace

core::Task<core::Result<core::GenerationId>> RedisCatalogStore::current(core::Deadline deadline) {
  std::string key = keys_.current();
  CORE_CO_TRY(auto id, co_await read_text(client_, key, deadline));
  if (!id) {
    co_return core::fail(core::ErrorCode::kNotFound,
                         fmt::format("{}: nothing was ingested into this Redis yet; run \"scalestyle ingest --to redis\"", key));
  }
  if (!is_generation_name(*id)) co_return damaged_key(key, "not the id of a generation");
  co_return core::GenerationId(std::move(*id));
}

core::Task<core::Result<ports::GenerationInfo>> RedisCatalogStore::info(core::GenerationId generation, core::Deadline deadline) {
  CORE_CO_TRY(CatalogueManifest manifest, co_await read_manifest(client_, keys_, std::move(generation), deadline));
  co_return std::move(manifest.info);
}

core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> RedisCatalogStore::load(core::GenerationId generation,
                                                                                                core::Deadline deadline) {
  const std::string key = keys_.manifest(generation);
  CORE_CO_TRY(CatalogueManifest manifest, co_await read_manifest(client_, keys_, generation, deadline));
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  auto read = co_await read_generation(client_, pool_, keys_, std::move(manifest), deadline);
  if (read || read.error().code != core::ErrorCode::kDataLoss) co_return read;
  // An ingest may have removed it meanwhile.
  CORE_CO_TRY(const auto still, co_await read_text(client_, key, deadline));
  if (!still) co_return gone(generation);
  co_return read;
}

}  // namespace scalestyle::adapters::redis
