#include "http/header_reader_impl.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <string_view>

#include "core/request_steps.hpp"

namespace scalestyle::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;

asio::awaitable<ErrorCode> read_header(ClientStream& stream, beast::flat_buffer& buffer, RequestParser& parser) {
  constexpr std::size_t kReadBytes = 8'192;
  constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
  const core::StepTimer timer(core::RequestStep::kRead);
  HeaderLines lines;
  std::size_t seen = 0;  // bytes of the buffer that `lines` has been told
  parser.eager(false);
  while (true) {
    const std::string_view text(static_cast<const char*>(buffer.cdata().data()), buffer.size());
    if (!lines.add(text.substr(seen))) co_return beast::http::error::bad_line_ending;
    ErrorCode error;
    const std::size_t used = text.empty() ? 0 : parser.put(buffer.cdata(), error);
    buffer.consume(used);
    seen = buffer.size();
    if (error && error != beast::http::error::need_more) co_return error;
    if (parser.is_header_done()) co_return ErrorCode();
    const auto [failed, bytes] = co_await stream.async_read_some(buffer.prepare(kReadBytes), kUse);
    if (failed) co_return failed;
    buffer.commit(bytes);
  }
}

}  // namespace scalestyle::http
