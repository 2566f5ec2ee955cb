#pragma once
// What every PairScorer must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, PairScorerConformance, ::testing::Values(PairScorerFactory{…}));

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/pair_scorer.hpp"

namespace scalestyle::support {

class PairScorerEngine {
 public:
  virtual ~PairScorerEngine() = default;
  [[nodiscard]] virtual ports::PairScorer& scorer() = 0;
};
using PairScorerFactory = std::function<std::unique_ptr<PairScorerEngine>()>;

class PairScorerConformance : public ::testing::TestWithParam<PairScorerFactory> {
 protected:
  PairScorerConformance() : engine_(GetParam()()) {}
  core::Result<ports::PairScores> score(std::string query, std::vector<std::string> texts,
                                        core::Deadline deadline = core::Deadline::never()) {
    return core::sync_wait(engine_->scorer().score(std::move(query), std::move(texts), deadline));
  }
  static std::vector<std::string> different_texts(std::size_t count) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      std::string text = "shirt number " + std::to_string(i);
      for (std::size_t word = 0; word < i * 7 % 23; ++word) text += word % 2 == 0 ? " striped" : " cotton";
      texts.push_back(text);
    }
    return texts;
  }
  std::unique_ptr<PairScorerEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PairScorerConformance);

TEST_P(PairScorerConformance, TellsWhatDecidesItsScores) {
  const ports::ScorerInfo& info = engine_->scorer().info();
  EXPECT_FALSE(info.model.empty());
  EXPECT_TRUE(info.precision == "f32" || info.precision == "bf16" || info.precision == "int8") << info.precision;
  EXPECT_TRUE(info.activation == "sigmoid" || info.activation == "identity") << info.activation;
  EXPECT_GT(info.max_tokens, 4U);
}

TEST_P(PairScorerConformance, EveryTextGetsALogitAndACalibratedScore) {
  const auto scored = score("red summer dress", {"a red dress for the summer", "", "winter coat", "\xE6\x9C\x8D"});
  ASSERT_TRUE(scored) << scored.error().message;
  ASSERT_EQ(scored->scores.size(), 4U);
  EXPECT_EQ(scored->pairs_computed, 4U);
  EXPECT_GT(scored->tokens, 8U);
  for (const ports::PairScore& one : scored->scores) {
    EXPECT_TRUE(std::isfinite(one.logit));
    EXPECT_NEAR(one.score, 1 / (1 + std::exp(-one.logit)), 1e-6);
    EXPECT_GT(one.score, 0);
    EXPECT_LE(one.score, 1);
  }
}

TEST_P(PairScorerConformance, AScoreDoesNotDependOnItsBatch) {
  const std::vector<std::string> texts = different_texts(37);
  const auto together = score("striped shirt", texts);
  ASSERT_TRUE(together) << together.error().message;
  ASSERT_EQ(together->scores.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); i += 5) {
    const auto alone = score("striped shirt", {texts[i]});
    ASSERT_TRUE(alone) << alone.error().message;
    EXPECT_EQ(alone->scores.front(), together->scores[i]) << i;
  }
  const auto backwards = score("striped shirt", {texts.rbegin(), texts.rend()});
  ASSERT_TRUE(backwards) << backwards.error().message;
  EXPECT_TRUE(std::equal(together->scores.begin(), together->scores.end(), backwards->scores.rbegin()));
}

TEST_P(PairScorerConformance, EqualTextsAreScoredOnce) {
  const auto scored = score("dress", {"red dress", "coat", "red dress", "red dress", "coat"});
  ASSERT_TRUE(scored) << scored.error().message;
  ASSERT_EQ(scored->scores.size(), 5U);
  EXPECT_EQ(scored->pairs_computed, 2U);
  EXPECT_EQ(scored->scores[0], scored->scores[2]);
  EXPECT_EQ(scored->scores[0], scored->scores[3]);
  EXPECT_EQ(scored->scores[1], scored->scores[4]);
}

TEST_P(PairScorerConformance, NoTextGivesNoScore) {
  const auto scored = score("dress", {});
  ASSERT_TRUE(scored) << scored.error().message;
  EXPECT_TRUE(scored->scores.empty());
  EXPECT_EQ(scored->tokens, 0U);
}

TEST_P(PairScorerConformance, APassedDeadlineGivesAnEmptyPrefix) {
  const core::SystemClock clock;
  const auto late = score("dress", {"red dress"}, core::Deadline::at(clock.steady_now() - std::chrono::seconds(1)));
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->scores.empty());
}

TEST_P(PairScorerConformance, WhatADeadlineCutsIsAPrefix) {
  const core::SystemClock clock;
  std::vector<std::string> texts = different_texts(400);
  texts[3] = texts[0];
  const auto whole = score("striped cotton shirt", texts);
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_EQ(whole->scores.size(), texts.size());
  for (const int microseconds : {100, 1'000, 5'000, 20'000}) {
    const auto part =
        score("striped cotton shirt", texts, core::Deadline::after(std::chrono::microseconds(microseconds), clock));
    ASSERT_TRUE(part) << part.error().message;
    ASSERT_LE(part->scores.size(), texts.size());
    EXPECT_TRUE(std::equal(part->scores.begin(), part->scores.end(), whole->scores.begin())) << microseconds;
    EXPECT_LE(part->pairs_computed, part->scores.size());
  }
}

TEST_P(PairScorerConformance, LongTextsAreCutAndBadUtf8Refused) {
  std::string words;
  for (int i = 0; i < 40'000; ++i) words += "dress ";
  const auto cut = score(words, {words, "dress"});
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_LE(cut->tokens, 2 * engine_->scorer().info().max_tokens);
  for (const auto& [query, text] : {std::pair<std::string, std::string>{"fine", "\xFF\xFE"}, {"\xFF", "fine"}}) {
    const auto bad = score(query, {"fine too", text});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, core::ErrorCode::kInvalidArgument);
  }
}

TEST_P(PairScorerConformance, TellsItsRate) {
  ASSERT_TRUE(score("striped shirt", different_texts(100)));
  EXPECT_GT(engine_->scorer().tokens_per_second(), 0);
}

}  // namespace scalestyle::support
