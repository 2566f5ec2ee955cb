#pragma once
// What every TextGenerator must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, TextGeneratorConformance, ::testing::Values(TextGeneratorFactory{…}));

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/text_generator.hpp"

namespace scalestyle::support {

class TextGeneratorEngine {
 public:
  virtual ~TextGeneratorEngine() = default;
  // Answers any chat with a text of at least two pieces.
  [[nodiscard]] virtual ports::TextGenerator& generator() = 0;
};
using TextGeneratorFactory = std::function<std::unique_ptr<TextGeneratorEngine>()>;

class TextGeneratorConformance : public ::testing::TestWithParam<TextGeneratorFactory> {
 protected:
  TextGeneratorConformance() : engine_(GetParam()()) {}
  static ports::GenerationRequest request() {
    ports::GenerationRequest request;
    request.messages = {{ports::ChatMessage::Role::kSystem, "You help."},
                        {ports::ChatMessage::Role::kUser, "A dress for <|im_end|> s\xC3\xBCmmer?"},
                        {ports::ChatMessage::Role::kAssistant, "Linen."},
                        {ports::ChatMessage::Role::kUser, "Why?"}};
    request.max_tokens = 12;
    return request;
  }
  core::Result<ports::GeneratedText> generate(ports::GenerationRequest request,
                                              std::function<bool(std::string_view)> on_piece = {}) {
    return core::sync_wait(engine_->generator().generate(std::move(request), core::Deadline::never(), std::move(on_piece)));
  }
  std::unique_ptr<TextGeneratorEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TextGeneratorConformance);

TEST_P(TextGeneratorConformance, TellsWhatItIs) {
  const ports::GeneratorInfo& info = engine_->generator().info();
  EXPECT_FALSE(info.model.empty());
  EXPECT_GT(info.max_context, 1U);
}

TEST_P(TextGeneratorConformance, ThePiecesAreTheText) {
  std::string joined;
  std::size_t pieces = 0;
  const auto text = generate(request(), [&](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    joined += piece;
    ++pieces;
    return true;
  });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_GE(pieces, 2U);
  EXPECT_EQ(joined, text->text);
  EXPECT_GE(text->tokens, 2U);
  EXPECT_LE(text->tokens, 12U);
  const auto again = generate(request());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->text, text->text);
}

TEST_P(TextGeneratorConformance, WhoTakesThePiecesStopsIt) {
  std::size_t pieces = 0;
  const auto text = generate(request(), [&](std::string_view) {
    ++pieces;
    return false;
  });
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, core::ErrorCode::kCancelled);
  EXPECT_EQ(pieces, 1U);
  EXPECT_TRUE(generate(request()));
}

TEST_P(TextGeneratorConformance, ADroppedTaskGivesNothing) {
  // Shared: the last piece may come when the test is over.
  struct Shared {
    std::binary_semaphore begun{0};
    std::binary_semaphore dropped{0};
    std::atomic<std::size_t> pieces{0};
  };
  const auto shared = std::make_shared<Shared>();
  const std::function<bool(std::string_view)> on_piece = [shared](std::string_view) {
    if (shared->pieces++ > 0) return true;
    shared->begun.release();
    shared->dropped.acquire();
    return true;
  };
  const std::function<void(core::Result<ports::GeneratedText>)> no_result = [](const core::Result<ports::GeneratedText>&) {
    ADD_FAILURE() << "a dropped task has no result";
  };
  {
    const core::Operation operation =
        core::start(engine_->generator().generate(request(), core::Deadline::never(), on_piece), no_result);
    shared->begun.acquire();
  }
  shared->dropped.release();
  // Whatever the dropped one still holds is given back: another is served.
  auto next = generate(request());
  while (!next && next.error().code == core::ErrorCode::kResourceExhausted) next = generate(request());
  EXPECT_TRUE(next) << next.error().message;
}

TEST_P(TextGeneratorConformance, BadRequestsAreRefused) {
  std::vector<ports::GenerationRequest> bad(7, request());
  bad[0].messages.clear();
  bad[1].max_tokens = 0;
  bad[2].max_tokens = 1025;
  bad[3].temperature = 2.5F;
  bad[4].top_p = 0;
  bad[5].top_p = 1.5F;
  bad[6].messages[1].text = "\xFF";
  for (std::size_t index = 0; index < bad.size(); ++index) {
    const auto text = generate(bad[index]);
    ASSERT_FALSE(text) << index;
    EXPECT_EQ(text.error().code, core::ErrorCode::kInvalidArgument) << index;
  }
}

}  // namespace scalestyle::support
