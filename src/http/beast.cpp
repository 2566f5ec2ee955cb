// Beast's own code, compiled once; Asio's is in Asio::asio.
#include <boost/beast/src.hpp>
