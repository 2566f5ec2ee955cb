# Asio::asio: Boost.Asio compiled once, with what its users must be compiled with. Handlers need no fences of their own:
# queues with locks hand them over, and ThreadSanitizer knows locks but not fences.
add_library(asio_compiled STATIC ${CMAKE_CURRENT_LIST_DIR}/asio.cpp)
add_library(Asio::asio ALIAS asio_compiled)
target_compile_definitions(asio_compiled PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_FENCED_BLOCK)
target_link_libraries(asio_compiled PUBLIC Boost::headers OpenSSL::SSL Threads::Threads)
