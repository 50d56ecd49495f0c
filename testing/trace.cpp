// Readable lines of a simulation.
#include <troupe/testing/trace.hpp>

#include <cstdio>

namespace troupe::testing {

void trace::add(std::chrono::nanoseconds now, std::string text) {
  char head[48];
  std::snprintf(head, sizeof head, "%6llu %10.4f s  ", static_cast<unsigned long long>(++number_),
                std::chrono::duration<double>(now).count());
  lines_.push_back(head + std::move(text));
  if (lines_.size() > kept_)
    lines_.pop_front();
}

std::string trace::tail(std::size_t count) const {
  std::string text;
  for (auto i = lines_.size() > count ? lines_.size() - count : 0; i < lines_.size(); ++i)
    text += lines_[i] + "\n";
  return text;
}

} // namespace troupe::testing
