#include "ingest/models/manifest.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/hash.hpp"

namespace scalestyle::ingest::models {
namespace {

const std::string kSha(64, 'a');

std::string manifest_with(const std::string& from, const std::string& to) {
  std::string text = R"({"format": 1, "models": [{"name": "m", "purpose": "p", "licence": "MIT",
    "hub": {"repository": "owner/m", "revision": "0123456789012345678901234567890123456789",
            "files": [{"name": "config.json", "size_bytes": 3, "sha256": ")" + kSha + R"("}]},
    "package": {"kind": "maven", "coordinates": "g.h:a:1",
                "archive": {"name": "a-1.jar", "size_bytes": 5, "sha256": ")" + kSha + R"("},
                "files": [{"name": "config.json", "size_bytes": 3, "sha256": ")" + kSha + R"(",
                           "recipe": "copy", "entry": "x/config.json"}]}}]})";
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ModelsManifest, BuiltInKnowsEveryModelAndPinsEveryFile) {
  const auto manifest = Manifest::built_in();
  ASSERT_TRUE(manifest) << manifest.error().message;
  std::set<std::string> names;
  std::set<std::string> defaults;
  std::set<std::string> required;
  for (const Model& model : manifest->models()) {
    names.insert(model.name);
    if (model.is_default) defaults.insert(model.name);
    if (model.is_required) required.insert(model.name);
    std::set<std::string> files;
    for (const PinnedFile& file : model.hub.files) files.insert(file.name);
    EXPECT_TRUE(files.contains("model.safetensors")) << model.name;
    EXPECT_TRUE(files.contains("config.json")) << model.name;
    EXPECT_TRUE(files.contains("tokenizer.json")) << model.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"bge-small-en-v1.5", "bge-reranker-base", "ms-marco-MiniLM-L-6-v2",
                                          "all-MiniLM-L6-v2", "clip-vit-base-patch32", "qwen2-1.5b-instruct"}));
  EXPECT_EQ(defaults, (std::set<std::string>{"bge-small-en-v1.5", "bge-reranker-base"}));
  EXPECT_EQ(required, (std::set<std::string>{"bge-small-en-v1.5"}));
}

TEST(ModelsManifest, TextsAreWhatTheirPinsSay) {
  const auto manifest = Manifest::built_in();
  int texts = 0;
  for (const Model& model : manifest.value().models()) {
    if (!model.package) continue;
    for (const PackagedFile& packaged : model.package->files) {
      if (packaged.recipe != Recipe::kText) continue;
      ++texts;
      EXPECT_EQ(packaged.text.size(), packaged.file.size_bytes);
      EXPECT_EQ(core::sha256_hex(packaged.text), packaged.file.sha256);
    }
  }
  EXPECT_EQ(texts, 1);
}

TEST(ModelsManifest, UnknownNamesGetTheNearestOne) {
  const auto manifest = Manifest::built_in();
  ASSERT_TRUE(manifest.value().find("all-MiniLM-L6-v2"));
  const auto found = manifest.value().find("bge-smal-en-v1.5");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, core::ErrorCode::kNotFound);
  EXPECT_NE(found.error().message.find("did you mean bge-small-en-v1.5?"), std::string::npos) << found.error().message;
}

TEST(ModelsManifest, MistakesAreNamedWithTheirPlace) {
  ASSERT_TRUE(Manifest::parse(manifest_with("\"p\"", "\"q\"")));
  struct Case {
    const char* from;
    const char* to;
    const char* named;
  };
  const Case cases[] = {
      {"\"format\": 1", "\"format\": 2", "'format'"},
      {"\"models\": [", "\"models\": 5, \"x\": [", "'x'"},
      {"\"purpose\": \"p\"", "\"purpos\": \"p\"", "unknown key 'purpos'"},
      {"\"licence\": \"MIT\"", "\"licence\": 5", "'licence'"},
      {"\"name\": \"m\"", "\"name\": \"../m\"", "'name'"},
      {"owner/m", "owner", "'repository'"},
      {"owner/m", "../m", "'repository'"},
      {"0123456789012345678901234567890123456789", "main", "'revision'"},
      {"\"size_bytes\": 3", "\"size_bytes\": -3", "'size_bytes'"},
      {"\"size_bytes\": 3", "\"size_bytes\": 3.5", "'size_bytes'"},
      {"\"sha256\": \"aa", "\"sha256\": \"AA", "'sha256'"},
      {"\"sha256\": \"aa", "\"sha256\": null, \"y\": \"aa", "unknown key 'y'"},
      {"\"config.json\"", "\"a/config.json\"", "'name'"},
      {"\"config.json\"", "\".config.json\"", "'name'"},
      {"\"config.json\"", "\"other.json\"", "'package'"},
      {"\"kind\": \"maven\"", "\"kind\": \"npm\"", "'kind'"},
      {"g.h:a:1", "g.h:a", "'coordinates'"},
      {"g.h:a:1", "-g:a:1", "'coordinates'"},
      {"\"recipe\": \"copy\"", "\"recipe\": \"shell\"", "'recipe'"},
      {"\"recipe\": \"copy\"", "\"recipe\": \"bert_from_onnx\"", "'entry_size_bytes'"},
      {"\"recipe\": \"copy\"", "\"recipe\": \"text\"", "'lines'"},
  };
  for (const Case& wrong : cases) {
    const auto manifest = Manifest::parse(manifest_with(wrong.from, wrong.to));
    ASSERT_FALSE(manifest) << wrong.from << " -> " << wrong.to;
    EXPECT_EQ(manifest.error().code, core::ErrorCode::kDataLoss);
    EXPECT_NE(manifest.error().message.find(wrong.named), std::string::npos) << manifest.error().message;
  }
  for (const char* text : {"", "{", "[]", "{}", "{\"format\": 1, \"models\": []}", "{\"format\": 1, \"models\": [5]}"}) {
    EXPECT_FALSE(Manifest::parse(text)) << text;
  }
}

}  // namespace
}  // namespace scalestyle::ingest::models
