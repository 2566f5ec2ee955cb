// The files that settings name: there, readable, and where they hold a secret, for this user alone.

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "doctor_parts.hpp"

namespace scalestyle::app {

namespace {

struct NamedFile {
  std::string_view setting;  // not every version of the program has all of them
  bool is_secret = false;
};

constexpr std::array<NamedFile, 8> kFiles{{{"synonyms"},
                                           {"redis_ca_file"},
                                           {"milvus_ca_file"},
                                           {"kafka_ca_file"},
                                           {"kafka_password_file", true},
                                           {"keys_file", true},
                                           {"tls_certificate"},
                                           {"tls_key", true}}};

void add(std::string& list, std::string_view text) {
  if (!list.empty()) list += "; ";
  list += text;
}

}  // namespace

Check check_named_files(const core::Settings& settings) {
  std::string unreadable;
  std::string open_to_others;
  std::size_t count = 0;
  for (const NamedFile& file : kFiles) {
    const auto setting = settings.all().find(file.setting);
    if (setting == settings.all().end() || setting->second.text.empty()) continue;
    ++count;
    const std::string& path = setting->second.text;
    struct stat facts{};
    if (::access(path.c_str(), R_OK) != 0 || ::stat(path.c_str(), &facts) != 0) {
      add(unreadable, fmt::format("{} ({}): {}", path, file.setting, std::strerror(errno)));
    } else if (!S_ISREG(facts.st_mode)) {
      add(unreadable, fmt::format("{} ({}) is no file", path, file.setting));
    } else if (file.is_secret && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      add(open_to_others, fmt::format("{} ({})", path, file.setting));
    }
  }
  if (!unreadable.empty()) return failed("named_files", std::move(unreadable), "name a file that this user can read");
  if (!open_to_others.empty()) {
    return warned("named_files", "other users of this machine can reach " + open_to_others,
                  "chmod 600: whoever reads it can act as this server");
  }
  if (count == 0) return skipped("named_files", "no setting names one");
  return passed("named_files", fmt::format("{} that settings name can be read", count));
}

}  // namespace scalestyle::app
