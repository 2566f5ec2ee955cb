#include "adapters/milvus/milvus_collection.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;
using core::GenerationId;

CollectionFacts sample_facts() {
  CollectionFacts facts;
  facts.generation = GenerationId("20260301T120000Z-1a2b3c4d");
  facts.encoder = {
      .model = "some-model", .weights_hash = std::string(64, 'b'), .precision = "int8", .dimension = 384, .max_tokens = 512};
  facts.index = MilvusIndexType::kIvfFlat;
  facts.articles = 105'542;
  facts.created_ms = 1'772'366'400'123;
  facts.is_complete = true;
  return facts;
}

TEST(MilvusCollection, NamesAreLegalAndLeadBack) {
  const std::string name =
      collection_name("scalestyle_", MilvusCollectionKind::kTexts, GenerationId("20260301T120000Z-1a2b3c4d"));
  EXPECT_EQ(name, "scalestyle_text_20260301T120000Z_2d1a2b3c4d");
  std::set<std::string> names;
  for (const char* id : {"a-b", "a_b", "a.b", "a__b", "a_2db", "A-b", "../g1", "größe"}) {
    for (const auto kind : {MilvusCollectionKind::kTexts, MilvusCollectionKind::kPhotos}) {
      const std::string made = collection_name("p_", kind, GenerationId(id));
      EXPECT_TRUE(is_collection_prefix(made)) << made;
      EXPECT_TRUE(names.insert(made).second) << made;
      const auto parsed = parse_collection_name("p_", made);
      ASSERT_TRUE(parsed) << made;
      EXPECT_EQ(parsed->generation.value(), id);
      EXPECT_EQ(parsed->kind, kind);
    }
  }
}

TEST(MilvusCollection, NamesOfOthersAreLeftAlone) {
  for (const char* name : {"", "p_", "p_text_", "other_text_g1", "p_words_g1", "p_text_a_", "p_text_a_2", "p_text_a_zz",
                           "p_text_a_41", "p_text_a-b", "p_text_a_2D"}) {
    EXPECT_FALSE(parse_collection_name("p_", name)) << name;
  }
}

TEST(MilvusCollection, Prefixes) {
  for (const char* good : {"scalestyle_", "a", "_x", "Shop2_"}) EXPECT_TRUE(is_collection_prefix(good)) << good;
  for (const char* bad : {"", "2x", "a-b", "a b", "ä"}) EXPECT_FALSE(is_collection_prefix(bad)) << bad;
  EXPECT_FALSE(is_collection_prefix(std::string(65, 'a')));
}

TEST(MilvusCollection, PropertiesHoldAllFacts) {
  const CollectionFacts facts = sample_facts();
  auto properties = to_properties(facts);
  properties.emplace_back("collection.ttl.seconds", "0");  // Milvus' own
  const auto read = from_properties(properties, "c");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, facts.generation);
  EXPECT_EQ(read->encoder, facts.encoder);
  EXPECT_EQ(read->index, facts.index);
  EXPECT_EQ(read->articles, facts.articles);
  EXPECT_EQ(read->created_ms, facts.created_ms);
  EXPECT_TRUE(read->is_complete);
  EXPECT_EQ(read->metric, "IP");
  EXPECT_TRUE(check_collection(*read, facts.generation, facts.encoder, "c"));
  EXPECT_TRUE(check_collection(*read, facts.generation, {}, "c"));
}

TEST(MilvusCollection, WhatIngestDidNotMakeIsRefused) {
  const auto properties = to_properties(sample_facts());
  for (std::size_t i = 0; i < properties.size(); ++i) {
    auto without = properties;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const auto read = from_properties(without, "shop_text_g1");
    ASSERT_FALSE(read) << properties[i].first;
    EXPECT_EQ(read.error().code, ErrorCode::kFailedPrecondition);
    EXPECT_NE(read.error().message.find("shop_text_g1"), std::string::npos);
    EXPECT_NE(read.error().message.find(properties[i].first), std::string::npos);
  }
  for (auto& [key, value] : std::vector(properties)) {
    if (key != "scalestyle.dimension" && key != "scalestyle.index") continue;
    auto damaged = properties;
    for (auto& each : damaged) {
      if (each.first == key) each.second = "-x";
    }
    EXPECT_EQ(from_properties(damaged, "c").error().code, ErrorCode::kFailedPrecondition) << key;
  }
}

TEST(MilvusCollection, WhatDoesNotFitIsRefusedWithBothSides) {
  const CollectionFacts good = sample_facts();
  const auto refusal = [&](const CollectionFacts& facts, const ports::EncoderInfo& query) {
    const auto checked = check_collection(facts, good.generation, query, "shop_text_g1");
    EXPECT_FALSE(checked);
    if (checked) return std::string();
    EXPECT_EQ(checked.error().code, ErrorCode::kFailedPrecondition);
    EXPECT_NE(checked.error().message.find("shop_text_g1"), std::string::npos);
    return checked.error().message;
  };
  const auto names = [](const std::string& message, std::string_view one, std::string_view other) {
    EXPECT_NE(message.find(one), std::string::npos) << message;
    EXPECT_NE(message.find(other), std::string::npos) << message;
  };
  auto query = good.encoder;
  query.dimension = 512;
  names(refusal(good, query), "384", "512");
  query = good.encoder;
  query.model = "other-model";
  names(refusal(good, query), "some-model", "other-model");
  query = good.encoder;
  query.weights_hash = std::string(64, 'c');
  names(refusal(good, query), "bbbbbbbbbbbb", "cccccccccccc");
  auto facts = good;
  facts.metric = "L2";
  names(refusal(facts, good.encoder), "L2", "IP");
  facts = good;
  facts.schema_version = 2;
  names(refusal(facts, good.encoder), "2", "1");
  facts = good;
  facts.generation = GenerationId("g2");
  names(refusal(facts, good.encoder), "g2", good.generation.value());
  facts = good;
  facts.is_complete = false;
  names(refusal(facts, good.encoder), "not complete", "ingest");
}

}  // namespace
}  // namespace scalestyle::adapters::milvus
