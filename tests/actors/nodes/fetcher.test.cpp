// Code on its way to a node, rule by rule.
#include <troupe/actors/nodes/fetcher.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::fetcher_test {

using namespace nodes;

namespace {

constexpr fetch_limits small{.chunk_bytes = 10, .window = 3, .cache_bytes = 100, .tries = 2};

template <class T>
std::vector<T> all(const std::vector<fetch_effect>& xs) {
  std::vector<T> out;
  for (const auto& x : xs)
    if (const auto* y = std::get_if<T>(&x))
      out.push_back(*y);
  return out;
}

/// A fetcher whose asks are answered by where they are in the content.
class source {
public:
  explicit source(wrong_fetch wrong = wrong_fetch::none) : f(small, wrong) {}

  std::vector<fetch_effect> step(const fetch_event& ev) {
    auto out = f.step(ev);
    for (const auto& x : out)
      if (const auto* a = std::get_if<effect::ask_chunk>(&x))
        asks_[{a->digest, a->offset}] = a->ask;
    return out;
  }
  std::uint64_t ask(const std::string& digest, std::uint64_t offset) const { return asks_.at({digest, offset}); }
  std::vector<fetch_effect> chunk(const std::string& digest, std::uint64_t offset, std::uint64_t bytes,
                                  std::uint64_t total) {
    return step(event::chunk{ask(digest, offset), bytes, total});
  }

  fetcher f;

private:
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> asks_;
};

std::vector<std::uint64_t> offsets(const std::vector<fetch_effect>& xs) {
  std::vector<std::uint64_t> out;
  for (const auto& x : all<effect::ask_chunk>(xs))
    out.push_back(x.offset);
  return out;
}

/// Brings `digest`, `bytes` long, to `f`, which is connected and does nothing else.
void bring(source& f, std::uint64_t user, const std::string& digest, std::uint64_t bytes) {
  auto out = f.step(event::need{user, digest});
  for (;;) {
    std::vector<fetch_effect> next;
    for (const auto& a : all<effect::ask_chunk>(out)) {
      auto more = f.step(event::chunk{a.ask, std::min(small.chunk_bytes, bytes - a.offset), bytes});
      next.insert(next.end(), more.begin(), more.end());
    }
    if (const auto c = all<effect::check>(next); !c.empty()) {
      REQUIRE(all<effect::ready>(f.step(event::checked{c[0].fetch, true})).size() == 1);
      return;
    }
    REQUIRE_FALSE(next.empty());
    out = std::move(next);
  }
}

} // namespace

TEST_CASE("the first chunk is asked for alone, then a window of them, and the whole is checked") {
  source f;
  CHECK(f.step(event::need{1, "a"}).empty());
  auto out = f.step(event::connected{});
  REQUIRE(offsets(out) == std::vector<std::uint64_t>{0});
  out = f.chunk("a", 0, 10, 45);
  CHECK(all<effect::write_chunk>(out).size() == 1);
  CHECK(offsets(out) == std::vector<std::uint64_t>{10, 20, 30});
  CHECK(offsets(f.chunk("a", 20, 10, 45)) == std::vector<std::uint64_t>{40});
  CHECK(f.chunk("a", 20, 10, 45).empty()); // a copy
  f.chunk("a", 40, 5, 45);
  f.chunk("a", 10, 10, 45);
  out = f.chunk("a", 30, 10, 45);
  REQUIRE(all<effect::check>(out).size() == 1);
  CHECK(all<effect::ready>(out).empty());
  out = f.step(event::checked{1, true});
  REQUIRE(all<effect::ready>(out).size() == 1);
  CHECK(f.f.bytes() == 45);
}

TEST_CASE("what is there is ready at once, and all who need the same wait for one fetch") {
  source f;
  f.step(event::found{"a", 10});
  f.step(event::connected{});
  CHECK(all<effect::ready>(f.step(event::need{1, "a"})).size() == 1);
  CHECK(offsets(f.step(event::need{1, "b"})).size() == 1);
  CHECK(f.step(event::need{2, "b"}).empty());
  f.chunk("b", 0, 7, 7);
  CHECK(all<effect::ready>(f.step(event::checked{1, true})).size() == 2);
}

TEST_CASE("other bytes than asked for are fetched again, then given up") {
  source f;
  f.step(event::connected{});
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 7, 7);
  auto out = f.step(event::checked{1, false});
  REQUIRE(offsets(out) == std::vector<std::uint64_t>{0});
  f.chunk("a", 0, 7, 7);
  out = f.step(event::checked{1, false});
  REQUIRE(all<effect::failed>(out).size() == 1);
  CHECK(all<effect::failed>(out)[0].why.message == "what the controller sent is not a, 2 times");
  CHECK(all<effect::discard>(out).size() == 1);
  CHECK(f.f.bytes() == 0);
}

TEST_CASE("a connection's end costs the chunks that were on their way, not those that are here") {
  source f;
  f.step(event::connected{});
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 10, 40);
  f.chunk("a", 20, 10, 40);
  const auto late = f.ask("a", 10);
  CHECK(f.step(event::connection_lost{}).empty());
  CHECK(f.step(event::chunk{late, 10, 40}).empty());
  CHECK(offsets(f.step(event::connected{})) == std::vector<std::uint64_t>{10, 30});
  CHECK(f.step(event::chunk{late, 10, 40}).empty());
  CHECK(f.step(event::not_there{late, "an earlier controller had none"}).empty());
  CHECK(offsets(f.step(event::connected{})) == std::vector<std::uint64_t>{10, 30}); // a newer one, in its place
}

TEST_CASE("room is made of what nobody uses, the longest unused first, and not for what does not fit all the same") {
  source f;
  f.step(event::connected{});
  bring(f, 1, "a", 40);
  bring(f, 2, "b", 30);
  bring(f, 3, "c", 20);
  f.step(event::drop_user{2});
  f.step(event::drop_user{1});
  f.step(event::need{4, "d"});
  auto out = f.chunk("d", 0, 10, 90);
  REQUIRE(all<effect::failed>(out).size() == 1);
  CHECK(all<effect::failed>(out)[0].why.message == "no room on the node: 90 bytes; of 100 for code 20 are in use");
  CHECK(all<effect::remove_copy>(out).empty());
  f.step(event::need{5, "e"});
  out = f.chunk("e", 0, 10, 35);
  REQUIRE(all<effect::remove_copy>(out).size() == 1);
  CHECK(all<effect::remove_copy>(out)[0].digest == "b");
}

TEST_CASE("copies of an earlier process count, up to the limit, and are there") {
  source f;
  f.step(event::connected{});
  CHECK(f.step(event::found{"a", 60}).empty());
  CHECK(f.step(event::found{"a", 60}).empty());
  CHECK(f.f.bytes() == 60);
  CHECK(all<effect::remove_copy>(f.step(event::found{"huge", 101})).size() == 1);
  const auto out = all<effect::remove_copy>(f.step(event::found{"b", 50}));
  REQUIRE(out.size() == 1);
  CHECK(out[0].digest == "a");
  CHECK(all<effect::ready>(f.step(event::need{1, "b"})).size() == 1);
  f.step(event::need{1, "c"});
  f.step(event::found{"c", 10}); // too late to count
  CHECK(all<effect::failed>(f.chunk("c", 0, 10, std::numeric_limits<std::uint64_t>::max())).size() == 1);
  CHECK(f.f.bytes() == 50);
}

TEST_CASE("every failure is told to each that needs it, with its reason") {
  source f;
  f.step(event::connected{});
  const auto failed = [&](const fetch_event& ev) {
    const auto out = all<effect::failed>(f.step(ev));
    REQUIRE(out.size() == 1);
    return out[0].why.message;
  };
  f.step(event::need{1, "a"});
  CHECK(failed(event::not_there{f.ask("a", 0), "it was deleted"}) == "the controller has no such code: it was deleted");
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 10, 20);
  CHECK(failed(event::disk_failed{2, "No space left on device"}) == "the node's disk: No space left on device");
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 10, 20);
  CHECK(failed(event::chunk{f.ask("a", 10), 9, 20}) ==
        "the controller sent 9 bytes at 10 of 20, which does not go with a content of 20");
  f.step(event::need{1, "a"});
  CHECK(failed(event::chunk{f.ask("a", 0), 0, 0}) == "the controller's copy is empty");
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 10, 20);
  CHECK(failed(event::chunk{f.ask("a", 10), 10, 21}) ==
        "the controller sent 10 bytes at 10 of 21, which does not go with a content of 20");
}

TEST_CASE("whoever is dropped hears nothing more, and what nobody needs is not fetched on") {
  source f;
  f.step(event::connected{});
  f.step(event::need{1, "a"});
  f.chunk("a", 0, 10, 40);
  auto out = f.step(event::drop_user{1});
  CHECK(all<effect::discard>(out).size() == 1);
  CHECK(f.f.bytes() == 0);
  CHECK(f.f.asked() == 3); // on their way all the same
  CHECK(offsets(f.step(event::need{2, "b"})).empty());
  CHECK(offsets(f.chunk("a", 10, 10, 40)).size() == 1);
}

TEST_CASE("a small thing does not wait for a large one to end") {
  const auto asked_small = [](wrong_fetch wrong) {
    source f{wrong};
    f.step(event::connected{});
    f.step(event::need{1, "large"});
    f.chunk("large", 0, 10, 90);
    f.step(event::need{2, "small"});
    bool out = false;
    for (const std::uint64_t offset : {10U, 20U})
      for (const auto& a : all<effect::ask_chunk>(f.chunk("large", offset, 10, 90)))
        out = out || a.digest == "small";
    return out;
  };
  CHECK(asked_small(wrong_fetch::none));
  CHECK_FALSE(asked_small(wrong_fetch::one_by_one));
}

} // namespace troupe::fetcher_test
