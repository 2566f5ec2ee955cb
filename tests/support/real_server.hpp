#pragma once
// RealServer: a server of another project that a test speaks to, started by a script of tests/servers/ in a temporary folder
// on ports of the loopback address that were free, and stopped with the object.
//
// A script is called as `SCRIPT start FOLDER [argument…]` and `SCRIPT stop FOLDER`. Its start prints one name=value a line
// (port=…, pid=…, ca_file=…) once the server answers, and ends with 0; with 3 and the reason on standard error where the
// server cannot be had on this machine; with anything else when it failed.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {

class RealServer {
 public:
  // `script`: "redis.sh". Errors: kNotFound (cannot be had here: skip the test with the message), kUnavailable (failed).
  [[nodiscard]] static core::Result<std::unique_ptr<RealServer>> start(const std::string& script,
                                                                       const std::vector<std::string>& arguments = {});
  ~RealServer();
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;

  // What the script printed under that name; empty when it did not.
  [[nodiscard]] std::string value(const std::string& name) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  // Runs `SCRIPT verb FOLDER argument…` (of a script that has more verbs); what it prints replaces values of the same names.
  [[nodiscard]] core::Status run(const std::string& verb, const std::vector<std::string>& arguments = {});

 private:
  explicit RealServer(std::string script) : script_(std::move(script)) {}

  std::string script_;
  TemporaryFolder folder_;
  std::map<std::string, std::string> values_;
};

}  // namespace scalestyle::support
