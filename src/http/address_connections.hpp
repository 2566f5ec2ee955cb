#pragma once
// AddressConnections: how many connections each client address holds, so that none takes those of all others.
//
// An address is what limited_address() says: of IPv6 its first 64 bits, and none of this machine's own. Trusted proxies are not
// counted, since many clients stand behind each. There are never more counts than connections.
// Thread safety: I/O thread only.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "http/client_address.hpp"

namespace scalestyle::http {

class AddressConnections {
 public:
  // `limit` 0: nothing is counted.
  explicit AddressConnections(std::size_t limit = 0, TrustedProxies proxies = {}) : limit_(limit), proxies_(std::move(proxies)) {}
  AddressConnections(const AddressConnections&) = delete;
  AddressConnections& operator=(const AddressConnections&) = delete;

  // Before any connection is counted.
  void limit_to(std::size_t limit, TrustedProxies proxies);

  [[nodiscard]] std::size_t limit() const { return limit_; }

  // Whether `peer`, a connection's other end, holds as many as it may.
  [[nodiscard]] bool is_full(std::string_view peer) const;

  // One connection of `peer`, counted while this lives, which must not be longer than what counts.
  class Place {
   public:
    Place(AddressConnections& counts, std::string_view peer);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

   private:
    AddressConnections& counts_;
    const std::string address_;  // empty: not counted
  };

 private:
  [[nodiscard]] std::string counted_address(std::string_view peer) const;

  std::size_t limit_;
  TrustedProxies proxies_;
  std::unordered_map<std::string, std::size_t> held_;
};

}  // namespace scalestyle::http
