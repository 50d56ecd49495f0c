// Bytes to requests: Beast's parser, stricter than it is by itself. Knows no sockets.
#pragma once

#include <troupe/app/http/options.hpp>
#include <troupe/messages/http.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::http {

/// Why a request was refused: the status for the client, and a text that holds nothing of ours or of the request.
struct refusal {
  std::uint16_t status = 0;
  const char* text = "";
};

/// One request after the other. Confined to its connection. Refused are, besides what Beast refuses: Content-Length
/// together with Transfer-Encoding or twice, transfer codings other than chunked, folded lines, a missing or second
/// Host, targets as in target.hpp, unknown expectations, and what exceeds a limit. Trailers are read and dropped.
class request_parser {
public:
  explicit request_parser(const options& limits);
  ~request_parser();
  request_parser(const request_parser&) = delete;
  request_parser& operator=(const request_parser&) = delete;

  enum class state : std::uint8_t { before, in_head, in_body, complete, refused };

  /// Takes bytes as far as the end of one request, returns how many; what is left is to be given again, with more
  /// behind it. Precondition: neither complete nor refused.
  std::size_t feed(std::string_view bytes);

  state current() const noexcept { return state_; }
  const refusal& why() const noexcept { return refusal_; } ///< Of a refused one.

  /// The body is to come and the client waits for "100 Continue".
  bool wants_continue() const noexcept;
  std::size_t body_size() const noexcept { return request_.body.size(); } ///< So far.
  bool keep_alive() const noexcept; ///< Of a complete one: the client wants to go on.
  bool is_http_1_0() const noexcept { return version_ == 10; }

  /// Of a complete one; from then on the next is read.
  request take();

private:
  class reader;
  friend class reader;

  void refuse(std::uint16_t status, const char* text) noexcept;
  void end_reader() noexcept;
  void refuse_for_head(std::string_view rest) noexcept;
  void translate(int code, std::string_view rest) noexcept;

  const options& limits_;
  reader* reader_ = nullptr; // in room_, while a request is read
  alignas(std::max_align_t) std::byte room_[192];
  request request_;
  refusal refusal_;
  state state_ = state::before;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  int version_ = 11;
  std::uint8_t empty_lines_ = 0;
  std::uint32_t hosts_ = 0;
  std::uint32_t fields_ = 0;
  const char* input_end_ = nullptr; // while `feed` runs
  std::size_t head_bytes_ = 0;      // parsed
  std::size_t extra_bytes_ = 0;     // of trailers and chunk extensions
};

} // namespace troupe::http
