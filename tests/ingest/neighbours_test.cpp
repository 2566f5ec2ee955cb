// What the transactions' customers bought together, as the ingest keeps it.

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "adapters/embedded/neighbour_file.hpp"
#include "ingest/crash_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kHeader = "t_dat,customer_id,article_id,price\n";

class NeighboursTest : public CrashFixture {
 protected:
  NeighboursTest() {
    options_.transactions = folder_ / "transactions.csv";
    options_.neighbours->shrinkage = 0;
  }

  void write_lines(const std::vector<std::string>& lines) {
    std::string text(kHeader);
    for (const std::string& line : lines) text += line;
    write_text(options_.transactions, text);
  }
  [[nodiscard]] std::filesystem::path file() const { return current_folder() / adapters::embedded::kNeighboursFile; }
  [[nodiscard]] adapters::embedded::GenerationManifest manifest() const {
    auto read = adapters::embedded::read_manifest(current_folder());
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : adapters::embedded::GenerationManifest{};
  }
};

TEST_F(NeighboursTest, OfArticlesThatTheSameCustomersBought) {
  // Rows 0 … 22. Two customers buy 3 and 8 on one day, one of them 5 a week later; nobody has 999999999 in the catalogue.
  write_lines({"2020-09-08,ann,500000003,1\n", "2020-09-08,ann,0500000008,1\n", "2020-09-15,ann,500000005,1\n",
               "2020-09-09,bob,500000008,1\n", "2020-09-09,bob,500000003,1\n", "2020-09-09,bob,999999999,1\n",
               "2020-09-01,cid,999999999,1\n", "2020-09-08,,500000001,1\n"});
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->neighbour_purchases, 5U);
  EXPECT_EQ(summary->neighbours, 6U);
  EXPECT_THAT(summary->to_text(), HasSubstr("6 neighbours of articles, from 5 purchases"));
  EXPECT_THAT(summary->to_json(), HasSubstr("\"neighbours\":6,\"neighbour_purchases\":5"));
  EXPECT_THAT(summary->notes, Contains(HasSubstr("1 transactions without a valid article, customer or day")));
  const auto facts = manifest().neighbours;
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->purchases, 5U);
  EXPECT_EQ(facts->neighbours, 6U);
  EXPECT_EQ(facts->first_day, "2020-09-08");
  EXPECT_EQ(facts->last_day, "2020-09-15");
  EXPECT_EQ(facts->options.shrinkage, 0);
  const auto neighbours = adapters::embedded::read_neighbours(file(), 23);
  ASSERT_TRUE(neighbours) << neighbours.error().message;
  const auto items_of = [&](std::uint32_t row) {
    std::vector<std::uint32_t> items;
    for (const auto& one : neighbours->of(row)) items.push_back(one.item);
    return items;
  };
  EXPECT_THAT(items_of(3), ElementsAre(8, 5));
  EXPECT_THAT(items_of(8), ElementsAre(3, 5));
  EXPECT_THAT(items_of(5), ElementsAre(3, 8));
  EXPECT_TRUE(items_of(1).empty());
}

std::vector<std::string> random_lines() {
  std::mt19937 random(4);
  std::vector<std::string> lines;
  for (int i = 0; i < 200; ++i) {
    lines.push_back(fmt::format("2020-09-{:02},c{},{},1\n", 1 + random() % 20, random() % 15, 500000000 + random() % 23));
  }
  return lines;
}

TEST_F(NeighboursTest, TheOrderOfTheTransactionsChangesNoByte) {
  auto lines = random_lines();
  write_lines(lines);
  ASSERT_TRUE(run());
  const std::string first = read_text(file());
  std::mt19937 random(5);
  std::ranges::shuffle(lines, random);
  write_lines(lines);
  ASSERT_TRUE(run());
  EXPECT_EQ(read_text(file()), first);
}

TEST_F(NeighboursTest, KilledOnTheWayTheyComeOutTheSame) {
  write_lines(random_lines());
  const auto first = run();
  ASSERT_TRUE(first) << first.error().message;
  const auto expected = current_bytes();
  ASSERT_TRUE(expected.contains(std::string(adapters::embedded::kNeighboursFile)));
  for (const std::string_view at : {"find neighbours", "assemble", "verify", "switch"}) {
    SCOPED_TRACE(at);
    start_over();
    before_step_ = [at](std::string_view step) {
      if (step == at) ::raise(SIGKILL);
    };
    const int status = run_in_child([] {});
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_whole_generation();
    before_step_ = [](std::string_view) {};
    const auto resumed = run();
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_TRUE(current_bytes() == expected);
  }
}

TEST_F(NeighboursTest, WithoutCustomersOrDaysThereAreNone) {
  const auto note_of = [this](std::string_view text) {
    write_text(options_.transactions, text);
    const auto summary = run();
    EXPECT_TRUE(summary) << summary.error().message;
    EXPECT_FALSE(manifest().neighbours);
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_EQ(summary->neighbour_purchases, 0U);
    std::string all;
    for (const std::string& note : summary->notes) all += note + "\n";
    return all;
  };
  EXPECT_THAT(note_of("t_dat,article_id\n2020-09-01,500000001\n"), HasSubstr("not known: the transactions have no column customer_id"));
  EXPECT_THAT(note_of("article_id\n500000001\n"), HasSubstr("no column customer_id and t_dat"));
  EXPECT_THAT(note_of("t_dat,customer_id,article_id\n2020-09-01,,500000001\n"), HasSubstr("no usable purchase"));
  EXPECT_THAT(note_of("t_dat,customer_id,article_id\n2020-09-01,a,999999999\n"), HasSubstr("is of an article of the catalogue"));
}

TEST_F(NeighboursTest, AreLookedForAsAsked) {
  write_lines(random_lines());
  options_.neighbours.reset();
  ASSERT_TRUE(run());
  EXPECT_FALSE(manifest().neighbours);
  options_.neighbours = ranking::NeighbourOptions{.half_life_days = -1};
  const auto wrong = run();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "neighbour_half_life_days");
  options_.neighbours = ranking::NeighbourOptions{.per_item = 2'000};
  EXPECT_EQ(run().error().field, "neighbours_per_item");
}

}  // namespace
}  // namespace scalestyle::ingest
