// Requests through a handle: from actors, inside handlers, from plain threads, with callbacks.
#include "../../actors/router/fake_replica.hpp"
#include <troupe/app/handle/handle.hpp>

#include <caf/event_based_actor.hpp>
#include <doctest/doctest.h>

#include <functional>

using namespace troupe;
using namespace troupe::router_test;

namespace {

using handle_type = handle<signature>;

/// Runs `start` in an actor that has no behavior of its own: it ends with its last outcome.
class caller final : public caf::event_based_actor {
public:
  using body = std::function<void(caller&)>;
  caller(caf::actor_config& cfg, handle_type to, body start, std::atomic<int>* alive = nullptr)
      : event_based_actor(cfg), h(std::move(to)), start_(std::move(start)), alive_(alive) {
    if (alive_)
      ++*alive_;
  }
  ~caller() override {
    if (alive_)
      --*alive_;
  }
  caf::behavior make_behavior() override {
    start_(*this);
    return {};
  }
  void ask(std::uint64_t n, std::vector<std::uint64_t>& to) {
    h.request(this, ping{n}).then([&to](pong p) { to.push_back(p.number); }, [](const error&) { FAIL("no error"); });
  }
  handle_type h;

private:
  body start_;
  std::atomic<int>* alive_;
};

} // namespace

TEST_CASE("an actor without a behavior gets all of its answers and then ends") {
  world w{{.max_ongoing = 3}};
  w.cells.push_back(&fake_replica::start(w.sys, *w.calls, answer_at_once));
  std::vector<std::uint64_t> got;
  std::atomic<int> alive{0};
  w.sys.spawn<caller>(
      handle_type{w.calls},
      [&](caller& self) {
        for (std::uint64_t i = 0; i < 20; ++i)
          self.ask(i, got);
      },
      &alive);
  w.scheduler.run();
  CHECK(got.size() == 20);
  for (std::uint64_t i = 0; i < got.size(); ++i)
    CHECK(got[i] == i * 10);
  CHECK(alive == 0);
}

TEST_CASE("a continuation may send the next request, for ever") {
  world w{{.max_ongoing = 2}};
  w.cells.push_back(&fake_replica::start(w.sys, *w.calls, answer_at_once));
  std::atomic<int> alive{0};
  int answers = 0;
  std::function<void(caller&)> next = [&](caller& self) {
    self.h.request(&self, ping{1})
        .then(
            [&](pong) {
              if (++answers < 5000)
                next(self);
            },
            [](const error&) { FAIL("no error"); });
  };
  w.sys.spawn<caller>(handle_type{w.calls}, next, &alive);
  w.scheduler.run();
  CHECK(answers == 5000);
  CHECK(alive == 0);
}

TEST_CASE("an error goes to the error handler, troupe's or CAF's type") {
  world w;
  std::vector<errc> got;
  w.sys.spawn<caller>(handle_type{w.calls}, [&](caller& self) {
    self.h.request(&self, ping{}, {.timeout = 10ms})
        .then([](pong) { FAIL("no answer"); }, [&](const error& e) { got.push_back(e.code); });
    self.h.request(&self, ping{}, {.timeout = 20ms})
        .then([](pong) { FAIL("no answer"); },
              [&](caf::error& e) {
                got.push_back(e == caf::make_error(errc::timed_out) ? errc::timed_out : errc::none);
              });
  });
  w.scheduler.run();
  w.pass(30ms);
  CHECK(got == std::vector{errc::timed_out, errc::timed_out});
}

TEST_CASE("without an error handler an error ends the actor") {
  world w;
  std::atomic<int> alive{0};
  w.sys.spawn<caller>(
      handle_type{w.calls},
      [&](caller& self) { self.h.request(&self, ping{}, {.timeout = 10ms}).then([](pong) { FAIL("no answer"); }); },
      &alive);
  w.scheduler.run();
  CHECK(alive == 1);
  w.pass(20ms);
  CHECK(alive == 0);
}

TEST_CASE("the continuations of an actor that quits early never run and nothing leaks") {
  const auto calls_before = recorded_call::alive.load();
  std::atomic<int> alive{0}, continuations{0};
  struct witness { // lives in the continuations
    explicit witness(std::atomic<int>& n) : count(&n) { ++*count; }
    witness(const witness& other) : count(other.count) { ++*count; }
    ~witness() { --*count; }
    std::atomic<int>* count;
  };
  for (const int quits_at : {0, 1, 2}) {
    CAPTURE(quits_at);
    world w{{.max_ongoing = 10}};
    std::vector<call_ptr> kept;
    w.cells.push_back(&fake_replica::start(w.sys, *w.calls, [&](auto*, const call_ptr& call) {
      if (number_of(call) < 5)
        answer(call);
      else
        kept.push_back(call);
    }));
    int answers = 0;
    w.sys.spawn<caller>(
        handle_type{w.calls},
        [&, quits_at](caller& self) {
          for (std::uint64_t i = 0; i < 15; ++i) // 5 wait, 5 are kept, 5 are answered
            self.h.request(&self, ping{i})
                .then(
                    [&, seen = witness{continuations}, quits_at](pong) {
                      if (++answers == quits_at) {
                        self.quit();
                        self.h.request(&self, ping{99}).then([](pong) { FAIL("it has quit"); }, [](const error&) {});
                      }
                    },
                    [](const error&) { FAIL("no error"); });
          if (quits_at == 0)
            self.quit();
        },
        &alive);
    w.scheduler.run();
    CHECK(answers == quits_at);
    CHECK(alive == 0);
    for (auto& call : kept)
      answer(call);
    kept.clear();
    w.scheduler.run();
    for (auto& call : kept)
      answer(call);
    kept.clear();
    CHECK(w.calls->ongoing() == 0);
    CHECK(continuations == 0);
  }
  CHECK(recorded_call::alive == calls_before);
}

TEST_CASE("a continuation that throws ends its actor and frees the others") {
  world w{{.max_ongoing = 10}};
  w.cells.push_back(&fake_replica::start(w.sys, *w.calls, answer_at_once));
  std::atomic<int> alive{0};
  int answers = 0;
  w.sys.spawn<caller>(
      handle_type{w.calls},
      [&](caller& self) {
        self.set_exception_handler([](std::exception_ptr&) -> caf::error { return caf::sec::runtime_error; });
        for (std::uint64_t i = 0; i < 8; ++i)
          self.h.request(&self, ping{i})
              .then(
                  [&](pong) {
                    if (++answers == 3)
                      throw std::runtime_error("oops");
                  },
                  [](const error&) { FAIL("no error"); });
      },
      &alive);
  w.scheduler.run();
  CHECK(answers == 3);
  CHECK(alive == 0);
}

TEST_CASE("one handle object may serve one actor after another, and may go before its answers come") {
  world w{{.max_ongoing = 10}};
  w.cells.push_back(&fake_replica::start(w.sys, *w.calls, answer_at_once));
  std::vector<std::uint64_t> got;
  auto shared = std::make_unique<handle_type>(w.calls);
  const auto ask = [&](caller& self) {
    shared->request(&self, ping{7}).then([&](pong p) { got.push_back(p.number); }, [](const error&) { FAIL("error"); });
  };
  w.sys.spawn<caller>(handle_type{}, ask);
  w.sys.spawn<caller>(handle_type{}, ask);
  w.sys.spawn<caller>(handle_type{}, [&](caller&) { shared.reset(); });
  w.scheduler.run();
  CHECK(got == std::vector<std::uint64_t>{70, 70});
}

TEST_CASE("a call made in a handler is answered to the replica and inherits its context, in continuations too") {
  world w{{.max_ongoing = 10}};
  auto back = router::make(w.sys, {.name = "back", .number = 2});
  std::vector<std::uint64_t> numbers;
  std::vector<time_point> deadlines;
  auto& end = fake_replica::start(w.sys, *back, [&](auto*, const call_ptr& call) {
    numbers.push_back(call->ctx.request_number);
    deadlines.push_back(call->ctx.deadline);
    answer(call);
  });
  handle_type behind{back};
  w.cells.push_back(&fake_replica::start(w.sys, *w.calls, [&](auto*, const call_ptr& call) {
    const auto attempt = call->attempts();
    behind.request(ping{1}).then(
        [&, call, attempt](pong) {
          behind.request(ping{2}).then([&, call, attempt](pong p) { answer(call, attempt, p.number); },
                                       [](const error&) { FAIL("no error"); });
        },
        [](const error&) { FAIL("no error"); });
  }));
  call_ptr sent = w.send(0, 50ms);
  const auto number = sent->ctx.request_number;
  const auto deadline = sent->ctx.deadline;
  w.scheduler.run();
  CHECK(w.of(0).answer == 20);
  CHECK(numbers == std::vector{number, number});
  CHECK(deadlines == std::vector{deadline, deadline});
  CHECK_THROWS_AS(static_cast<void>(behind.request(ping{3})), std::logic_error);
  back->shut({});
  back->release(end);
}

TEST_CASE("plain threads get futures; errors are thrown") {
  caf::actor_system_config config;
  caf::actor_system sys{config};
  auto calls = router::make(sys, {.name = "spell", .limits = {.max_ongoing = 4}});
  handle_type h{calls};
  call_token token;
  auto waits = h.async(ping{1}, {}, &token);
  auto& c = fake_replica::start(sys, *calls, answer_at_once);
  CHECK(waits.get().number == 10);
  CHECK(token.done());
  std::vector<std::future<pong>> many;
  for (std::uint64_t i = 0; i < 500; ++i)
    many.push_back(h.async(ping{i}, {.timeout = 60s}));
  for (std::uint64_t i = 0; i < 500; ++i)
    CHECK(many[i].get().number == i * 10);
  calls->close(c);
  auto cancelled = h.async(ping{1}, {}, &token);
  CHECK(token.cancel());
  try {
    cancelled.get();
    FAIL("must throw");
  } catch (const request_failed& e) {
    CHECK(e.code() == errc::cancelled);
  }
  calls->shut({errc::unavailable, "gone"});
  CHECK_THROWS_AS(h.async(ping{1}).get(), request_failed);
  calls->release(c);
}

TEST_CASE("callbacks get a result") {
  world w;
  handle_type h{w.calls};
  std::vector<errc> codes;
  std::uint64_t value = 0;
  auto token = h.call(ping{4}, [&](result<pong> r) { codes.push_back(r.code()); });
  token.cancel();
  h.call(ping{4}, {.timeout = 1s}, [&](result<pong> r) {
    codes.push_back(r.code());
    value = r->number;
  });
  answer(w.replica().next());
  CHECK(codes == std::vector{errc::cancelled, errc::none});
  CHECK(value == 40);
}

TEST_CASE("a call made in a handler knows which deployment made it, through any number of calls, and costs no tags") {
  world w{{.max_ongoing = 10}};
  const auto other = router::make(w.sys, {.name = "shop/cart", .limits = {.max_ongoing = 10}});
  auto& first = w.replica();
  auto& second = other->acquire({1, 0});
  other->open(second);
  handle_type front{w.calls}, back{other};
  front.call(ping{1}, [](result<pong>) {});
  const auto outer = first.next();
  REQUIRE(outer);
  CHECK(outer->ctx.caller().empty());
  const auto in_handler_of = [](const call_ptr& call, const handle_type& to) {
    const enter_scope scope{{nullptr, call.get(), nullptr}};
    to.call(ping{2}, [](result<pong>) {});
  };
  in_handler_of(outer, back);
  const auto middle = second.next();
  REQUIRE(middle);
  CHECK(middle->ctx.caller() == "spell");
  CHECK(middle->ctx.tags == nullptr);
  in_handler_of(middle, front);
  const auto inner = first.next();
  REQUIRE(inner);
  CHECK(inner->ctx.caller() == "shop/cart");
  for (const auto& call : {inner, middle, outer})
    answer(call);
  other->shut({errc::runtime_stopped, {}});
  other->release(second);
}

TEST_CASE("the caller of a request from another process is what came with it") {
  world w{{.max_ongoing = 10}};
  auto& c = w.replica();
  outcome got;
  call_ptr call{new recorded_call(1, got), false};
  auto tags = std::make_shared<request_tags>();
  tags->caller = "shop/cart";
  call->ctx.tags = std::move(tags);
  router::submit(w.calls, call, nullptr);
  const auto begun = c.next();
  CHECK(begun->ctx.caller() == "shop/cart");
  {
    const enter_scope scope{{nullptr, begun.get(), nullptr}};
    handle_type{w.calls}.call(ping{2}, [](result<pong>) {});
  }
  const auto child = c.next();
  CHECK(child->ctx.tags == begun->ctx.tags);
  CHECK(child->ctx.caller() == "spell");
  answer(child);
  answer(begun);
}

TEST_CASE("routing key and model travel as tags, and calls made in the handler inherit them") {
  world w{{.max_ongoing = 10}};
  handle_type h{w.calls};
  auto& c = w.replica();
  h.call(ping{1}, {.routing_key = "alice", .model_id = "m"}, [](result<pong>) {});
  const auto parent = c.next();
  REQUIRE(parent);
  CHECK(parent->ctx.session_id() == "alice");
  CHECK(parent->ctx.model_id() == "m");
  {
    const enter_scope scope{{nullptr, parent.get(), nullptr}};
    h.call(ping{2}, [](result<pong>) {});
    h.call(ping{3}, {.model_id = "n"}, [](result<pong>) {});
  }
  const auto same = c.next(), other = c.next();
  REQUIRE(other);
  CHECK(same->ctx.tags == parent->ctx.tags);
  CHECK(other->ctx.session_id() == "alice");
  CHECK(other->ctx.model_id() == "n");
  h.call(ping{4}, [](result<pong>) {});
  const auto plain = c.next();
  CHECK(plain->ctx.tags == nullptr);
  CHECK(plain->ctx.request_id() == std::to_string(plain->ctx.request_number));
  for (const auto& call : {parent, same, other, plain})
    answer(call);
}
