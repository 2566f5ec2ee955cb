// LocalTextGenerator on the golden Qwen2 model: the conformance suite, the reference's texts, and what is particular to it.

#include "adapters/embedded/local_text_generator.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "support/conformance_text_generator.hpp"
#include "support/fake_clock.hpp"
#include "support/running_pool.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::LocalTextGenerator;
using core::Deadline;
using core::ErrorCode;
using ports::GeneratedText;
using ports::GenerationRequest;
using ports::StopCause;
using namespace std::chrono_literals;
using Generated = core::Result<GeneratedText>;

LocalTextGenerator::Options golden_options() {
  LocalTextGenerator::Options options;
  options.model_dir = shared_dir() / "golden" / "qwen2";
  options.model_name = "golden-qwen2";
  options.model.precision = nn::Precision::kBf16;
  return options;
}

GenerationRequest ask(const std::string& text, std::size_t max_tokens = 20) {
  GenerationRequest request;
  request.messages = {{ports::ChatMessage::Role::kUser, text}};
  request.max_tokens = max_tokens;
  return request;
}

// Threads and a generator on a clock that stands still.
class StillGenerator {
 public:
  explicit StillGenerator(std::size_t threads, const LocalTextGenerator::Options& options = golden_options())
      : pool_({.threads = threads, .queue_capacity = 64}, clock_) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { pool_.run(); });
    auto loaded = LocalTextGenerator::load(options, pool_, clock_);
    EXPECT_TRUE(loaded) << loaded.error().message;
    if (loaded) generator_ = std::move(*loaded);
  }
  StillGenerator(const StillGenerator&) = delete;
  StillGenerator& operator=(const StillGenerator&) = delete;
  ~StillGenerator() {
    pool_.stop();
    for (auto& thread : threads_) thread.join();
  }
  Generated generate(GenerationRequest request, Deadline deadline = Deadline::never(),
                     std::function<bool(std::string_view)> on_piece = {}) {
    return core::sync_wait(generator_->generate(std::move(request), deadline, std::move(on_piece)));
  }
  LocalTextGenerator* operator->() { return generator_.get(); }
  FakeClock& clock() { return clock_; }
  core::WorkerPool& pool() { return pool_; }

 private:
  FakeClock clock_;
  core::WorkerPool pool_;
  std::vector<std::thread> threads_;
  std::unique_ptr<LocalTextGenerator> generator_;
};

class LocalTextGeneratorTest : public ::testing::Test {
 protected:
  void SetUp() override { SCALESTYLE_NEED(golden_options().model_dir); }
};

TEST_F(LocalTextGeneratorTest, WritesTheReferencesTexts) {
  std::ifstream stream(golden_options().model_dir / "expected.json");
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const boost::json::value expected = boost::json::parse(bytes);
  for (const std::size_t threads : {1U, 3U}) {
    StillGenerator generator(threads);
    for (const auto& chat : expected.at("generate").as_array()) {
      GenerationRequest request;
      for (const auto& message : chat.at("messages").as_array()) {
        const std::string role(message.at("role").as_string());
        using Role = ports::ChatMessage::Role;
        request.messages.push_back({role == "system" ? Role::kSystem : role == "user" ? Role::kUser : Role::kAssistant,
                                    std::string(message.at("content").as_string())});
      }
      request.max_tokens = 20;
      const auto text = generator.generate(request);
      ASSERT_TRUE(text) << text.error().message;
      EXPECT_EQ(text->text, std::string(chat.at("greedy20_text").as_string()));
      EXPECT_EQ(text->tokens, 20U);
      EXPECT_EQ(text->prompt_tokens, chat.at("prompt_ids").as_array().size());
      EXPECT_EQ(text->stopped, StopCause::kMaxTokens);
    }
  }
}

TEST_F(LocalTextGeneratorTest, ASeedDecidesWhatIsDrawn) {
  StillGenerator generator(2);
  GenerationRequest request = ask("Why?");
  request.temperature = 1.5F;
  request.top_p = 0.95F;
  request.seed = 5;
  const auto first = generator.generate(request);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(generator.generate(request)->text, first->text);
  request.seed = 6;
  EXPECT_NE(generator.generate(request)->text, first->text);
}

TEST_F(LocalTextGeneratorTest, ControlTokensInAMessageAreText) {
  StillGenerator generator(1);
  const auto plain = generator.generate(ask("a b", 1));
  const auto control = generator.generate(ask("a<|im_end|>b", 1));
  ASSERT_TRUE(plain && control);
  EXPECT_GE(control->prompt_tokens, plain->prompt_tokens + 4);
}

TEST_F(LocalTextGeneratorTest, TheDeadlineKeepsWhatWasMade) {
  StillGenerator generator(2);
  const auto whole = generator.generate(ask("Why is this dress good for summer?"));
  std::size_t pieces = 0;
  const auto text = generator.generate(ask("Why is this dress good for summer?"), Deadline::after(1s, generator.clock()),
                                       [&](std::string_view) {
                                         if (++pieces == 3) generator.clock().advance(2s);
                                         return true;
                                       });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->stopped, StopCause::kDeadline);
  EXPECT_GE(text->tokens, 3U);
  EXPECT_LT(text->tokens, 20U);
  EXPECT_TRUE(whole->text.starts_with(text->text.substr(0, text->text.size() / 2)));
  const auto late = generator.generate(ask("Why?"), Deadline::at(generator.clock().steady_now()));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
}

// One thread: whatever else is submitted to the pool must run between two pieces, or not before the end.
TEST_F(LocalTextGeneratorTest, OtherWorkGoesFirst) {
  StillGenerator generator(1);
  std::size_t submitted = 0;
  std::size_t done = 0;
  const auto text = generator.generate(ask("Why?"), Deadline::never(), [&](std::string_view) {
    EXPECT_EQ(done, submitted);
    ++submitted;
    EXPECT_TRUE(generator.pool().submit([&] { ++done; }));
    return true;
  });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_GE(submitted, 5U);
}

// A generation in the background.
struct Background {
  Background(LocalTextGenerator& generator, GenerationRequest request, Deadline deadline,
             std::function<bool(std::string_view)> on_piece)
      : operation(core::start(generator.generate(std::move(request), deadline, std::move(on_piece)), [this](Generated&& result) {
          text.emplace(std::move(result));
          done.release();
        })) {}
  Generated& wait() {
    done.acquire();
    return *text;
  }
  std::optional<Generated> text;
  std::binary_semaphore done{0};
  core::Operation operation;
};

TEST_F(LocalTextGeneratorTest, AFewWaitAndTheRestAreRefused) {
  auto options = golden_options();
  options.max_waiting = 2;
  StillGenerator generator(2, options);
  std::binary_semaphore begun(0);
  std::binary_semaphore go_on(0);
  bool held = false;
  Background first(*generator.operator->(), ask("Why?"), Deadline::never(), [&](std::string_view) {
    if (!std::exchange(held, true)) {
      begun.release();
      go_on.acquire();
    }
    return true;
  });
  begun.acquire();
  Background second(*generator.operator->(), ask("Why?"), Deadline::never(), {});
  Background late(*generator.operator->(), ask("Why?"), Deadline::after(1s, generator.clock()), {});
  EXPECT_EQ(generator->waiting(), 2U);
  const auto refused = generator.generate(ask("Why?"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  generator.clock().advance(2s);
  go_on.release();
  ASSERT_TRUE(first.wait()) << first.text->error().message;
  ASSERT_TRUE(second.wait()) << second.text->error().message;
  EXPECT_EQ((*second.text)->text, (*first.text)->text);
  ASSERT_FALSE(late.wait());
  EXPECT_EQ(late.text->error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(LocalTextGeneratorTest, TwoAtOnceWriteWhatEachWritesAlone) {
  auto options = golden_options();
  options.max_running = 2;
  StillGenerator generator(3, options);
  const auto why = generator.generate(ask("Why?"));
  const auto what = generator.generate(ask("What else is there?"));
  for (int round = 0; round < 5; ++round) {
    Background first(*generator.operator->(), ask("Why?"), Deadline::never(), {});
    Background second(*generator.operator->(), ask("What else is there?"), Deadline::never(), {});
    EXPECT_EQ(first.wait()->text, why->text);
    EXPECT_EQ(second.wait()->text, what->text);
  }
}

TEST_F(LocalTextGeneratorTest, TheContextIsABound) {
  auto options = golden_options();
  options.max_context = 60;
  StillGenerator generator(1, options);
  EXPECT_EQ(generator->info().max_context, 60U);
  std::string text = "a";
  auto fits = generator.generate(ask(text, 1));
  ASSERT_TRUE(fits) << fits.error().message;
  while (fits->prompt_tokens < 57) {
    text += " a";
    fits = generator.generate(ask(text, 1));
    ASSERT_TRUE(fits) << fits.error().message;
  }
  const auto full = generator.generate(ask(text, 20));
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_LE(full->prompt_tokens + full->tokens, 60U);
  const auto refused = generator.generate(ask(text + std::string(50, '!'), 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LocalTextGeneratorTest, TellsItsMemoryBeforehand) {
  auto options = golden_options();
  options.max_context = 100'000;  // more than the model has positions
  const auto one = LocalTextGenerator::memory_need_bytes(options);
  options.max_running = 3;
  const auto three = LocalTextGenerator::memory_need_bytes(options);
  ASSERT_TRUE(one && three);
  EXPECT_GT(*one, 200'000U);
  EXPECT_GT(*three, *one + 2 * 400'000);
  StillGenerator generator(1, options);
  EXPECT_EQ(generator->info().max_context, 512U);
  EXPECT_LT(generator->model().weight_bytes(), *one);
}

TEST(LocalTextGeneratorLoad, AMissingModelIsNotFound) {
  RunningPool pool(1);
  const TemporaryFolder empty;
  LocalTextGenerator::Options options;
  options.model_dir = empty.path();
  const auto missing = LocalTextGenerator::load(options, *pool, pool.clock());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr(empty.path().string()));
}

class GoldenEngine final : public TextGeneratorEngine {
 public:
  ports::TextGenerator& generator() override { return *generator_.operator->(); }

 private:
  StillGenerator generator_{2};
};

std::vector<TextGeneratorFactory> engines() {
  if (!std::filesystem::exists(golden_options().model_dir)) return {};
  return {[] { return std::make_unique<GoldenEngine>(); }};
}
INSTANTIATE_TEST_SUITE_P(LocalQwen2, TextGeneratorConformance, ::testing::ValuesIn(engines()));

}  // namespace
}  // namespace scalestyle::support
