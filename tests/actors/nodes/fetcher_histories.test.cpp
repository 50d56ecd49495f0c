// Random histories of code on its way to a node, against the fetcher's invariants.
#include <troupe/actors/nodes/fetcher.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::fetcher_histories_test {

using namespace nodes;

namespace {

constexpr fetch_limits small{.chunk_bytes = 10, .window = 3, .cache_bytes = 100, .tries = 2};

/// A source, a disk, users; whether all that is promised holds.
class history {
public:
  history(std::uint64_t seed, wrong_fetch wrong) : random_(seed), f_(small, wrong) {
    for (int i = 0; i < 6; ++i)
      sizes_["d" + std::to_string(i)] = 1 + pick(60);
  }

  /// What is wrong; nothing if all holds.
  std::optional<std::string> run(int steps) {
    for (int i = 0; i < steps && !wrong_; ++i)
      step();
    // No more faults: everything ends.
    faults_ = false;
    if (!connected_)
      tell(event::connected{});
    connected_ = true;
    for (int i = 0; i < 2'000 && !wrong_ && (!asks_.empty() || !checks_.empty()); ++i)
      checks_.empty() ? answer() : check();
    if (!wrong_ && !waiting_.empty())
      wrong_ = "a need has no answer";
    std::uint64_t kept = 0;
    for (const auto& digest : right_)
      kept += sizes_.at(digest);
    if (!wrong_ && f_.bytes() != kept)
      wrong_ = "other bytes are counted than are kept";
    return wrong_;
  }

private:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }

  void step() {
    switch (pick(10)) {
    case 0:
    case 1: {
      const auto user = pick(5), n = pick(6);
      const auto digest = "d" + std::to_string(n);
      waiting_.emplace(user, digest);
      uses_.emplace(user, digest);
      return tell(event::need{user, digest});
    }
    case 2: {
      const auto user = pick(5);
      std::erase_if(waiting_, [&](const auto& x) { return x.first == user; });
      std::erase_if(uses_, [&](const auto& x) { return x.first == user; });
      return tell(event::drop_user{user});
    }
    case 3:
      if (pick(4) != 0)
        return;
      if (connected_)
        late_.insert(late_.end(), asks_.begin(), asks_.end()), asks_.clear();
      connected_ = !connected_;
      return connected_ ? tell(event::connected{}) : tell(event::connection_lost{});
    case 4:
      if (!late_.empty()) // of an earlier connection, or again
        say(late_[pick(late_.size())]);
      return;
    case 5:
      return check();
    default:
      return answer();
    }
  }

  void answer() {
    if (asks_.empty())
      return;
    const auto i = pick(asks_.size());
    const auto ask = asks_[i];
    asks_.erase(asks_.begin() + static_cast<std::ptrdiff_t>(i));
    late_.push_back(ask);
    if (faults_ && pick(40) == 0)
      return tell(event::not_there{ask.ask, "gone"});
    say(ask);
    if (faults_ && pick(40) == 0)
      tell(event::disk_failed{last_written_, "full"});
  }

  void say(const effect::ask_chunk& ask) {
    const auto total = sizes_.at(ask.digest);
    if (ask.offset < total)
      tell(event::chunk{ask.ask, std::min(ask.bytes, total - ask.offset), total});
  }

  void check() {
    if (checks_.empty())
      return;
    const auto x = checks_.back();
    checks_.pop_back();
    const auto whole = written_[x.fetch].size() == (sizes_.at(x.digest) + small.chunk_bytes - 1) / small.chunk_bytes;
    if (!whole)
      wrong_ = "a check of what is not whole";
    const auto right = !faults_ || pick(5) != 0;
    written_[x.fetch].clear();
    if (right)
      right_.insert(x.digest);
    tell(event::checked{x.fetch, right});
    if (!discarded_.empty() && pick(2) == 0) // its check was on its way
      tell(event::checked{discarded_[pick(discarded_.size())], true});
  }

  void tell(const fetch_event& ev) {
    for (const auto& x : f_.step(ev))
      std::visit([&](const auto& y) { see(y); }, x);
    if (f_.bytes() > small.cache_bytes)
      wrong_ = "more bytes than allowed";
    if (f_.asked() > small.window || asks_.size() > small.window)
      wrong_ = "more chunks asked for than allowed";
  }

  void see(const effect::ask_chunk& x) { asks_.push_back(x); }
  void see(const effect::write_chunk& x) {
    last_written_ = x.fetch;
    if (!written_[x.fetch].insert(x.offset).second)
      wrong_ = "a chunk is written twice";
  }
  void see(const effect::check& x) { checks_.push_back(x); }
  void see(const effect::discard& x) {
    written_.erase(x.fetch);
    discarded_.push_back(x.fetch);
    std::erase_if(checks_, [&](const auto& c) { return c.fetch == x.fetch; });
  }
  void see(const effect::ready& x) {
    if (!right_.contains(x.digest))
      wrong_ = "ready, but not checked";
    if (waiting_.erase({x.user, x.digest}) == 0)
      wrong_ = "ready without a need";
    if (!uses_.contains({x.user, x.digest}))
      wrong_ = "ready to one that was dropped";
  }
  void see(const effect::failed& x) {
    if (waiting_.erase({x.user, x.digest}) == 0)
      wrong_ = "failed without a need";
    uses_.erase({x.user, x.digest});
  }
  void see(const effect::remove_copy& x) {
    right_.erase(x.digest);
    for (const auto& [user, digest] : uses_)
      if (digest == x.digest && !waiting_.contains({user, digest}))
        wrong_ = "a copy in use is removed";
  }

  std::mt19937_64 random_;
  fetcher f_;
  bool faults_ = true;
  bool connected_ = false;
  std::map<std::string, std::uint64_t> sizes_;
  std::vector<effect::ask_chunk> asks_, late_;
  std::vector<effect::check> checks_;
  std::map<std::uint64_t, std::set<std::uint64_t>> written_;
  std::uint64_t last_written_ = 0;
  std::vector<std::uint64_t> discarded_;
  std::set<std::string> right_;
  std::set<std::pair<std::uint64_t, std::string>> waiting_, uses_;
  std::optional<std::string> wrong_;
};

/// The first seed that fails, with its reason.
std::optional<std::string> first_failure(wrong_fetch wrong, int seeds) {
  for (int seed = 1; seed <= seeds; ++seed)
    if (auto why = history{static_cast<std::uint64_t>(seed), wrong}.run(300))
      return "seed " + std::to_string(seed) + ": " + *why;
  return {};
}

} // namespace

TEST_CASE("whatever happens in whatever order, the invariants hold") {
  const auto failure = first_failure(wrong_fetch::none, 2'000);
  CHECK_MESSAGE(!failure, failure.value_or(""));
}

TEST_CASE("these histories notice wrong rules") {
  const auto noticed = [](wrong_fetch wrong, const std::string& as) {
    const auto why = first_failure(wrong, 200).value_or("nothing");
    CHECK_MESSAGE(why.find(as) != std::string::npos, why);
  };
  noticed(wrong_fetch::forgets_users, "a copy in use is removed");
  noticed(wrong_fetch::ignores_limit, "more bytes than allowed");
  noticed(wrong_fetch::trusts_bytes, "ready, but not checked");
  noticed(wrong_fetch::ignores_window, "more chunks asked for than allowed");
  noticed(wrong_fetch::believes_late, "a chunk is written twice");
}

} // namespace troupe::fetcher_histories_test
