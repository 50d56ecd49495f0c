// The clients.
#include "clients.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <deque>
#include <future>
#include <utility>

namespace spellcheck {

namespace {

constexpr std::size_t under_way = 4; // requests of one client
constexpr std::size_t spread = 17;   // pages between the starts of two clients

/// A client actor: asks with `request(...).then(...)` and never blocks its thread. Lives as long as it has requests
/// under way.
class reader : public caf::event_based_actor {
public:
  reader(caf::actor_config& config, speller_handle spellers, ledger& book, std::size_t first_page,
         const std::atomic<bool>& stopping, std::latch& ended)
      : event_based_actor(config), spellers_(std::move(spellers)), book_(book), page_(first_page), stopping_(stopping),
        ended_(ended) {}

  caf::behavior make_behavior() override {
    for (std::size_t i = 0; i < under_way; ++i)
      send_next();
    return {};
  }

  void on_exit() override { ended_.count_down(); }

private:
  void send_next() {
    if (stopping_)
      return;
    const auto& about = book_.page_at(page_++);
    const auto owed = book_.sent();
    spellers_.request(this, passage{about.text})
        .then(
            [this, &about, owed](const spelling& answer) {
              book_.answered(about, owed, answer);
              send_next();
            },
            [this](const troupe::error& why) {
              book_.failed(why);
              send_next();
            });
  }

  speller_handle spellers_;
  ledger& book_;
  std::size_t page_;
  const std::atomic<bool>& stopping_;
  std::latch& ended_;
};

/// A client without actors: futures, a few at a time.
void read_with_futures(const speller_handle& spellers, ledger& book, const std::atomic<bool>& stopping) {
  struct open_request {
    const page& about;
    promise owed;
    std::future<spelling> answer;
  };
  std::deque<open_request> open;
  for (std::size_t next = 0; !stopping || !open.empty();) {
    if (!stopping && open.size() < under_way) {
      const auto& about = book.page_at(next++);
      const auto owed = book.sent();
      open.push_back({about, owed, spellers.async(passage{about.text})});
      continue;
    }
    auto& oldest = open.front();
    try {
      book.answered(oldest.about, oldest.owed, oldest.answer.get());
    } catch (const troupe::request_failed& e) {
      book.failed(e.why());
    }
    open.pop_front();
  }
}

} // namespace

clients::clients(caf::actor_system& system, const speller_handle& spellers, ledger& book, std::size_t actors)
    : actors_ended_(static_cast<std::ptrdiff_t>(actors)) {
  for (std::size_t i = 0; i < actors; ++i)
    system.spawn<reader>(spellers, std::ref(book), spread * (i + 1), std::cref(stopping_), std::ref(actors_ended_));
  thread_ = std::thread([this, spellers, &book] { read_with_futures(spellers, book, stopping_); });
}

void clients::stop() {
  stopping_ = true;
  actors_ended_.wait();
  if (thread_.joinable())
    thread_.join();
}

} // namespace spellcheck
