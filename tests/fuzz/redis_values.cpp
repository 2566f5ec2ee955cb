// What other writers may have put into our keys of Redis: values of subjects, blocks and manifests of a catalogue, changes.

#include "adapters/redis/catalog_change_codec.hpp"
#include "adapters/redis/catalogue_blocks.hpp"
#include "adapters/redis/catalogue_manifest.hpp"
#include "adapters/redis/subject_value.hpp"
#include "core/hash.hpp"
#include "fuzz/target.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::fuzz {
namespace {

namespace redis = adapters::redis;

redis::SubjectValue subject() {
  redis::SubjectValue value;
  value.version = 7;
  value.last_event_ms = 1'772'964'930'123;
  value.applied.push_back({"scalestyle.clicks", 4, 118});
  value.seen.push_back({.mark = 99, .day = 20'000});
  value.barrier = redis::LogPoint{.position = {"scalestyle.clicks", 4, 1}, .received_ms = 5};
  value.merged = redis::MergedInto{.user_id = "u", .point = {}};
  return value;
}

std::string articles_block() {
  catalog::CatalogBuilder builder;
  for (const char* id : {"0108775015", "0108775044"}) require(builder.add(support::sample_article(id)).has_value());
  const auto catalog = std::move(builder).build();
  require(catalog.has_value());
  return redis::pack_articles(*catalog, 0, 2);
}

void check(std::string_view bytes) {
  if (const auto value = redis::decode_subject(bytes)) {
    const auto again = redis::decode_subject(redis::encode(*value));
    require(again && *again == *value);
  }
  static_cast<void>(redis::unpack_articles(bytes, "block", 2,
                                           [](const catalog::Article&) { return core::Status(); }).has_value());
  redis::UnpackedNeighbours neighbours;
  static_cast<void>(redis::unpack_neighbours(bytes, "block", 2, neighbours).has_value());
  const auto line = bytes.find('\n');
  const auto body = line == std::string_view::npos ? bytes : bytes.substr(line + 1);
  if (const auto manifest = redis::CatalogueManifest::parse(core::sha256_hex(body) + "\n" + std::string(body), "key")) {
    require(redis::CatalogueManifest::parse(manifest->to_text(), "key").has_value());
  }
  static_cast<void>(redis::unpack_change(bytes, "key").has_value());
  static_cast<void>(redis::unpack_vector("0108775015", bytes, support::sample_info("g").document_encoder, "key").has_value());
}

}  // namespace

std::vector<std::string> seeds() {
  redis::CatalogueManifest manifest{.info = support::sample_info("g-1"), .numbering = 3, .blocks = {std::string(64, 'a')}};
  manifest.info.articles = 2;
  return {redis::encode(subject()), articles_block(), manifest.to_text(), "1 1772964930123 1 1 0108775015 {\"price\":1.5}",
          std::string()};
}

std::vector<std::string> words() { return {"{", "}", "\"", "null", "\n", " ", std::string(8, '\0'), std::string(4, '\xff')}; }

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scalestyle::fuzz::check(scalestyle::fuzz::text_of(data, size));
  return 0;
}
