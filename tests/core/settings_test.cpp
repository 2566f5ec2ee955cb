#include "core/settings.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace scalestyle::core {
namespace {

std::vector<SettingSpec> specs() {
  return {
      {.name = "host", .default_value = "127.0.0.1", .help = "address to bind"},
      {.name = "port", .kind = SettingKind::kInteger, .default_value = "8080", .help = "port", .minimum = 0, .maximum = 65535},
      {.name = "ratio", .kind = SettingKind::kNumber, .default_value = "0.5", .help = "share", .minimum = 0, .maximum = 1},
      {.name = "query_prefix", .kind = SettingKind::kBoolean, .default_value = "false", .help = "prefix"},
      {.name = "precision", .default_value = "int8", .help = "precision", .choices = {"f32", "int8"}},
  };
}

Result<Settings> from_file(std::string text) {
  SettingSources sources;
  sources.file_name = "shop.conf";
  sources.file_text = std::move(text);
  return Settings::resolve(specs(), sources);
}

TEST(Settings, DefaultsSayThatTheyAre) {
  const auto settings = Settings::resolve(specs(), {}).value();
  EXPECT_EQ(settings.integer("port"), 8080);
  EXPECT_EQ(settings.number("ratio"), 0.5);
  EXPECT_FALSE(settings.boolean("query_prefix"));
  EXPECT_EQ(settings.origin("port"), "default");
}

TEST(Settings, FlagBeatsEnvironmentBeatsFile) {
  SettingSources sources;
  sources.file_name = "shop.conf";
  sources.file_text = "# comment\nport = 1\nhost = \"0.0.0.0\"\r\nratio=0.25\n";
  sources.environment = {{"SCALESTYLE_PORT", "2"}, {"SCALESTYLE_RATIO", "0.75"}, {"PATH", "/bin"}};
  sources.flags = {{"port", "3"}};
  const auto settings = Settings::resolve(specs(), sources).value();
  EXPECT_EQ(settings.integer("port"), 3);
  EXPECT_EQ(settings.origin("port"), "flag --port");
  EXPECT_EQ(settings.number("ratio"), 0.75);
  EXPECT_EQ(settings.origin("ratio"), "environment SCALESTYLE_RATIO");
  EXPECT_EQ(settings.text("host"), "0.0.0.0");
  EXPECT_EQ(settings.origin("host"), "shop.conf:3");
}

TEST(Settings, APlainVariableIsWeakerThanTheSettingsOwn) {
  auto known = specs();
  known.push_back({.name = "vision", .kind = SettingKind::kBoolean, .default_value = "false", .help = "x", .plain_variable = "VISION"});
  SettingSources sources;
  sources.file_name = "shop.conf";
  sources.file_text = "vision = false\n";
  sources.environment = {{"VISION", "true"}, {"", "x"}};
  const auto plain = Settings::resolve(known, sources).value();
  EXPECT_TRUE(plain.boolean("vision"));
  EXPECT_EQ(plain.origin("vision"), "environment VISION");
  sources.environment = {{"SCALESTYLE_VISION", "false"}, {"VISION", "true"}};
  EXPECT_FALSE(Settings::resolve(known, sources).value().boolean("vision"));
  sources.environment = {{"VISION", "maybe"}};
  EXPECT_EQ(Settings::resolve(known, sources).error().message,
            "environment VISION: 'maybe' is not a valid vision; expected true or false");
}

TEST(Settings, AnUnknownNameIsAnErrorWithTheNearest) {
  const auto file = from_file("port = 1\nprot = 2\n");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "shop.conf:2: unknown setting 'prot'; did you mean 'port'?");
  SettingSources sources;
  sources.environment = {{"SCALESTYLE_HOTS", "x"}};
  const auto environment = Settings::resolve(specs(), sources);
  ASSERT_FALSE(environment);
  EXPECT_EQ(environment.error().message, "environment SCALESTYLE_HOTS: unknown setting 'hots'; did you mean 'host'?");
}

TEST(Settings, BadValuesNameWhereAndWhatIsExpected) {
  EXPECT_EQ(from_file("port = 70000").error().message,
            "shop.conf:1: '70000' is not a valid port; expected a whole number from 0 to 65535");
  EXPECT_FALSE(from_file("port = 80x"));
  EXPECT_FALSE(from_file("port ="));
  EXPECT_FALSE(from_file("ratio = nan"));
  EXPECT_FALSE(from_file("query_prefix = maybe"));
  EXPECT_EQ(from_file("precision = int4").error().field, "precision");
}

TEST(Settings, FileShapeIsChecked) {
  EXPECT_EQ(from_file("port 80").error().message, "shop.conf:1: expected 'key = value', found 'port 80'");
  EXPECT_EQ(from_file("port = 1\nport = 2").error().message, "shop.conf:2: 'port' was set in line 1 already");
}

TEST(Settings, NamesOfVariablesAndFlags) {
  EXPECT_EQ(environment_name("query_prefix"), "SCALESTYLE_QUERY_PREFIX");
  EXPECT_EQ(flag_name("query_prefix"), "--query-prefix");
}

}  // namespace
}  // namespace scalestyle::core
