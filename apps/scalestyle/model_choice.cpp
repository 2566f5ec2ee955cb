#include "model_choice.hpp"

#include <fmt/format.h>

#include <fstream>
#include <limits>

#include "ingest/models/model_store.hpp"

namespace scalestyle::app {

namespace {

constexpr std::uint64_t kWorkingBytes = 100'000'000;
constexpr std::uint64_t kBytesPerMegabyte = 1'000'000;

unsigned bits_of(nn::Precision precision) {
  switch (precision) {
    case nn::Precision::kF32: return 32;
    case nn::Precision::kBf16: return 16;
    case nn::Precision::kInt8: return 8;
  }
  return 32;
}

}  // namespace

core::Result<ChosenModel> choose_model(const core::Settings& settings, std::string_view setting, const std::string& model) {
  if (model.find('/') != std::string::npos) {
    const auto name = (std::filesystem::path(model) / "").lexically_normal().parent_path().filename();
    return ChosenModel{.name = name.string(), .folder = model, .weights_sha256 = {}};
  }
  auto installed = ingest::models::open_model(settings.text("models"), model);
  if (!installed) {
    installed.error().field = setting;
    return std::unexpected(std::move(installed).error());
  }
  return ChosenModel{.name = model, .folder = installed->folder, .weights_sha256 = installed->weights_sha256};
}

std::uint64_t memory_need(std::uint64_t weights_bytes, unsigned stored_bits, nn::Precision precision) {
  return weights_bytes * bits_of(precision) / stored_bits + kWorkingBytes;
}

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kibibytes = 0;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

core::Status check_memory(std::string_view setting, std::string_view model, std::uint64_t need) {
  const std::uint64_t available = available_memory();
  if (available == 0 || need <= available) return {};
  return core::fail(core::ErrorCode::kResourceExhausted,
                    fmt::format("model {} needs about {} MB of memory, this machine has {} MB left: a narrower precision needs "
                                "less, {}=false goes without it",
                                model, need / kBytesPerMegabyte, available / kBytesPerMegabyte, setting),
                    std::string(setting));
}

}  // namespace scalestyle::app
