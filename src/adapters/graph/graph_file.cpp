#include "adapters/graph/graph_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

#include "core/files.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::graph {

namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and mapped as it is");

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kMagic = "SSGRAPH1";
constexpr std::size_t kSectionAlignment = 64;
constexpr std::uint32_t kMaxLevels = 64;

// The first 128 bytes; docs/formats/graph.md.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t dimension;
  std::uint64_t rows;
  std::uint64_t payload_bytes;
  std::uint32_t payload_crc32;
  std::uint32_t header_crc32;  // of the header with this field 0
  std::uint32_t nodes;
  std::uint32_t neighbours;
  std::uint32_t construction;
  std::uint32_t entry;
  std::uint32_t top_level;
  std::uint32_t upper_nodes;
  std::uint64_t upper_list_bytes;  // of all of them
  std::uint8_t reserved[56];       // 0
};
static_assert(sizeof(Header) == 2 * kSectionAlignment);

using Sections = std::array<std::span<const std::byte>, 5>;

Sections sections_of(const GraphParts& parts) {
  return {parts.base, std::as_bytes(parts.upper), parts.upper_lists, std::as_bytes(parts.first), std::as_bytes(parts.members)};
}

std::size_t padding_of(std::size_t bytes) { return (kSectionAlignment - bytes % kSectionAlignment) % kSectionAlignment; }

uLong add_crc(uLong crc, std::span<const std::byte> bytes) {
  return crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

std::uint32_t header_checksum(Header header) {
  header.header_crc32 = 0;
  return static_cast<std::uint32_t>(add_crc(crc32_z(0, nullptr, 0), std::as_bytes(std::span(&header, 1))));
}

std::unexpected<core::Error> damaged(std::string_view name, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; the file is damaged, ingest again", name, what));
}

std::uint32_t number_at(const std::byte* place) {
  std::uint32_t value = 0;
  std::memcpy(&value, place, sizeof value);
  return value;
}

Header header_of(const GraphParts& parts) {
  Header header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.version = kFormatVersion;
  header.dimension = parts.shape.dimension;
  header.rows = parts.shape.rows;
  header.nodes = parts.shape.nodes;
  header.neighbours = parts.shape.neighbours;
  header.construction = parts.shape.construction;
  header.entry = parts.shape.entry;
  header.top_level = parts.shape.top_level;
  header.upper_nodes = parts.shape.upper_nodes;
  header.upper_list_bytes = parts.upper_lists.size();
  uLong crc = crc32_z(0, nullptr, 0);
  const std::array<std::byte, kSectionAlignment> zeros{};
  for (const auto section : sections_of(parts)) {
    if (section.empty()) continue;
    const std::size_t padding = padding_of(section.size());
    crc = add_crc(add_crc(crc, section), std::span(zeros).first(padding));
    header.payload_bytes += section.size() + padding;
  }
  header.payload_crc32 = static_cast<std::uint32_t>(crc);
  header.header_crc32 = header_checksum(header);
  return header;
}

// What can be told from the header alone.
core::Status check_shape(const Header& header, std::string_view name) {
  const bool fits = header.nodes <= header.rows && header.upper_nodes <= header.nodes &&
                    header.rows <= std::numeric_limits<std::int32_t>::max() && header.dimension > 0 &&
                    header.dimension <= retrieval::kMaxVectorDimension && header.neighbours >= kMinNeighbours &&
                    header.neighbours <= kMaxNeighbours && header.top_level <= kMaxLevels &&
                    (header.nodes == 0 ? header.rows == 0 && header.entry == 0 : header.entry < header.nodes) &&
                    header.upper_list_bytes <= std::uint64_t{header.upper_nodes} * kMaxLevels * (1 + kMaxNeighbours) * 4;
  if (fits) return {};
  return damaged(name, fmt::format("{} nodes of {} rows, {} above, {} neighbours, entry {} at level {} do not go together",
                                   header.nodes, header.rows, header.upper_nodes, header.neighbours, header.entry,
                                   header.top_level));
}

core::Result<Header> read_header(std::span<const std::byte> bytes, std::string_view name) {
  Header header{};
  if (bytes.size() < sizeof(Header)) {
    return damaged(name, fmt::format("{} bytes, but the header alone has {}", bytes.size(), sizeof(Header)));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) {
    return damaged(name, fmt::format("does not begin with {}", kMagic));
  }
  if (header.version != kFormatVersion) {
    return core::fail(core::ErrorCode::kUnsupported, fmt::format("{}: format version {}, this program reads version {}", name,
                                                                 header.version, kFormatVersion));
  }
  if (header_checksum(header) != header.header_crc32) return damaged(name, "the header's checksum is wrong");
  CORE_CHECK(check_shape(header, name));
  const auto payload = bytes.subspan(sizeof(Header));
  if (header.payload_bytes != payload.size()) {
    return damaged(name, fmt::format("{} bytes after the header, {} expected", payload.size(), header.payload_bytes));
  }
  if (static_cast<std::uint32_t>(add_crc(crc32_z(0, nullptr, 0), payload)) != header.payload_crc32) {
    return damaged(name, "the checksum of the data is wrong");
  }
  return header;
}

// Takes the parts off the front of what is left.
class PartReader {
 public:
  explicit PartReader(std::span<const std::byte> payload) : rest_(payload) {}

  [[nodiscard]] std::span<const std::byte> take(std::size_t size) {
    if (size == 0 || is_short_) return {};
    const std::size_t whole = size + padding_of(size);
    if (whole > rest_.size()) {
      is_short_ = true;
      return {};
    }
    const auto part = rest_.first(size);
    rest_ = rest_.subspan(whole);
    return part;
  }
  template <class T>
  [[nodiscard]] std::span<const T> take_many(std::size_t count) {
    const auto bytes = take(count * sizeof(T));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  [[nodiscard]] bool fits() const { return !is_short_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool is_short_ = false;
};

// `list`: count, then `most` numbers of nodes, each with at least `levels` lists above the lowest level.
core::Status check_list(const std::byte* list, std::uint32_t most, std::uint32_t levels, std::span<const std::uint8_t> levels_of,
                        std::string_view name) {
  const std::uint32_t count = number_at(list);
  if (count > most) return damaged(name, fmt::format("a list has {} neighbours, {} is the most", count, most));
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t node = number_at(list + sizeof(std::uint32_t) * (1 + i));
    if (node >= levels_of.size() || levels_of[node] < levels) {
      return damaged(name, fmt::format("a list of level {} leads to node {}, which is not there", levels, node));
    }
  }
  return {};
}

core::Status check_links(const GraphParts& parts, std::string_view name) {
  const GraphShape& shape = parts.shape;
  std::vector<std::uint8_t> levels_of(shape.nodes, 0);
  std::size_t lists = 0;
  for (std::size_t i = 0; i < parts.upper.size(); ++i) {
    const auto [node, levels] = parts.upper[i];
    const bool ascends = i == 0 || node > parts.upper[i - 1].node;
    if (node >= shape.nodes || levels == 0 || levels > kMaxLevels || !ascends) {
      return damaged(name, fmt::format("node {} with {} levels", node, levels));
    }
    levels_of[node] = static_cast<std::uint8_t>(levels);
    lists += levels;
  }
  if (lists * shape.upper_list_bytes() != parts.upper_lists.size()) return damaged(name, "lists of upper levels are missing");
  if (shape.nodes > 0 && levels_of[shape.entry] != shape.top_level) return damaged(name, "the entry is not at the top level");
  for (std::uint32_t node = 0; node < shape.nodes; ++node) {
    const std::byte* list = parts.base.data() + node * shape.base_node_bytes();
    CORE_CHECK(check_list(list, 2 * shape.neighbours, 0, levels_of, name));
    std::uint64_t own = 0;
    std::memcpy(&own, list + shape.base_node_bytes() - sizeof own, sizeof own);
    if (own != node) return damaged(name, fmt::format("node {} says that it is node {}", node, own));
  }
  const std::byte* list = parts.upper_lists.data();
  for (const UpperNode& node : parts.upper) {
    for (std::uint32_t level = 1; level <= node.levels; ++level, list += shape.upper_list_bytes()) {
      CORE_CHECK(check_list(list, shape.neighbours, level, levels_of, name));
    }
  }
  return {};
}

// Every row is a member of one node.
core::Status check_members(const GraphParts& parts, std::string_view name) {
  if (parts.first.empty()) return {};
  bool good = parts.first.front() == 0 && parts.first.back() == parts.members.size();
  for (std::size_t node = 0; good && node + 1 < parts.first.size(); ++node) good = parts.first[node] < parts.first[node + 1];
  if (!good) return damaged(name, "the places of the nodes' rows are wrong");
  std::vector<bool> seen(parts.members.size());
  for (const std::uint32_t row : parts.members) {
    if (row >= seen.size() || seen[row]) return damaged(name, fmt::format("row {} is not there, or twice", row));
    seen[row] = true;
  }
  return {};
}

}  // namespace

core::Status write_graph_file(const std::filesystem::path& path, const GraphParts& parts) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const auto put = [&file](std::span<const std::byte> bytes) {
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  const Header header = header_of(parts);
  put(std::as_bytes(std::span(&header, 1)));
  const std::array<std::byte, kSectionAlignment> zeros{};
  for (const auto section : sections_of(parts)) {
    put(section);
    put(std::span(zeros).first(padding_of(section.size())));
  }
  file.close();
  if (!file) return std::unexpected(core::system_error("write", path, errno));
  return core::sync_file(path);
}

core::Result<GraphParts> open_graph_file(std::span<const std::byte> bytes, std::string_view name) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) != 0) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: the bytes do not start at a multiple of 8", name));
  }
  CORE_TRY(const Header header, read_header(bytes, name));
  GraphParts parts;
  parts.shape = {.rows = header.rows,
                 .dimension = header.dimension,
                 .nodes = header.nodes,
                 .neighbours = header.neighbours,
                 .construction = header.construction,
                 .entry = header.entry,
                 .top_level = header.top_level,
                 .upper_nodes = header.upper_nodes};
  const bool has_members = header.nodes < header.rows;
  PartReader reader(bytes.subspan(sizeof(Header)));
  parts.base = reader.take(header.nodes * parts.shape.base_node_bytes());
  parts.upper = reader.take_many<UpperNode>(header.upper_nodes);
  parts.upper_lists = reader.take(header.upper_list_bytes);
  parts.first = reader.take_many<std::uint32_t>(has_members ? header.nodes + std::size_t{1} : 0);
  parts.members = reader.take_many<std::uint32_t>(has_members ? header.rows : 0);
  if (!reader.fits()) return damaged(name, "its parts do not fill it");
  CORE_CHECK(check_links(parts, name));
  CORE_CHECK(check_members(parts, name));
  return parts;
}

}  // namespace scalestyle::adapters::graph
