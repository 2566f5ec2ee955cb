#include "text/qwen2_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/temporary_folder.hpp"
#include "text/json_text.hpp"

namespace scalestyle::text {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

const std::string kAdded =
    R"({"7":{"content":"<|im_end|>","special":true},"5":{"content":"<|endoftext|>","special":true},)"
    R"("6":{"content":"<|im_start|>","special":true},"8":{"content":"<tool>","special":false}})";

// As Qwen2-1.5B-Instruct has it: line breaks stand in the template's literals as they are.
const std::string kTemplate =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

std::string config_json(const std::string& added, const std::string& chat_template, const std::string& kind = "Qwen2Tokenizer") {
  std::string json = R"({"tokenizer_class":")" + kind + R"(","added_tokens_decoder":)" + added + R"(,"chat_template":)";
  append_json_text(chat_template, json);
  return json + "}";
}

void expect_error(const std::string& bytes, ErrorCode code, const std::string& part) {
  const auto result = parse_qwen2_config(bytes, "model/file");
  ASSERT_FALSE(result.has_value()) << part;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(part));
  EXPECT_THAT(result.error().message, HasSubstr("model/file"));
}

std::string default_system(const std::string& chat_template) {
  const auto config = parse_qwen2_config(config_json(kAdded, chat_template), "file");
  return config ? config->default_system : config.error().message;
}

TEST(Qwen2Config, ReadsTokensAndSystemMessage) {
  const auto config = parse_qwen2_config(config_json(kAdded, kTemplate), "file");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->end_of_text, 5);
  EXPECT_EQ(config->message_start, 6);
  EXPECT_EQ(config->message_end, 7);
  ASSERT_EQ(config->added.size(), 4U);
  EXPECT_EQ(config->added[3].text, "<tool>");
  EXPECT_FALSE(config->added[3].control);
  EXPECT_EQ(config->default_system, "You are a helpful assistant.");
}

TEST(Qwen2Config, TheSystemMessageIsTheTemplates) {
  const std::string end = "{{- '<|im_start|>assistant\\n' }}";
  EXPECT_EQ(default_system("{{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}" + end), "Be brief.");
  EXPECT_EQ(default_system("{{- \"<|im_start|>system\\nDon\\'t\\n\\\\lie.<|im_end|>\\n\" }}" + end), "Don't\n\\lie.");
  // The branch for a message of the chat, and one for tools, are not whole messages.
  EXPECT_EQ(default_system("{{- '<|im_start|>system\\n' }}{{- 'Tools.' }}{{- '<|im_start|>system\\n' + messages[0]['content'] + "
                           "'<|im_end|>\\n' }}{{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' }}" + end),
            "Be brief.");
}

TEST(Qwen2Config, RefusesOtherTemplates) {
  const auto refused = [](const std::string& chat_template, const std::string& part) {
    expect_error(config_json(kAdded, chat_template), ErrorCode::kUnsupported, part);
  };
  const std::string end = "{{ '<|im_start|>assistant\n' }}";
  refused("", "chat_template is not ChatML");
  refused("[INST] {{ messages[0].content }} [/INST]", "chat_template is not ChatML");
  refused("{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}", "chat_template is not ChatML");  // nobody is asked to answer
  refused(end, "chat_template is not ChatML");
  refused("{{ '<|im_start|>system\nBe \\x brief.<|im_end|>\n' }}" + end, "chat_template is not ChatML");
  refused("{{ '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>system\nBe long.<|im_end|>\n' }}" + end,
          "two system messages");
  refused(std::string(100'000, 'x'), "chat_template has 100000 bytes");
}

TEST(Qwen2Config, RefusesDamagedFilesByNameAndKey) {
  expect_error("", ErrorCode::kDataLoss, "not JSON");
  expect_error("[]", ErrorCode::kDataLoss, "not a JSON object");
  expect_error("{}", ErrorCode::kDataLoss, "\"tokenizer_class\"");
  expect_error(config_json(kAdded, kTemplate, "LlamaTokenizer"), ErrorCode::kUnsupported, "tokenizer_class is LlamaTokenizer");
  expect_error(R"({"tokenizer_class":"Qwen2Tokenizer"})", ErrorCode::kDataLoss, "\"added_tokens_decoder\"");
  expect_error(R"({"tokenizer_class":"Qwen2Tokenizer","added_tokens_decoder":)" + kAdded + "}", ErrorCode::kDataLoss,
               "\"chat_template\"");
  const auto added = [](const std::string& tokens, const std::string& part) {
    expect_error(config_json("{" + tokens + "}", kTemplate), ErrorCode::kDataLoss, part);
  };
  for (const std::string id : {"x", "", "-1", "1000000", "7 ", "99999999999999999999"}) {
    added("\"" + id + R"(":{"content":"a","special":true})", "added_tokens_decoder." + id + " is no id");
  }
  added(R"("7":3)", "added_tokens_decoder.7 is not an object");
  added(R"("7":{"special":true})", "added_tokens_decoder.7: there is no string \"content\"");
  added(R"("7":{"content":"","special":true})", "added_tokens_decoder.7: content of 0 bytes");
  added(R"("7":{"content":"a"})", "added_tokens_decoder.7: there is no \"special\"");
  added(R"("7":{"content":"a","special":true},"8":{"content":"a","special":true})", "that of another token too");
  added(R"("7":{"content":"a","special":true},"07":{"content":"b","special":true})", "that of another token too");
  added(R"("5":{"content":"<|endoftext|>","special":true})", "no special token <|im_start|>");
  added(R"("5":{"content":"<|endoftext|>","special":false})", "no special token <|endoftext|>");
}

TEST(Qwen2Config, MissingFile) {
  const support::TemporaryFolder folder;
  const auto result = read_qwen2_config(folder / "tokenizer_config.json");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().message, HasSubstr("tokenizer_config.json"));
}

}  // namespace
}  // namespace scalestyle::text
