#pragma once
// The two files of a small byte-level BPE model, made from its rules. Ids: byte b is b; where there is an end of word, byte
// b at the end of a word is 256 + b; then each rule's result in order, then further pieces.

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "text/byte_alphabet.hpp"
#include "text/json_text.hpp"
#include "text/unicode.hpp"

namespace scalestyle::support {

struct BytePairModel {
  std::vector<std::pair<std::string, std::string>> rules;  // as merges.txt spells them
  std::string end_of_word{};
  std::vector<std::string> more{};  // pieces behind the rules' results

  [[nodiscard]] std::vector<std::string> pieces() const {
    std::vector<std::string> all;
    std::vector<std::string> endings = {""};
    if (!end_of_word.empty()) endings.push_back(end_of_word);
    for (const std::string& ending : endings) {
      for (const char32_t character : text::byte_alphabet()) {
        std::string piece;
        text::append_utf8(character, piece);
        all.push_back(piece + ending);
      }
    }
    for (const auto& [left, right] : rules) all.push_back(left + right);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  [[nodiscard]] std::string vocab_json() const {
    std::string json = "{";
    const std::vector<std::string> all = pieces();
    for (std::size_t id = 0; id < all.size(); ++id) {
      if (id > 0) json += ",";
      text::append_json_text(all[id], json);
      json += ":" + std::to_string(id);
    }
    return json + "}";
  }

  [[nodiscard]] std::string merges_txt() const {
    std::string lines = "#version: 0.2\n";
    for (const auto& [left, right] : rules) lines.append(left).append(" ").append(right).append("\n");
    return lines;
  }

  void write(const std::filesystem::path& folder) const {
    std::ofstream(folder / "vocab.json", std::ios::binary) << vocab_json();
    std::ofstream(folder / "merges.txt", std::ios::binary) << merges_txt();
  }
};

}  // namespace scalestyle::support
