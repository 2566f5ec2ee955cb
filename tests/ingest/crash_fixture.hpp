#pragma once
// An ingest that dies: in a child process, over a data folder that has a generation already.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "ingest/ingest_fixture.hpp"

namespace scalestyle::ingest {

class CrashFixture : public IngestFixture {
 protected:
  CrashFixture() {
    // What is served before: another catalogue.
    write_text(options_.articles, articles_csv(6, " before"));
    const auto before = run();
    EXPECT_TRUE(before) << before.error().message;
    before_ = before->generation;
    write_text(options_.articles, articles_csv(23));
    std::filesystem::copy(options_.data_dir, folder_ / "before", std::filesystem::copy_options::recursive);
  }

  // Back to where only the first catalogue was ingested.
  void start_over() {
    std::filesystem::remove_all(options_.data_dir);
    std::filesystem::copy(folder_ / "before", options_.data_dir, std::filesystem::copy_options::recursive);
  }

  // The files of the current generation by name, and its rejects; without the manifest, which holds names and times.
  [[nodiscard]] std::map<std::string, std::string> current_bytes() const {
    std::map<std::string, std::string> bytes;
    for (const auto& entry : std::filesystem::directory_iterator(current_folder())) {
      const std::string name = entry.path().filename().string();
      if (name != adapters::embedded::kManifestFile) bytes[name] = read_text(entry.path());
    }
    bytes["rejects"] = read_text(options_.data_dir / ("rejects-" + data().read_current()->value() + ".csv"));
    return bytes;
  }

  // Runs in a child; returns its wait status. `in_child` runs there first.
  int run_in_child(const std::function<void()>& in_child, const std::function<void(pid_t)>& in_parent = nullptr) {
    const pid_t child = ::fork();
    if (child == 0) {
      in_child();
      const auto result = run();
      ::_exit(result ? 0 : 1);
    }
    if (in_parent) in_parent(child);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  void expect_whole_generation() {
    const auto current = data().read_current();
    ASSERT_TRUE(current) << current.error().message;
    const auto manifest = adapters::embedded::read_manifest(data().generation(*current));
    ASSERT_TRUE(manifest) << manifest.error().message;
    const auto checked = adapters::embedded::check_files(data().generation(*current), *manifest, adapters::embedded::FileCheck::kHashes);
    EXPECT_TRUE(checked) << checked.error().message;
  }

  core::GenerationId before_;
};

}  // namespace scalestyle::ingest
