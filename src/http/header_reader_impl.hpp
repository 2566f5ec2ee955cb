#pragma once
// Reads the header of a request, and refuses what Beast takes but other servers on the way may read otherwise. Private to the
// server; I/O thread only.

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/client_stream_impl.hpp"
#include "http/header_lines.hpp"

namespace scalestyle::http {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// Until the header is complete: the error of the connection, of the parser, or http::error::bad_line_ending for lines that
// HeaderLines refuses. What follows the header stays in the buffer.
[[nodiscard]] boost::asio::awaitable<boost::system::error_code> read_header(ClientStream& stream, boost::beast::flat_buffer& buffer,
                                                                            RequestParser& parser);

}  // namespace scalestyle::http
