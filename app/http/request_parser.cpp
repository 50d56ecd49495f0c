// The callbacks of Beast's parser, and the rules that it leaves to its users.
#include <troupe/app/http/request_parser.hpp>
#include <troupe/app/http/target.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <utility> // before asio: Boost 1.74 forgets it in C++20

namespace troupe::http {

namespace {

namespace beast = boost::beast;
using beast::http::field;
using error_code = beast::error_code;

constexpr std::size_t longest_method = 32;
constexpr std::size_t first_body_reservation = std::size_t{256} * 1024; // more only as bytes come in
constexpr std::uint8_t most_empty_lines = 4;                            // before a request (RFC 9112 section 2.2)

std::string_view view(beast::string_view x) noexcept { return {x.data(), x.size()}; }

bool is_digits(std::string_view x) noexcept {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A host with an optional port, loosely: nothing that could be taken for something else.
bool is_host(std::string_view x) noexcept {
  return std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view{"-._~:[]%!$&'()*+,;="}.find(c) != std::string_view::npos;
  });
}

/// Whether the first line ends in "HTTP/" and two digits: another version, not nonsense.
bool names_a_version(std::string_view rest) noexcept {
  const auto line = rest.substr(0, rest.find('\r'));
  const auto at = line.rfind(" HTTP/");
  if (at == std::string_view::npos || line.size() != at + 9)
    return false;
  return is_digits(line.substr(at + 6, 1)) && line[at + 7] == '.' && is_digits(line.substr(at + 8));
}

} // namespace

class request_parser::reader final : public beast::http::basic_parser<true> {
public:
  explicit reader(request_parser& owner) : owner_(owner) {
    eager(true);
    header_limit(std::numeric_limits<std::uint32_t>::max()); // ours counts across reads
    body_limit(owner.limits_.body_bytes);
  }

private:
  void refuse(std::uint16_t status, const char* text, error_code& ec) const {
    owner_.refuse(status, text);
    ec = beast::http::error::bad_value;
  }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       error_code& ec) override {
    auto& request = owner_.request_;
    owner_.version_ = version;
    owner_.head_bytes_ += method.size() + target.size() + 12;
    if (method.size() > longest_method)
      return refuse(501, "the method is not known", ec);
    if (target.size() > owner_.limits_.target_bytes)
      return refuse(414, "the request target is too long", ec);
    request.method.assign(method.data(), method.size());
    if (request.method == "CONNECT" || request.method == "TRACE")
      return refuse(501, "CONNECT and TRACE are not supported", ec);
    if (!read_target(view(target), request))
      return refuse(400, "the request target is not valid", ec);
  }

  void on_field_impl(field id, beast::string_view name, beast::string_view value, error_code& ec) override {
    const auto size = name.size() + value.size() + 4;
    if (is_folded(name, value))
      return refuse(400, "a header field is folded over several lines", ec);
    if (++owner_.fields_ > owner_.limits_.header_count)
      return refuse(431, "there are too many header fields", ec);
    if (owner_.state_ == request_parser::state::in_body) { // a trailer
      owner_.extra_bytes_ += size;
      return check_extra(ec);
    }
    owner_.head_bytes_ += size;
    if (owner_.head_bytes_ > owner_.limits_.header_bytes)
      return refuse(431, "the header fields are too large", ec);
    switch (id) {
    case field::host:
      if (++owner_.hosts_ > 1 || !is_host(view(value)))
        return refuse(400, "the Host field is repeated or not valid", ec);
      break;
    case field::content_length:
      if (std::exchange(owner_.has_length_, true) || owner_.has_coding_ || !is_digits(view(value)))
        return refuse(400, "Content-Length is repeated, not a number, or stands beside Transfer-Encoding", ec);
      break;
    case field::transfer_encoding:
      if (std::exchange(owner_.has_coding_, true) || owner_.has_length_ || owner_.version_ == 10)
        return refuse(400, "Transfer-Encoding is repeated, stands beside Content-Length, or is used in HTTP/1.0", ec);
      if (!equals_ignoring_case(view(value), "chunked"))
        return refuse(501, "the only transfer coding that is supported is chunked", ec);
      break;
    case field::expect:
      if (!equals_ignoring_case(view(value), "100-continue"))
        return refuse(417, "the only expectation that is supported is 100-continue", ec);
      owner_.expects_continue_ = owner_.version_ == 11;
      break;
    default:
      break;
    }
    owner_.request_.headers.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
  }

  void on_header_impl(error_code& ec) override {
    if (owner_.hosts_ == 0 && owner_.version_ == 11)
      return refuse(400, "an HTTP/1.1 request needs a Host field", ec);
    owner_.state_ = request_parser::state::in_body;
    owner_.fields_ = 0; // of trailers
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    if (length)
      owner_.request_.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, first_body_reservation)));
  }

  std::size_t append(beast::string_view bytes) const {
    owner_.request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  std::size_t on_body_impl(beast::string_view bytes, error_code&) override { return append(bytes); }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    return append(bytes);
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view extension, error_code& ec) override {
    owner_.extra_bytes_ += extension.size();
    check_extra(ec);
  }

  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  void check_extra(error_code& ec) const {
    if (owner_.extra_bytes_ > owner_.limits_.header_bytes)
      refuse(431, "the trailer fields or chunk extensions are too large", ec);
  }

  /// Beast joins folded lines in a buffer of its own, or steps over the line end in front of the value.
  bool is_folded(beast::string_view name, beast::string_view value) const noexcept {
    const auto* at = name.data() + name.size();
    if (value.empty())
      return false;
    if (value.data() < at || value.data() >= owner_.input_end_)
      return true;
    return std::find(at, value.data(), '\n') != value.data();
  }

  request_parser& owner_;
};

request_parser::request_parser(const options& limits) : limits_(limits) {
  static_assert(sizeof(reader) <= sizeof room_ && alignof(reader) <= alignof(std::max_align_t));
}

request_parser::~request_parser() { end_reader(); }

void request_parser::end_reader() noexcept {
  if (auto* old = std::exchange(reader_, nullptr))
    old->~reader();
}

bool request_parser::keep_alive() const noexcept { return keep_alive_; }

bool request_parser::wants_continue() const noexcept {
  return expects_continue_ && state_ == state::in_body && request_.body.empty() && !reader_->is_done();
}

void request_parser::refuse(std::uint16_t status, const char* text) noexcept {
  if (state_ == state::refused)
    return;
  state_ = state::refused;
  refusal_ = {status, text};
}

std::size_t request_parser::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (state_ == state::before) {
    while (bytes.substr(used).starts_with("\r\n")) {
      used += 2;
      if (++empty_lines_ > most_empty_lines)
        return refuse(400, "there are empty lines where a request should be"), used;
    }
    const auto rest = bytes.substr(used);
    if (rest.empty() || rest == "\r")
      return used;
    reader_ = new (room_) reader{*this};
    state_ = state::in_head;
  }
  input_end_ = bytes.data() + bytes.size();
  error_code ec;
  // Beast 1.74 asserts that the end of a chunked body is not shorter than this when it is looked at again. No such body
  // has less to come: whoever waits for more gets more.
  const std::size_t least = has_coding_ && state_ == state::in_body ? sizeof "0\r\n\r\n" - 1 : 1;
  while (used + least <= bytes.size()) {
    used += reader_->put(boost::asio::const_buffer{bytes.data() + used, bytes.size() - used}, ec);
    if (ec || reader_->is_done())
      break;
  }
  const auto rest = bytes.substr(used);
  if (ec && ec != beast::http::error::need_more) {
    translate(ec.value(), rest);
  } else if (state_ == state::in_head) {
    refuse_for_head(rest);
  } else if (reader_->is_done()) {
    state_ = state::complete;
    keep_alive_ = reader_->keep_alive();
  } else if (rest.size() > limits_.header_bytes) {
    refuse(400, "a chunk's size line or the trailer is too long");
  }
  return used;
}

void request_parser::refuse_for_head(std::string_view rest) noexcept {
  // Beast may not have looked at the first line yet: it waits for the whole head once it has seen a part of it.
  if (request_.method.empty() && rest.size() > limits_.target_bytes + longest_method + 2 &&
      rest.find('\r') == std::string_view::npos)
    refuse(414, "the request line is too long");
  else if (head_bytes_ + rest.size() > limits_.header_bytes)
    refuse(431, "the header fields are too large");
}

void request_parser::translate(int code, std::string_view rest) noexcept {
  using beast::http::error;
  switch (static_cast<error>(code)) {
  case error::body_limit:
    return refuse(413, "the body is too large");
  case error::bad_version:
    if (names_a_version(rest))
      return refuse(505, "the versions that are supported are HTTP/1.1 and HTTP/1.0");
    return refuse(400, "the request line is not valid");
  case error::header_limit:
    return refuse(431, "the header fields are too large");
  case error::bad_method:
  case error::bad_target:
    return refuse(400, "the request line is not valid");
  case error::bad_content_length:
  case error::bad_transfer_encoding:
    return refuse(400, "Content-Length and Transfer-Encoding do not say how long the body is");
  case error::bad_chunk:
  case error::bad_chunk_extension:
    return refuse(400, "a chunk is not valid");
  default:
    return refuse(400, "the request is not valid HTTP");
  }
}

request request_parser::take() {
  request result = std::move(request_);
  request_ = {};
  end_reader();
  state_ = state::before;
  keep_alive_ = expects_continue_ = has_length_ = has_coding_ = false;
  empty_lines_ = 0;
  hosts_ = fields_ = 0;
  head_bytes_ = extra_bytes_ = 0;
  return result;
}

} // namespace troupe::http
