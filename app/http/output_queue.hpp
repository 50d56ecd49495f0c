// Bytes on their way to a client: small ones are gathered, large ones are moved and not copied.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

/// Confined to its connection.
class output_queue {
public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  /// Lets `write(std::string&)` append to the last piece.
  template <class Write>
  void append(Write write) {
    if (pieces_.empty() || pieces_.back().size() > kept_capacity) // a piece that grows for ever is never freed
      pieces_.emplace_back();
    auto& last = pieces_.back();
    const auto before = last.size();
    write(last);
    size_ += last.size() - before;
  }
  void append(std::string_view bytes) {
    append([&](std::string& out) { out += bytes; });
  }
  void append(std::string&& bytes) {
    if (bytes.size() < worth_moving)
      return append(std::string_view{bytes});
    size_ += bytes.size();
    pieces_.push_back(std::move(bytes));
    pieces_.emplace_back(); // what follows is gathered again
  }

  /// Calls `f(std::string_view)` for up to `most` pieces that are not empty, oldest first.
  template <class F>
  void for_each(std::size_t most, F f) const {
    for (auto i = first_; i < pieces_.size() && most > 0; ++i) {
      const auto rest = std::string_view{pieces_[i]}.substr(i == first_ ? offset_ : 0);
      if (rest.empty())
        continue;
      f(rest);
      --most;
    }
  }

  /// `n` bytes are out.
  void consume(std::size_t n) {
    size_ -= n;
    if (size_ == 0) { // keeps the first piece's memory, if that is not much
      pieces_.resize(1);
      if (pieces_[0].capacity() > kept_capacity)
        pieces_[0] = {};
      pieces_[0].clear();
      first_ = offset_ = 0;
      return;
    }
    offset_ += n;
    while (offset_ >= pieces_[first_].size()) {
      offset_ -= pieces_[first_].size();
      pieces_[first_++] = {};
    }
    if (first_ >= worth_compacting) {
      pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

  void clear() {
    pieces_.clear();
    size_ = first_ = offset_ = 0;
  }

private:
  static constexpr std::size_t worth_moving = std::size_t{16} * 1024;
  static constexpr std::size_t kept_capacity = std::size_t{64} * 1024;
  static constexpr std::size_t worth_compacting = 32;

  std::vector<std::string> pieces_;
  std::size_t size_ = 0;
  std::size_t first_ = 0;
  std::size_t offset_ = 0; // in the first
};

} // namespace troupe::http
