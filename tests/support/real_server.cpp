#include "support/real_server.hpp"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include "support/source_folder.hpp"

namespace scalestyle::support {

namespace {

constexpr int kCannotBeHad = 3;

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

core::Result<std::unique_ptr<RealServer>> RealServer::start(const std::string& script, const std::vector<std::string>& arguments) {
  std::unique_ptr<RealServer> server(new RealServer(script));
  CORE_CHECK(server->run("start", arguments));
  return server;
}

RealServer::~RealServer() {
  if (const auto stopped = run("stop"); !stopped) std::fprintf(stderr, "%s\n", stopped.error().message.c_str());
}

std::string RealServer::value(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second;
}

core::Status RealServer::run(const std::string& verb, const std::vector<std::string>& arguments) {
  const auto errors = folder() / ("errors-" + verb);
  std::string command = quoted((source_folder() / "tests/servers" / script_).string()) + " " + verb + " " + quoted(folder().string());
  for (const auto& argument : arguments) command += " " + quoted(argument);
  command += " 2>" + quoted(errors.string()) + " </dev/null";
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return core::fail(core::ErrorCode::kInternal, "cannot run " + command);
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), got);
  const int ended = ::pclose(pipe);
  const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  if (code != 0) {
    return core::fail(code == kCannotBeHad ? core::ErrorCode::kNotFound : core::ErrorCode::kUnavailable,
                      script_ + " " + verb + " ended with " + std::to_string(code) + ": " + contents(errors));
  }
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (const auto equals = line.find('='); equals != std::string::npos) values_[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return {};
}

}  // namespace scalestyle::support
