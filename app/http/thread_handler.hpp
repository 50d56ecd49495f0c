// What a server's user does with requests, on one I/O thread.
#pragma once

#include <troupe/app/http/responder.hpp>
#include <troupe/messages/http.hpp>

#include <functional>
#include <memory>

namespace troupe::http {

/// One per I/O thread, made, used and destroyed on it. Must not block and not throw.
class thread_handler {
public:
  virtual ~thread_handler() = default;
  /// May answer at once, or keep `to` and answer later, from any thread.
  virtual void on_request(request&& x, responder to) = 0;
  /// At the end of each turn: after one event (all that a socket had to read, or all that came through the inbox),
  /// before what was answered is written. True: there is more to do, the thread shall come back without waiting.
  virtual bool after_turn() { return false; }
};

using handler_factory = std::function<std::unique_ptr<thread_handler>(unsigned thread)>;

} // namespace troupe::http
