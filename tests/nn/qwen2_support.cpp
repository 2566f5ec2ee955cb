#include "nn/qwen2_support.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace scalestyle::nn::test {

namespace json = boost::json;

std::vector<GoldenChat> read_golden_chats(const std::filesystem::path& folder) {
  std::ifstream stream(folder / "expected.json");
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const json::value expected = json::parse(text);
  std::vector<GoldenChat> chats;
  for (const json::value& one : expected.at("generate").as_array()) {
    GoldenChat chat;
    for (const json::value& id : one.at("prompt_ids").as_array()) chat.prompt.push_back(id.to_number<std::int32_t>());
    for (const json::value& id : one.at("greedy20_ids").as_array()) chat.greedy.push_back(id.to_number<std::int32_t>());
    for (const json::value& logit : one.at("first_step_logits").as_array()) chat.logits.push_back(logit.to_number<float>());
    chats.push_back(std::move(chat));
  }
  return chats;
}

std::vector<StoredTensor> read_tensors(const std::filesystem::path& path) {
  const auto file = SafetensorsFile::open(path);
  if (!file) throw std::runtime_error(file.error().message);
  std::vector<StoredTensor> tensors;
  for (const auto& [name, tensor] : file->tensors()) {
    tensors.push_back({name, tensor.type, tensor.shape,
                       {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()}});
  }
  return tensors;
}

void write_tensors(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors) {
  std::string header;
  std::string data;
  for (const StoredTensor& tensor : tensors) {
    header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", header.empty() ? "" : ",",
                          tensor.name, to_string(tensor.type), fmt::join(tensor.shape, ","), data.size(),
                          data.size() + tensor.bytes.size());
    data += tensor.bytes;
  }
  header = "{" + header + "}";
  const std::uint64_t length = header.size();
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(&length), sizeof length);
  stream << header << data;
}

}  // namespace scalestyle::nn::test
