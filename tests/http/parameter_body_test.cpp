#include "http/parameter_body.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace scalestyle::http {
namespace {

constexpr std::array<std::string_view, 2> kChoices{"up", "down"};
constexpr std::array kSpecs{
    ParameterSpec{.name = "text", .minimum = 1, .maximum = 10},
    ParameterSpec{.name = "colour", .minimum = 1, .maximum = 10, .max_values = 3},
    ParameterSpec{.name = "count", .kind = ParameterKind::kInteger, .minimum = 1, .maximum = 100, .default_value = "7"},
    ParameterSpec{.name = "price", .kind = ParameterKind::kNumber, .minimum = 0, .maximum = 1e9},
    ParameterSpec{.name = "flag", .kind = ParameterKind::kBoolean, .default_value = "true"},
    ParameterSpec{.name = "sort", .kind = ParameterKind::kChoice, .required = true, .choices = kChoices},
    ParameterSpec{.name = "legs", .minimum = 1, .maximum = 40, .is_list = true},
    ParameterSpec{.name = "facets", .minimum = 1, .maximum = 40, .is_list = true, .is_switch = true},
    ParameterSpec{.name = "rerank", .minimum = 1, .maximum = 5, .is_switch = true, .is_count = true},
    ParameterSpec{.name = "bytes", .kind = ParameterKind::kBase64, .minimum = 4, .maximum = 100'000},
};
constexpr ParameterBody kBody{.schema = "Body", .form_schema = "Form", .description = "a body", .example = "{}", .file_part = "image",
                              .file_description = "a file", .parameters = kSpecs};

core::Result<ParameterValues> read(const std::string& json) { return read_parameters(kBody, "application/json", json); }

// "field: message" of a body that must be refused.
std::string fault(const std::string& json) {
  const auto values = read(json);
  if (values) return "was read";
  EXPECT_EQ(values.error().code, core::ErrorCode::kInvalidArgument) << json;
  return values.error().field + ": " + values.error().message;
}

std::string form(const std::vector<std::pair<std::string, std::string>>& parts, const std::string& file = {}) {
  std::string body;
  for (const auto& [name, value] : parts) body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  if (!file.empty()) body += "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x\"\r\n\r\n" + file + "\r\n";
  return body + "--b--\r\n";
}
core::Result<ParameterValues> read_parts(const std::vector<std::pair<std::string, std::string>>& parts, const std::string& file = {}) {
  return read_parameters(kBody, "multipart/form-data; boundary=b", form(parts, file));
}

TEST(ParameterBody, EveryTypeIsRead) {
  const auto values = read(R"({"sort":"up","text":"r\u00f6t","colour":["Red","Dark Blue"],"count":3,"price":1.5e1,"flag":false,
                               "legs":["lexical","dense"],"facets":true,"rerank":50,"bytes":"AAAA"})");
  ASSERT_TRUE(values) << values.error().message;
  const Parameters& parameters = values->parameters;
  EXPECT_EQ(parameters.choice("sort"), "up");
  EXPECT_EQ(parameters.text("text"), "r\xC3\xB6t");
  EXPECT_EQ(parameters.texts("colour"), (std::vector<std::string>{"Red", "Dark Blue"}));
  EXPECT_EQ(parameters.integer("count"), 3U);
  EXPECT_EQ(parameters.number("price"), 15.0);
  EXPECT_FALSE(parameters.boolean("flag"));
  EXPECT_EQ(parameters.text("legs"), "lexical,dense");
  EXPECT_EQ(parameters.text("facets"), "true");
  EXPECT_EQ(parameters.text("rerank"), "50");
  EXPECT_EQ(parameters.text("bytes"), "AAAA");
  EXPECT_FALSE(values->file);
}

TEST(ParameterBody, OtherFormsOfTheSame) {
  const auto values = read(R"({"sort":"down","colour":"Red","legs":"lexical,dense","facets":["colour","price"],"rerank":false,"count":4.0,
                               "price":7,"text":null,"bytes":null})");
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_EQ(values->parameters.texts("colour"), std::vector<std::string>{"Red"});
  EXPECT_EQ(values->parameters.text("legs"), "lexical,dense");
  EXPECT_EQ(values->parameters.text("facets"), "colour,price");
  EXPECT_EQ(values->parameters.text("rerank"), "false");
  EXPECT_EQ(values->parameters.integer("count"), 4U);
  EXPECT_EQ(values->parameters.number("price"), 7.0);
  EXPECT_FALSE(values->parameters.text("text"));
  EXPECT_TRUE(read(R"({"sort":"up","colour":[]})")->parameters.texts("colour").empty());
  EXPECT_EQ(read(R"({"sort":"up"})")->parameters.integer("count"), 7U) << "defaults";
  EXPECT_EQ(read(R"({"sort":"up","price":0.000001})")->parameters.number("price"), 0.000001) << "numbers keep their value";
  EXPECT_EQ(read(R"({"sort":"up","price":1e-320})")->parameters.number("price"), 1e-320);
}

TEST(ParameterBody, FaultsNameTheField) {
  EXPECT_EQ(fault("{}"), "sort: sort is required");
  EXPECT_EQ(fault(R"({"sort":"up","sorts":1})"), "sorts: unknown field \"sorts\"; did you mean \"sort\"?");
  EXPECT_EQ(fault(R"({"sort":"up","sort":"up"})"), "sort: sort is given twice");
  EXPECT_EQ(fault(R"({"sort":"up","text":null,"text":"a"})"), "text: text is given twice");
  EXPECT_EQ(fault(R"({"sort":1})"), "sort: sort must be a string, not a number");
  EXPECT_EQ(fault(R"({"sort":"left"})").substr(0, 30), "sort: sort must be one of up, ");
  EXPECT_EQ(fault(R"({"sort":"up","text":["a"]})"), "text: text must be a string, not an array");
  EXPECT_EQ(fault(R"({"sort":"up","text":{}})"), "text: text must be a string, not an object");
  EXPECT_EQ(fault(R"({"sort":"up","text":" "})"), "text: text must not be blank");
  EXPECT_EQ(fault(R"({"sort":"up","text":"a\u0000b"})"), "text: text must not contain NUL");
  EXPECT_EQ(fault(R"({"sort":"up","text":"12345678901"})"), "text: text must have 1 to 10 characters, not 11");
  EXPECT_EQ(fault(R"({"sort":"up","text":")" + std::string(1'000, 'x') + "\"}"), "text: text must have 1 to 10 characters");
  EXPECT_EQ(fault(R"({"sort":"up","colour":[1]})"), "colour[0]: colour[0] must be a string or an array of them, not a number");
  EXPECT_EQ(fault(R"({"sort":"up","colour":["a",["b"]]})"), "colour[1]: colour[1] must be a string or an array of them, not an array");
  EXPECT_EQ(fault(R"({"sort":"up","colour":["a",null]})"), "colour[1]: colour[1] must be a string or an array of them, not null");
  EXPECT_EQ(fault(R"({"sort":"up","colour":["a","b","c","d"]})"), "colour: colour must have at most 3 entries");
  EXPECT_EQ(fault(R"({"sort":"up","count":"3"})"), "count: count must be a whole number, not a string");
  EXPECT_EQ(fault(R"({"sort":"up","count":3.5})"), "count: count must be a whole number, not a number");
  EXPECT_EQ(fault(R"({"sort":"up","count":0})"), "count: count must be a whole number from 1 to 100, not \"0\"");
  EXPECT_EQ(fault(R"({"sort":"up","count":-1})"), "count: count must be a whole number from 1 to 100, not \"-1\"");
  EXPECT_EQ(fault(R"({"sort":"up","count":18446744073709551615})").substr(0, 5), "count");
  EXPECT_EQ(fault(R"({"sort":"up","price":-1})").substr(0, 5), "price");
  EXPECT_EQ(fault(R"({"sort":"up","price":1e999})").substr(0, 5), "price");
  EXPECT_EQ(fault(R"({"sort":"up","price":true})"), "price: price must be a number, not a boolean");
  EXPECT_EQ(fault(R"({"sort":"up","flag":"true"})"), "flag: flag must be true or false, not a string");
  EXPECT_EQ(fault(R"({"sort":"up","flag":1})"), "flag: flag must be true or false, not a number");
  EXPECT_EQ(fault(R"({"sort":"up","legs":true})"), "legs: legs must be a string or an array of them, not a boolean");
  EXPECT_EQ(fault(R"({"sort":"up","facets":1})").substr(0, 6), "facets");
  EXPECT_EQ(fault(R"({"sort":"up","facets":[true]})").substr(0, 9), "facets[0]");
  EXPECT_EQ(fault(R"({"sort":"up","rerank":[1]})").substr(0, 6), "rerank");
  EXPECT_EQ(fault(R"({"sort":"up","rerank":1.5})").substr(0, 6), "rerank");
  EXPECT_EQ(fault(R"({"sort":"up","bytes":"AA"})"), "bytes: bytes must have 4 to 100000 characters");
  EXPECT_EQ(fault(R"({"sort":"up","bytes":")" + std::string(100'001, 'A') + "\"}"), "bytes: bytes must have 4 to 100000 characters");
  EXPECT_EQ(fault(R"({"sort":"up","":1})"), "\"\": unknown field \"\"");
  EXPECT_EQ(fault(R"({")" + std::string(10'000, 'k') + R"(":1})").substr(0, 5), "kkkkk");
}

TEST(ParameterBody, WholeBodiesThatAreNone) {
  EXPECT_EQ(fault("").substr(0, 5), "body:");
  EXPECT_EQ(fault("[]"), "body: the body must be a JSON object, not an array");
  EXPECT_EQ(fault("null"), "body: the body must be a JSON object, not null");
  EXPECT_EQ(fault("3"), "body: the body must be a JSON object, not a number");
  EXPECT_EQ(fault("3.5"), "body: the body must be a JSON object, not a number");
  EXPECT_EQ(fault("\"a\""), "body: the body must be a JSON object, not a string");
  EXPECT_EQ(fault("true"), "body: the body must be a JSON object, not a boolean");
  EXPECT_EQ(fault(R"({"sort":"up")").substr(0, 5), "body:");
  EXPECT_EQ(fault(R"({"sort":"up"} x)").substr(0, 5), "body:");
  EXPECT_EQ(fault(R"({"sort":"up",})").substr(0, 5), "body:");
  EXPECT_EQ(fault("{\"sort\":\"\xFF\"}").substr(0, 5), "body:");
  EXPECT_EQ(fault(std::string(100'000, '[')).substr(0, 5), "body:");
}

TEST(ParameterBody, FormsHaveTheTextsOfAQueryString) {
  const auto values = read_parts({{"sort", "up"}, {"colour", "Red"}, {"colour", "Dark Blue"}, {"count", "3"}, {"flag", "false"}, {"legs", "lexical,dense"},
                                  {"facets", "true"}, {"rerank", "50"}, {"price", "19.95"}}, std::string("\xFF\0\xD8", 3));
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_EQ(values->parameters.texts("colour"), (std::vector<std::string>{"Red", "Dark Blue"}));
  EXPECT_EQ(values->parameters.integer("count"), 3U);
  EXPECT_FALSE(values->parameters.boolean("flag"));
  EXPECT_EQ(values->parameters.number("price"), 19.95);
  EXPECT_EQ(values->file, std::string("\xFF\0\xD8", 3));
}

TEST(ParameterBody, FaultsOfFormsNameTheField) {
  const auto fault_of = [](const std::vector<std::pair<std::string, std::string>>& parts) {
    const auto values = read_parts(parts);
    return values ? "was read" : values.error().field;
  };
  EXPECT_EQ(fault_of({}), "sort");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"sorts", "x"}}), "sorts");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"count", "x"}}), "count");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"sort", "up"}}), "sort");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"text", "\xFF"}}), "text");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"text", std::string(1, '\0')}}), "text");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"text", std::string(100'000, 'x')}}), "text");
  EXPECT_EQ(fault_of({{"sort", "up"}, {"image", "a"}, {"image", "b"}}), "image");
  const std::string file = "--b\r\nContent-Disposition: form-data; name=\"sort\"; filename=\"x\"\r\n\r\nup\r\n--b--";
  EXPECT_EQ(read_parameters(kBody, "multipart/form-data; boundary=b", file).error().field, "sort") << "a file where a text is wanted";
}

// Whatever is done to a body, it is read or refused with a field.
TEST(ParameterBody, MutatedBodiesAreReadOrRefused) {
  const std::string good = R"({"sort":"up","text":"r\u00f6t","colour":["Red","Dark Blue"],"count":3,"price":1.5e1,"flag":false,"facets":true,"bytes":"AAAA"})";
  const std::vector<std::string> pieces{"{", "}", "[", "]", "\"", ",", ":", "null", "1e9", "\\u0000", "\xFF", "true", "\"sort\":"};
  std::mt19937 random(20'240'602);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  std::size_t were_read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string body = good;
    for (std::size_t change = 0; change <= below(3) && !body.empty(); ++change) {
      const std::size_t at = below(body.size());
      switch (below(4)) {
        case 0: body[at] = static_cast<char>(random()); break;
        case 1: body.erase(at, 1 + below(8)); break;
        case 2: body.insert(at, pieces[below(pieces.size())]); break;
        default: body.resize(at + 1); break;
      }
    }
    const auto values = read(body);
    if (values) {
      ++were_read;
    } else {
      EXPECT_FALSE(values.error().field.empty()) << body;
    }
  }
  EXPECT_GT(were_read, 100U);
}

}  // namespace
}  // namespace scalestyle::http
