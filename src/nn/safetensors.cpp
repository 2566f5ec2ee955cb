#include "nn/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "core/hash.hpp"

namespace scalestyle::nn {

namespace json = boost::json;

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian and are used in place");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own bound
constexpr std::size_t kMaxDimensions = 8;

struct TypeInfo {
  std::string_view name;
  std::size_t bytes;
};
// In the order of TensorType.
constexpr std::array<TypeInfo, 13> kTypes = {{{"BOOL", 1},
                                              {"U8", 1},
                                              {"I8", 1},
                                              {"I16", 2},
                                              {"U16", 2},
                                              {"F16", 2},
                                              {"BF16", 2},
                                              {"I32", 4},
                                              {"U32", 4},
                                              {"F32", 4},
                                              {"F64", 8},
                                              {"I64", 8},
                                              {"U64", 8}}};

std::optional<TensorType> parse_type(std::string_view name) {
  for (std::size_t index = 0; index < kTypes.size(); ++index) {
    if (kTypes[index].name == name) return static_cast<TensorType>(index);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> as_unsigned(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

// Bytes of a tensor of this shape; nothing when they do not fit 64 bits.
std::optional<std::uint64_t> byte_count(std::span<const std::uint64_t> shape, std::size_t element_bytes) {
  std::uint64_t total = element_bytes;
  for (const std::uint64_t size : shape) {
    if (size != 0 && total > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
    total *= size;
  }
  return total;
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float from_half(std::uint16_t half) {
  const auto exponent = static_cast<int>((half >> 10U) & 0x1FU);
  const auto mantissa = static_cast<float>(half & 0x3FFU);
  float magnitude = 0;
  if (exponent == 0) {
    magnitude = std::ldexp(mantissa, -24);
  } else if (exponent == 31) {
    magnitude = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    magnitude = std::ldexp(1024.0F + mantissa, exponent - 25);
  }
  return (half & 0x8000U) != 0 ? -magnitude : magnitude;
}

float element(TensorType type, const std::byte* at) {
  switch (type) {
    case TensorType::kF32: return load<float>(at);
    case TensorType::kF64: return static_cast<float>(load<double>(at));
    case TensorType::kBf16: return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(at)} << 16U);
    default: return from_half(load<std::uint16_t>(at));
  }
}

struct ParsedTensor {
  TensorView view;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// One header entry against a data section of `data_bytes`; an error is a phrase that follows the tensor's name.
std::expected<ParsedTensor, std::string> parse_entry(const json::value& value, std::uint64_t data_bytes) {
  const json::object* entry = value.if_object();
  if (entry == nullptr) return std::unexpected("is not described by an object");
  const json::value* type_name = entry->if_contains("dtype");
  const json::value* shape = entry->if_contains("shape");
  const json::value* offsets = entry->if_contains("data_offsets");
  if (type_name == nullptr || !type_name->is_string()) return std::unexpected("has no dtype");
  if (shape == nullptr || !shape->is_array()) return std::unexpected("has no shape");
  if (offsets == nullptr || !offsets->is_array() || offsets->get_array().size() != 2) {
    return std::unexpected("has no pair of data_offsets");
  }
  ParsedTensor tensor;
  const std::optional<TensorType> type = parse_type(type_name->get_string());
  if (!type) {
    return std::unexpected(fmt::format("has the unknown dtype \"{}\"", std::string_view(type_name->get_string()).substr(0, 40)));
  }
  tensor.view.type = *type;
  if (shape->get_array().size() > kMaxDimensions) return std::unexpected("has too many dimensions");
  for (const json::value& size : shape->get_array()) {
    const std::optional<std::uint64_t> number = as_unsigned(size);
    if (!number) return std::unexpected("has a shape that is not of whole numbers from 0 up");
    tensor.view.shape.push_back(*number);
  }
  const std::optional<std::uint64_t> begin = as_unsigned(offsets->get_array()[0]);
  const std::optional<std::uint64_t> end = as_unsigned(offsets->get_array()[1]);
  if (!begin || !end || *begin > *end || *end > data_bytes) {
    return std::unexpected(fmt::format("has data_offsets outside the file's {} bytes of data", data_bytes));
  }
  const std::optional<std::uint64_t> needed = byte_count(tensor.view.shape, size_bytes(*type));
  if (!needed || *needed != *end - *begin) {
    return std::unexpected(fmt::format("has {} bytes of data, which do not match its shape [{}] and dtype {}", *end - *begin,
                                       fmt::join(tensor.view.shape, ", "), to_string(*type)));
  }
  tensor.begin = *begin;
  tensor.end = *end;
  return tensor;
}

}  // namespace

std::string_view to_string(TensorType type) { return kTypes[static_cast<std::size_t>(type)].name; }
std::size_t size_bytes(TensorType type) { return kTypes[static_cast<std::size_t>(type)].bytes; }

bool is_floating_point(TensorType type) {
  return type == TensorType::kF16 || type == TensorType::kBf16 || type == TensorType::kF32 || type == TensorType::kF64;
}

void read_elements(const TensorView& tensor, std::size_t first, std::span<float> out) {
  const std::size_t step = size_bytes(tensor.type);
  const std::byte* at = tensor.bytes.data() + first * step;
  for (float& value : out) {
    value = element(tensor.type, at);
    at += step;
  }
}

std::unexpected<core::Error> SafetensorsFile::damaged(std::string_view what) const {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; fetch the model again", path_.string(), what));
}

core::Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  CORE_TRY(core::MappedFile mapped, core::MappedFile::open(path));
  SafetensorsFile file(path, std::move(mapped));
  CORE_CHECK(file.parse());
  return file;
}

core::Status SafetensorsFile::parse() {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < kLengthBytes) return damaged(fmt::format("{} bytes are too few for a safetensors file", bytes.size()));
  const auto header_bytes = load<std::uint64_t>(bytes.data());
  if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - kLengthBytes) {
    return damaged(fmt::format("the header claims {} bytes, the file has {}", header_bytes, bytes.size()));
  }
  const std::string_view text = file_.text().substr(kLengthBytes, static_cast<std::size_t>(header_bytes));
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + static_cast<std::size_t>(header_bytes));
  boost::system::error_code error;
  json::stream_parser parser;
  parser.write(text, error);
  if (!error) parser.finish(error);
  if (error) return damaged("the header is not JSON: " + error.message());
  const json::value header = parser.release();
  if (!header.is_object()) return damaged("the header is not a JSON object");

  struct Extent {
    std::uint64_t begin;
    std::uint64_t end;
    std::string_view name;
  };
  std::vector<Extent> extents;
  for (const auto& member : header.get_object()) {
    const std::string_view name = member.key();
    if (name == "__metadata__") continue;
    auto entry = parse_entry(member.value(), data.size());
    if (!entry) return damaged(fmt::format("tensor \"{}\" {}", name.substr(0, 200), entry.error()));
    entry->view.bytes = data.subspan(static_cast<std::size_t>(entry->begin), static_cast<std::size_t>(entry->end - entry->begin));
    extents.push_back({entry->begin, entry->end, name});
    tensors_.emplace(name, std::move(entry->view));
  }
  // The format leaves no byte unused and none used twice; a name given twice leaves its first bytes without an owner.
  std::ranges::sort(extents, {}, [](const Extent& extent) { return std::pair(extent.begin, extent.end); });
  std::uint64_t position = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < position) return damaged(fmt::format("tensor \"{}\" overlaps another one", extent.name.substr(0, 200)));
    if (extent.begin > position) {
      return damaged(fmt::format("{} bytes before tensor \"{}\" belong to no tensor (is a name given twice?)",
                                 extent.begin - position, extent.name.substr(0, 200)));
    }
    position = extent.end;
  }
  if (position != data.size()) return damaged(fmt::format("the last {} bytes belong to no tensor", data.size() - position));
  return {};
}

core::Result<const TensorView*> SafetensorsFile::find(std::string_view name, std::span<const std::uint64_t> shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return damaged(fmt::format("there is no tensor \"{}\"", name));
  if (!std::ranges::equal(found->second.shape, shape)) {
    return damaged(fmt::format("tensor \"{}\" has the shape [{}], config.json asks for [{}]", name,
                               fmt::join(found->second.shape, ", "), fmt::join(shape, ", ")));
  }
  return &found->second;
}

core::Result<std::span<const float>> SafetensorsFile::view_f32(std::string_view name,
                                                               std::span<const std::uint64_t> shape) const {
  CORE_TRY(const TensorView* const tensor, find(name, shape));
  const void* const address = tensor->bytes.data();
  if (tensor->type != TensorType::kF32) {
    return damaged(fmt::format("tensor \"{}\" is {}, F32 is needed", name, to_string(tensor->type)));
  }
  if (std::bit_cast<std::uintptr_t>(address) % alignof(float) != 0) {
    return damaged(fmt::format("tensor \"{}\" is not aligned to 4 bytes", name));
  }
  return std::span(static_cast<const float*>(address), tensor->bytes.size() / sizeof(float));
}

core::Result<std::vector<float>> SafetensorsFile::read_f32(std::string_view name,
                                                           std::span<const std::uint64_t> shape) const {
  CORE_TRY(const TensorView* const tensor, find(name, shape));
  if (!is_floating_point(tensor->type)) {
    return damaged(fmt::format("tensor \"{}\" is {}, a floating-point type is needed", name, to_string(tensor->type)));
  }
  std::vector<float> values(tensor->bytes.size() / size_bytes(tensor->type));
  read_elements(*tensor, 0, values);
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    return damaged(fmt::format("tensor \"{}\" has a value that is not finite", name));
  }
  return values;
}

std::string SafetensorsFile::sha256() const {
  core::Sha256 hash;
  hash.update(file_.bytes());
  return core::to_hex(hash.finish());
}

}  // namespace scalestyle::nn
