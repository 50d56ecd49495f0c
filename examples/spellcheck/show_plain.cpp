// The show without a terminal: lines in the order of time.
#include "show.hpp"

#include <cstdio>
#include <utility>

namespace spellcheck {

double rate_meter::update(std::uint64_t answered, seconds now) {
  if (const auto passed = now - at_; passed >= seconds{0.5}) {
    rate_ = static_cast<double>(answered - answered_) / passed.count();
    answered_ = answered;
    at_ = now;
  }
  return rate_;
}

std::string in_seconds(seconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", time.count());
  return text;
}

std::string grouped(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto i = digits.size(); i > 3; i -= 3)
    digits.insert(i - 3, 1, ',');
  return digits;
}

namespace {

class plain_show final : public show {
public:
  plain_show(const witness& seen, const ledger& book, const std::string& title) : seen_(seen), book_(book) {
    line(seen_.elapsed(), title);
  }

  void tick(const troupe::deployment_status& status) override {
    print_events();
    const auto now = seen_.elapsed();
    if (now < next_)
      return;
    next_ = now + seconds{1};
    const auto rate = meter_.update(book_.answered_count(), now);
    line(now, troupe::to_string(status.state) + ": " + std::to_string(status.available) + " of " +
                  std::to_string(status.num_replicas) + " replicas available, " + grouped(static_cast<unsigned>(rate)) +
                  " requests/s, " + std::to_string(book_.failed_count()) + " failed");
  }

  void finish() override { print_events(); }

private:
  void print_events() {
    for (const auto& event : seen_.events(shown_))
      line(event.at, event.text);
  }

  static void line(seconds at, const std::string& text) {
    std::printf("%7s  %s\n", in_seconds(at).c_str(), text.c_str());
    std::fflush(stdout);
  }

  const witness& seen_;
  const ledger& book_;
  rate_meter meter_;
  std::uint64_t shown_ = 0;
  seconds next_{0.5};
};

} // namespace

std::unique_ptr<show> make_plain_show(const witness& seen, const ledger& book, std::string title) {
  return std::make_unique<plain_show>(seen, book, title);
}

} // namespace spellcheck
