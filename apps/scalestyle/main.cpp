// The command line: finds the sub-command, resolves its settings, runs it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "commands.hpp"
#include "core/files.hpp"
#include "core/text_distance.hpp"
#include "settings_table.hpp"
#include "version.hpp"

namespace scalestyle::app {

int report(const core::Error& error) {
  fmt::print(stderr, "error: {}\n", error.message);
  const bool usage = error.code == core::ErrorCode::kInvalidArgument || error.code == core::ErrorCode::kNotFound;
  return usage ? kExitUsage : kExitFailure;
}

namespace {

constexpr std::size_t kLargestConfigurationBytes = 1 << 20;

// What CLI11 fills in for one sub-command.
struct ParsedCommand {
  const Command* command = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string, std::string> flags;  // stable addresses: CLI11 writes into them
  std::vector<std::string> positionals;
};

const core::SettingSpec* find_spec(const std::string& name) {
  for (const auto& spec : settings_table()) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

core::Result<core::SettingSources> read_sources(const std::string& configuration_file) {
  core::SettingSources sources;
  sources.environment = core::process_environment();
  sources.file_name = configuration_file;
  if (!configuration_file.empty()) {
    CORE_TRY(sources.file_text, core::read_text_file(configuration_file, kLargestConfigurationBytes));
  }
  return sources;
}

// The configuration file must be known before --help is printed, so it is looked for ahead of CLI11.
std::string configuration_file(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--config" && i + 1 < argc) return argv[i + 1];
    if (argument.starts_with("--config=")) return std::string(argument.substr(9));
  }
  const char* variable = std::getenv("SCALESTYLE_CONFIG");
  return variable != nullptr ? variable : "";
}

void add_flags(ParsedCommand& parsed, const std::optional<core::Settings>& effective, std::string& config_flag) {
  for (const auto& name : parsed.command->settings) {
    const auto* spec = find_spec(name);
    std::string help = spec->help;
    if (!spec->choices.empty()) help += fmt::format(" ({})", fmt::join(spec->choices, "|"));
    if (effective) {
      const auto& value = effective->text(name);
      help += value.empty() ? " [not set]" : fmt::format(" [{}; {}]", shown_value(name, value), effective->origin(name));
    }
    auto& storage = parsed.flags[name];
    if (spec->kind == core::SettingKind::kBoolean) {
      parsed.app->add_flag(core::flag_name(name), storage, help);
    } else {
      parsed.app->add_option(core::flag_name(name), storage, help)->type_name("");
    }
  }
  parsed.app->add_option("--config", config_flag, "configuration file of `key = value` lines")->type_name("");
  if (!parsed.command->positional_help.empty()) {
    parsed.app->add_option(parsed.command->positional_help, parsed.positionals);
  }
}

// What CLI11 could not place, and the nearest right name.
std::string describe_unknown(const CLI::App& app) {
  const auto unplaced = app.remaining();
  if (unplaced.empty()) return {};
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) names.push_back(option->get_name());
  for (const auto* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  const std::string unknown = unplaced.front().substr(0, unplaced.front().find('='));
  const auto nearest = core::nearest_name(unknown, names);
  return fmt::format("unknown argument '{}'{}", unknown, nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

int usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* deepest = &root;
  while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
  const std::string unknown = describe_unknown(*deepest);
  fmt::print(stderr, "error: {}\nRun with --help for usage.\n", unknown.empty() ? error.what() : unknown);
  return kExitUsage;
}

int run(int argc, char** argv) {
  CLI::App root("ScaleStyle: product search and recommendation that a shop runs itself", "scalestyle");
  root.set_version_flag("--version", std::string(kVersion));
  root.require_subcommand(1);

  const std::string file = configuration_file(argc, argv);
  auto sources = read_sources(file);
  if (!sources) return report(sources.error());
  std::optional<core::Settings> effective;
  if (auto resolved = core::Settings::resolve(settings_table(), *sources)) effective = std::move(*resolved);

  std::string config_flag;
  const std::vector<Command> commands = all_commands();
  std::vector<std::unique_ptr<ParsedCommand>> parsed_commands;
  std::map<std::string, CLI::App*> groups;
  for (const auto& command : commands) {
    CLI::App* parent = &root;
    if (command.path.size() == 2) {
      auto& group = groups[command.path[0]];
      if (group == nullptr) {
        group = root.add_subcommand(command.path[0], group_help(command.path[0]));
        group->require_subcommand(1);
      }
      parent = group;
    }
    auto parsed = std::make_unique<ParsedCommand>();
    parsed->command = &command;
    parsed->app = parent->add_subcommand(command.path.back(), command.help);
    add_flags(*parsed, effective, config_flag);
    parsed_commands.push_back(std::move(parsed));
  }

  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return root.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return usage_error(root, error);
  }

  for (const auto& parsed : parsed_commands) {
    if (!parsed->app->parsed()) continue;
    for (const auto& [name, value] : parsed->flags) {
      if (parsed->app->count(core::flag_name(name)) > 0) sources->flags[name] = value;
    }
    auto settings = core::Settings::resolve(settings_table(), *sources);
    if (!settings) return report(settings.error());
    return parsed->command->run({std::move(*settings), parsed->positionals});
  }
  return kExitUsage;
}

}  // namespace
}  // namespace scalestyle::app

int main(int argc, char** argv) { return scalestyle::app::run(argc, argv); }
