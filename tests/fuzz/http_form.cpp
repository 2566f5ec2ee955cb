// Forms: the first line is the Content-Type, the rest the body.

#include "fuzz/target.hpp"
#include "http/multipart.hpp"
#include "http/parameter_body.hpp"
#include "http/visual_parameters.hpp"

namespace scalestyle::fuzz {
namespace {

void check(std::string_view type, std::string_view body) {
  const auto parts = http::read_form(type, body);
  if (!parts) {
    require(parts.error().code == core::ErrorCode::kInvalidArgument || parts.error().code == core::ErrorCode::kResourceExhausted);
    require(!parts.error().message.empty() && !parts.error().field.empty());
    return;
  }
  require(parts->size() <= http::kMaxFormParts);
  const char* last = body.data();
  for (const auto& part : *parts) {
    // Within the body, in order, none over another.
    require(part.content.data() >= last && part.content.data() + part.content.size() <= body.data() + body.size());
    last = part.content.data() + part.content.size();
  }
  static_cast<void>(http::read_parameters(http::image_search_body(), type, body).has_value());
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string type = "multipart/form-data; boundary=AaB03x\n";
  const auto part = [](const std::string& name, const std::string& more, const std::string& content) {
    return "--AaB03x\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + content + "\r\n";
  };
  return {type + part("mode", "", "image_to_image") +
          part("image", "; filename=\"a.jpg\"\r\nContent-Type: image/jpeg", std::string("\xFF\xD8\0\r\n--", 7)) +
              part("k", "", "5") + "--AaB03x--\r\n",
          "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b:c\"\n--a b:c\r\ncontent-disposition:form-data;name=x\r\n\r\ny\r\n"
          "--a b:c--",
          type + "--AaB03x--"};
}

std::vector<std::string> words() {
  return {"--AaB03x", "--AaB03x--", "\r\n", "\r\n\r\n", "\r\n--AaB03x\r\n", "Content-Disposition: form-data", "; name=",
          "filename=", "\"", "\\\"", ";", "boundary="};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = scalestyle::fuzz::text_of(data, size);
  const std::size_t line = input.find('\n');
  if (line != std::string_view::npos) scalestyle::fuzz::check(input.substr(0, line), input.substr(line + 1));
  return 0;
}
