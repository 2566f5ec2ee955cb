// API keys: what is kept of them, what is accepted, and the file that is followed.

#include "http/api_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "core/files.hpp"
#include "http/key_file.hpp"
#include "support/compute_threads.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::http {
namespace {

constexpr events::EpochMs kNow = 1'772'366'400'000;

NewKey made(KeyWish wish = {.scopes = {Scope::kSearch}}) { return make_key(wish, kNow).value(); }

KeySet set_of(const ApiKey& key) {
  KeySet set;
  EXPECT_TRUE(set.add(key));
  return set;
}

TEST(Scopes, AreReadAndWritten) {
  EXPECT_EQ(parse_scopes("users, search", "s").value(), (ScopeSet{Scope::kSearch, Scope::kUsers}));
  EXPECT_EQ(to_text(ScopeSet{Scope::kAdmin, Scope::kEvents}), "events admin");
  for (const char* wrong : {"", " , ", "serch", "search,search", "search;users"}) {
    const auto read = parse_scopes(wrong, "s");
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().field, "s");
  }
  EXPECT_FALSE((ScopeSet{Scope::kSearch}).meets({Scope::kUsers, Scope::kAdmin}));
  EXPECT_TRUE((ScopeSet{Scope::kUsers}).meets({Scope::kUsers, Scope::kAdmin}));
}

TEST(ApiKeys, AreAcceptedWholeAndAsTheyWereMadeOnly) {
  const NewKey key = made();
  const KeySet set = set_of(key.key);
  const auto found = set.admit(key.text, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->id, key.key.id);
  std::string flipped = key.text;
  flipped.back() = flipped.back() == '0' ? '1' : '0';
  std::string other_id = key.text;
  other_id[11] = other_id[11] == '0' ? '1' : '0';
  for (const std::string& wrong : {flipped, other_id, key.text + "0", key.text.substr(1), key.text.substr(0, key.text.size() - 1),
                                   std::string(), key.key.hash, key.key.id, made().text}) {
    const auto refused = set.admit(wrong, kNow);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error(), KeyFault::kUnknown);
  }
  EXPECT_FALSE(KeySet().admit(key.text, kNow));
}

TEST(ApiKeys, AreDifferentAndKeptAsHashesOnly) {
  const NewKey one = made();
  const NewKey two = made();
  EXPECT_NE(one.text, two.text);
  EXPECT_NE(one.key.salt, two.key.salt);
  const std::string file = set_of(one.key).format();
  const std::string secret = one.text.substr(one.text.rfind('_') + 1);
  EXPECT_EQ(secret.size(), 64U);
  EXPECT_EQ(file.find(secret), std::string::npos);
  EXPECT_NE(file.find(one.key.hash), std::string::npos);
}

TEST(ApiKeys, EndWithTheirTimeAndWhenTheyAreRevoked) {
  NewKey key = made({.scopes = {Scope::kSearch}, .expires_ms = kNow + 1'000});
  EXPECT_TRUE(set_of(key.key).admit(key.text, kNow + 999));
  EXPECT_EQ(set_of(key.key).admit(key.text, kNow + 1'000).error(), KeyFault::kExpired);
  key.key.disabled = true;
  EXPECT_EQ(set_of(key.key).admit(key.text, kNow).error(), KeyFault::kDisabled);
  std::string guessed = key.text;
  guessed.back() = guessed.back() == '0' ? '1' : '0';
  EXPECT_EQ(set_of(key.key).admit(guessed, kNow).error(), KeyFault::kUnknown) << "only who has the secret is told more";
}

TEST(ApiKeys, WhatEverybodyCanReadIsNoAdmin) {
  EXPECT_FALSE(make_key({.kind = KeyKind::kBrowser, .scopes = {Scope::kAdmin}}, kNow));
  EXPECT_FALSE(make_key({.scopes = {}}, kNow));
  EXPECT_TRUE(make_key({.kind = KeyKind::kBrowser, .scopes = {Scope::kSearch, Scope::kEvents, Scope::kUsers}}, kNow));
}

TEST(KeySet, IsReadAsItWasWritten) {
  KeySet set;
  for (int i = 0; i < 20; ++i) {
    const bool odd = i % 2 == 1;
    NewKey key = made({.kind = odd ? KeyKind::kBrowser : KeyKind::kServer, .scopes = {Scope::kSearch, Scope::kUsers}, .note = "a \"note\"\n\t\xC3\xA9"});
    if (odd) key.key.expires_ms = kNow + 86'400'000;
    key.key.disabled = i % 3 == 0;
    ASSERT_TRUE(set.add(key.key));
  }
  const std::string text = set.format();
  const auto read = KeySet::parse("\n" + text + "  \r\n", "keys");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->format(), text);
  EXPECT_EQ(std::ranges::count(text, '\n'), 20) << "a note cannot begin a line";
}

TEST(KeySet, FaultsAreNamedByTheirPlaceAndShowNoHash) {
  const ApiKey key = made().key;
  const std::string line = set_of(key).format();
  const auto fault = [&](const std::string& from, const std::string& to) {
    std::string wrong = line;
    wrong.replace(wrong.find(from), from.size(), to);
    const auto read = KeySet::parse("\n" + wrong, "keys.jsonl");
    EXPECT_FALSE(read) << wrong;
    if (read) return std::string();
    EXPECT_TRUE(read.error().message.starts_with("keys.jsonl:2: ")) << read.error().message;
    EXPECT_EQ(read.error().message.find(key.hash.substr(0, 16)), std::string::npos) << read.error().message;
    return read.error().field;
  };
  EXPECT_EQ(fault("\"kind\":\"server\"", "\"kind\":\"pupil\""), "kind");
  EXPECT_EQ(fault("\"scopes\":\"search\"", "\"scopes\":\"everything\""), "scopes");
  EXPECT_EQ(fault("\"created\":\"", "\"created\":\"x"), "created");
  EXPECT_EQ(fault(key.hash, std::string(64, 'G')), "hash");
  EXPECT_EQ(fault(key.hash, key.hash.substr(1)), "hash");
  EXPECT_EQ(fault("\"id\":", "\"idd\":"), "idd");
  EXPECT_FALSE(KeySet::parse(line + line, "keys")) << "one id twice";
  EXPECT_FALSE(KeySet::parse("not json\n", "keys"));
  EXPECT_FALSE(KeySet::parse(std::string(10'000, ' ') + "x\n", "keys"));
}

TEST(KeyFile, IsFollowedAndADamagedOneChangesNothing) {
  const support::TemporaryFolder folder;
  const auto path = folder / "keys.jsonl";
  EXPECT_FALSE(KeyFile::open(path)) << "a missing file is no empty one";
  const NewKey first = made();
  const NewKey second = made();
  ASSERT_TRUE(core::write_file_atomically(path, set_of(first.key).format()));
  const auto file = KeyFile::open(path).value();
  EXPECT_TRUE(file->current()->admit(first.text, kNow));
  ASSERT_TRUE(core::write_file_atomically(path, "{\"id\":\n"));
  EXPECT_FALSE(file->follow());
  EXPECT_FALSE(file->last_error().empty());
  EXPECT_TRUE(file->current()->admit(first.text, kNow));
  ASSERT_TRUE(core::write_file_atomically(path, set_of(second.key).format() + "\n"));
  EXPECT_TRUE(file->follow().value());
  EXPECT_FALSE(file->current()->admit(first.text, kNow));
  EXPECT_TRUE(file->current()->admit(second.text, kNow));
}

TEST(KeyFollower, TakesANewFileByItself) {
  const support::TemporaryFolder folder;
  const auto path = folder / "keys.jsonl";
  const NewKey first = made();
  const NewKey second = made();
  ASSERT_TRUE(core::write_file_atomically(path, set_of(first.key).format()));
  const auto file = KeyFile::open(path).value();
  support::ComputeThreads compute;
  telemetry::Logger log({telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, compute.clock());
  KeyFollower follower({.file = *file, .timers = compute.timers(), .pool = compute.pool(), .clock = compute.clock(), .log = log},
                       std::chrono::milliseconds(5));
  follower.start();
  ASSERT_TRUE(core::write_file_atomically(path, "damaged"));
  while (file->last_error().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(file->current()->admit(first.text, kNow));
  ASSERT_TRUE(core::write_file_atomically(path, set_of(second.key).format() + "\n"));
  while (!file->current()->admit(second.text, kNow)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  follower.stop();
  compute.stop();
}

}  // namespace
}  // namespace scalestyle::http
