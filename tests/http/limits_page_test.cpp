// docs/limits.md against the program: names, defaults, costs.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "http/rate_limits.hpp"
#include "http/server_options.hpp"
#include "support/source_folder.hpp"

namespace scalestyle::http {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(support::source_folder() / path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

// Cells of the rows of the table that begins with this header cell, but for the header.
std::vector<std::vector<std::string>> table(const std::string& page, const std::string& first_cell) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(page.substr(page.find("\n| " + first_cell + " |") + 1));
  std::string line;
  while (std::getline(lines, line) && line.starts_with("|")) {
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(" `");
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(" `") - begin + 1));
    }
    rows.push_back(cells);
  }
  EXPECT_GE(rows.size(), 3U) << first_cell;
  rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

// The default of a setting, as its table has it.
std::string setting_default(const std::string& name) {
  static const std::string source = text_of("apps/scalestyle/settings_table.cpp");
  const std::string opening = "(\"" + name + "\", \"";
  const std::size_t at = source.find(opening);
  if (at == std::string::npos) return "no such setting";
  const std::size_t begin = at + opening.size();
  return source.substr(begin, source.find('"', begin) - begin);
}

// Names of the members that a header declares with one of these types.
std::set<std::string> members_of(const std::string& path, const std::set<std::string>& types) {
  std::set<std::string> names;
  std::istringstream lines(text_of(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  ")) continue;
    std::istringstream words(line);
    std::string type, name;
    if (words >> type >> name && types.contains(type)) names.insert(name.substr(0, name.find_first_of("{=;")));
  }
  return names;
}

TEST(LimitsPage, HasEveryLimitOfTheServerWithItsDefault) {
  const ServerOptions options;
  const std::map<std::string, long long> defaults{
      {"max_connections", options.max_connections},
      {"max_connections_per_address", options.max_connections_per_address},
      {"max_target_bytes", options.max_target_bytes},
      {"max_header_bytes", options.max_header_bytes},
      {"max_body_bytes", options.max_body_bytes},
      {"max_large_bodies_bytes", options.max_large_bodies_bytes},
      {"max_requests_per_connection", options.max_requests_per_connection},
      {"max_handshakes", options.max_handshakes},
      {"idle_timeout", options.idle_timeout.count()},
      {"header_timeout", options.header_timeout.count()},
      {"body_timeout", options.body_timeout.count()},
      {"write_timeout", options.write_timeout.count()},
      {"answer_grace", options.answer_grace.count()},
      {"drain_timeout", options.drain_timeout.count()},
      {"handshake_timeout", options.handshake_timeout.count()},
  };
  const std::set<std::string> declared = members_of("src/http/server_options.hpp", {"std::size_t", "std::chrono::milliseconds"});
  std::set<std::string> shown;
  for (const auto& row : table(text_of("docs/limits.md"), "limit")) {
    shown.insert(row[0]);
    ASSERT_TRUE(defaults.contains(row[0])) << row[0];
    const long long value = std::atoll(row[1].c_str());
    EXPECT_EQ(value, defaults.at(row[0])) << row[0];
    if (!row[2].empty()) {
      EXPECT_EQ(setting_default(row[2]), std::to_string(value)) << row[2];
    }
  }
  EXPECT_EQ(shown, declared);
}

TEST(LimitsPage, HasTheDefaultsOfWhatOneClientMayAskFor) {
  const RateLimitOptions options;
  const std::map<std::string, double> defaults{{"rate_limit_key", options.rate(RateScope::kKey)},
                                               {"rate_limit_user", options.rate(RateScope::kUser)},
                                               {"rate_limit_address", options.rate(RateScope::kAddress)},
                                               {"rate_limit_burst_s", options.burst_seconds}};
  const auto rows = table(text_of("docs/limits.md"), "setting");
  EXPECT_EQ(rows.size(), defaults.size());
  for (const auto& row : rows) {
    ASSERT_TRUE(defaults.contains(row[0])) << row[0];
    EXPECT_EQ(std::atof(row[1].c_str()), defaults.at(row[0])) << row[0];
    EXPECT_EQ(setting_default(row[0]), row[1]);
  }
  const std::string page = text_of("docs/limits.md");
  EXPECT_NE(page.find("32,768 identities"), std::string::npos);
  EXPECT_EQ(options.max_buckets, 32'768U);
  for (const char* setting : {"trusted_proxies", "tls_certificate", "tls_key", "admin_port"}) {
    EXPECT_NE(page.find("`" + std::string(setting) + "`"), std::string::npos) << setting;
    EXPECT_NE(setting_default(setting), "no such setting");
  }
  EXPECT_EQ(setting_default("max_concurrent_requests"), "256");
  EXPECT_EQ(setting_default("max_events_in_progress"), "1024");
}

TEST(LimitsPage, HasTheCostOfEveryRoute) {
  std::map<std::string, double> costs;
  for (const auto& row : table(text_of("docs/limits.md"), "route")) {
    std::istringstream names(row[0]);
    for (std::string name; names >> name;) costs[name.substr(0, name.find(','))] = std::atof(row[1].c_str());
  }
  std::size_t routes = 0;
  for (const Route& route : route_table()) {
    const std::string name(route.operation_id);
    ASSERT_TRUE(costs.contains(name)) << name;
    EXPECT_DOUBLE_EQ(costs.at(name), base_cost(route.id)) << name;
    ++routes;
  }
  EXPECT_EQ(costs.size(), routes) << "a route that is no more";
  EXPECT_EQ(kJudgedArticleCost, 0.1);
  EXPECT_EQ(kEventCost, 0.1);
  EXPECT_EQ(kKeptListShare, 0.25);
  EXPECT_EQ(kExpectedJudged, 20U);
}

}  // namespace
}  // namespace scalestyle::http
