// A queue in one block of memory, for a few elements that come and go all the time.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace troupe::http {

/// First in, first out, with access by index (0 = oldest). Grows by doubling. T is default constructible and movable.
template <class T>
class ring {
public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return items_[(first_ + i) & (items_.size() - 1)]; }
  T& front() noexcept { return items_[first_]; }

  T& push() {
    if (size_ == items_.size())
      grow();
    return (*this)[size_++];
  }
  void pop() {
    items_[first_] = T{};
    first_ = (first_ + 1) & (items_.size() - 1);
    --size_;
  }

private:
  void grow() {
    std::vector<T> larger(items_.empty() ? 2 : 2 * items_.size());
    for (std::size_t i = 0; i < size_; ++i)
      larger[i] = std::move((*this)[i]);
    items_ = std::move(larger);
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

} // namespace troupe::http
