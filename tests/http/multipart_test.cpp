#include "http/multipart.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace scalestyle::http {
namespace {

const std::string kType = "multipart/form-data; boundary=AaB03x";

std::string part(const std::string& name, const std::string& content, const std::string& more = {}) {
  return "--AaB03x\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + content + "\r\n";
}
const std::string kEnd = "--AaB03x--\r\n";

std::string message(const std::string& body, const std::string& type = kType) {
  const auto parts = read_form(type, body);
  return parts ? "" : parts.error().message;
}

TEST(Multipart, ReadsTextsAndFiles) {
  const std::string picture("\xFF\xD8\r\n--AaB03\r\n\0\r\n", 16);
  const std::string body = part("mode", "image") + part("image", picture, "; filename=\"a \\\"b\\\".jpg\"\r\nContent-Type: image/jpeg") +
                           part("query", "") + part("k", "3", "\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit") + kEnd;
  const auto parts = read_form(kType, body).value();
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].name, "mode");
  EXPECT_EQ(parts[0].content, "image");
  EXPECT_FALSE(parts[0].is_file);
  EXPECT_EQ(parts[1].name, "image");
  EXPECT_EQ(parts[1].content, picture);
  EXPECT_TRUE(parts[1].is_file);
  EXPECT_EQ(parts[2].content, "");
  EXPECT_EQ(parts[3].content, "3");
}

TEST(Multipart, TakesWhatClientsMakeOfIt) {
  const std::string body = part("a", "b");
  EXPECT_EQ(read_form(kType, body + "--AaB03x--").value().size(), 1U) << "no line end behind";
  EXPECT_EQ(read_form(kType, "\r\n" + body + kEnd).value().size(), 1U) << "a line end before";
  EXPECT_EQ(read_form(kType, "--AaB03x--").value().size(), 0U) << "an empty form";
  EXPECT_EQ(read_form("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"AaB03x\"", body + kEnd).value().size(), 1U);
  EXPECT_EQ(read_form("multipart/form-data; boundary=\"a b:c\"", "--a b:c\r\ncontent-disposition:form-data;name=x\r\n\r\ny\r\n--a b:c--").value()[0].name, "x");
  EXPECT_EQ(read_form(kType, "--AaB03x \t\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--AaB03x-- \r\n").value()[0].content, "b");
  EXPECT_EQ(read_form(kType, part("p", "x", "; filename=\"C:\\a\\b.jpg\"") + kEnd).value()[0].content, "x");
  EXPECT_TRUE(is_form("multipart/form-data"));
  EXPECT_TRUE(is_form(" MULTIPART/form-data ; x=y"));
  EXPECT_FALSE(is_form("multipart/mixed; boundary=x"));
  EXPECT_FALSE(is_form("application/json"));
  EXPECT_FALSE(is_form(""));
}

TEST(Multipart, BoundariesAreChecked) {
  const std::string body = part("a", "b") + kEnd;
  for (const std::string type : {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
                                 "multipart/form-data; boundary=\"AaB03x", "multipart/form-data; boundary=\"a \"",
                                 "multipart/form-data; boundary=a\x01", "multipart/form-data; boundary=\"a\\\"b\"", "multipart/form-data; x; boundary=AaB03x",
                                 "multipart/form-data; boundary=AaB03x; boundary=other", "multipart/form-data; boundary=\"a\"b"}) {
    const auto refused = read_form(type, body);
    ASSERT_FALSE(refused) << type;
    EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().field, "Content-Type");
  }
  EXPECT_FALSE(read_form("multipart/form-data; boundary=" + std::string(71, 'a'), body));
  const std::string longest(70, 'a');
  EXPECT_TRUE(read_form("multipart/form-data; boundary=" + longest, "--" + longest + "--"));
}

TEST(Multipart, DamagedFormsAreRefusedWithTheirFault) {
  EXPECT_NE(message(""), "");
  EXPECT_NE(message("preamble\r\n" + part("a", "b") + kEnd).find("does not begin"), std::string::npos);
  EXPECT_NE(message("--other--").find("does not begin"), std::string::npos);
  EXPECT_NE(message(part("a", "b")).find("has no end"), std::string::npos);
  EXPECT_NE(message(part("a", "b") + "--AaB03x").find("line's end"), std::string::npos);
  EXPECT_NE(message(part("a", "b") + "--AaB03x-").find("line's end"), std::string::npos);
  EXPECT_NE(message(part("a", "b") + kEnd + "epilogue").find("goes on after its end"), std::string::npos);
  EXPECT_NE(message("--AaB03xy\r\n").find("line's end"), std::string::npos);
  EXPECT_NE(message("--AaB03x\r\nContent-Disposition: form-data; name=a\r\n").find("no end"), std::string::npos);
  EXPECT_NE(message("--AaB03x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\n--AaB03x--").find("has no end"), std::string::npos);
  EXPECT_NE(message("--AaB03x\r\n\r\nb\r\n" + kEnd).find("Content-Disposition"), std::string::npos);
  EXPECT_NE(message("--AaB03x\r\nno header\r\n\r\nb\r\n" + kEnd).find("header line"), std::string::npos);
  EXPECT_NE(message("--AaB03x\r\nA: b\x01\r\n\r\nb\r\n" + kEnd).find("header line"), std::string::npos);
  for (const std::string disposition : {"attachment; name=a", "form-data", "form-data; name=", "form-data; name=\"\"", "form-data; name=\"a",
                                        "form-data; name=a; name=b", "form-data; name", "form-data name=a"}) {
    EXPECT_NE(message("--AaB03x\r\nContent-Disposition: " + disposition + "\r\n\r\nb\r\n" + kEnd), "") << disposition;
  }
  EXPECT_NE(message(part("a", "b", "\r\nContent-Disposition: form-data; name=c") + kEnd), "");
  EXPECT_NE(message(part(std::string(129, 'n'), "b") + kEnd), "");
  EXPECT_NE(message(part("a", "Yg==", "\r\nContent-Transfer-Encoding: base64") + kEnd).find("transfer encoding"), std::string::npos);
  EXPECT_NE(message(part("a", "b", "\r\nContent-Type: text/plain; charset=utf-16") + kEnd).find("UTF-8"), std::string::npos);
  EXPECT_NE(message(part("a", "b", "\r\nContent-Type: multipart/mixed; boundary=x") + kEnd).find("parts must not have parts"), std::string::npos);
}

TEST(Multipart, SizesAreLimited) {
  const auto too_large = [](const std::string& body) {
    const auto refused = read_form(kType, body);
    return !refused && refused.error().code == core::ErrorCode::kResourceExhausted && refused.error().field == "body";
  };
  std::string many;
  for (std::size_t i = 0; i < kMaxFormParts; ++i) many += part("a", "b");
  EXPECT_EQ(read_form(kType, many + kEnd).value().size(), kMaxFormParts);
  EXPECT_TRUE(too_large(many + part("a", "b") + kEnd));
  EXPECT_TRUE(too_large(part("a", "b", "\r\nX: " + std::string(kMaxPartHeaderBytes, 'x')) + kEnd));
  EXPECT_TRUE(too_large("--AaB03x\r\n" + std::string(100'000, 'x')));
  std::string lines = "--AaB03x\r\n";
  for (int i = 0; i < 2'000; ++i) lines += "X: y\r\n";
  EXPECT_TRUE(too_large(lines));
}

TEST(Multipart, LongContentsThatAlmostEndAreReadInOnePass) {
  std::string content;
  while (content.size() < 4U << 20U) content += "\r\n--AaB03\r\n--AaB0\r";
  const std::string body = part("image", content) + kEnd;
  EXPECT_EQ(read_form(kType, body).value()[0].content.size(), content.size());
}

// Whatever is done to a form, it is read or refused, and what is read lies within it.
TEST(Multipart, MutatedFormsAreReadOrRefused) {
  const std::string good = part("mode", "image_to_image") + part("image", std::string("\xFF\xD8\xFF\0\r\n--", 8), "; filename=\"a.jpg\"\r\nContent-Type: image/jpeg") +
                           part("colour", "Dark Blue") + part("query", "r\xC3\xB6te") + kEnd;
  const std::vector<std::string> pieces{"\r\n", "--", "--AaB03x", "\r\n--AaB03x--", ";", "\"", "\\", "name=", ":", std::string(1, '\0'), " ", "\r", "\n"};
  std::mt19937 random(20'240'601);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  std::size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string body = good;
    for (std::size_t change = 0; change <= below(4) && !body.empty(); ++change) {
      const std::size_t at = below(body.size());
      switch (below(5)) {
        case 0: body[at] = static_cast<char>(random()); break;
        case 1: body.erase(at, 1 + below(16)); break;
        case 2: body.insert(at, pieces[below(pieces.size())]); break;
        case 3: body.resize(at + 1); break;
        default: body.insert(at, body.substr(below(body.size()), below(40))); break;
      }
    }
    const auto parts = read_form(kType, body);
    if (!parts) {
      EXPECT_FALSE(parts.error().message.empty());
      continue;
    }
    ++read;
    for (const FormPart& one : *parts) {
      EXPECT_FALSE(one.name.empty());
      EXPECT_GE(one.content.data(), body.data());
      EXPECT_LE(one.content.data() + one.content.size(), body.data() + body.size());
      EXPECT_EQ(one.content.find("\r\n--AaB03x"), std::string_view::npos);
    }
  }
  EXPECT_GT(read, 100U) << "the mutations leave nothing to read";
}

}  // namespace
}  // namespace scalestyle::http
