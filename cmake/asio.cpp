// Asio's own code, TLS streams included, compiled once for every module that uses it.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
