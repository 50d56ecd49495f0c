// The replica's router has all the room that there is, and no timeouts: the port keeps the limit, and the router that a
// request came from gives its caller the outcome in time. A begun request keeps its slot, here and there, until its
// handler is done.
#include <troupe/actors/router/wire_call.hpp>
#include <troupe/app/worker/replica_port.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::worker {

/// Somebody is to be told of room, and there may be some. Local.
struct slot_is_free {};
/// It was told that a request of its will not begin. Local.
struct caller_was_refused {
  std::uint64_t from = 0;
};

/// Somebody was told of room a while ago, while others wait. Local.
struct ask_again {};
/// Local.
struct close_port {};
/// Local.
struct port_is_over {};

} // namespace troupe::worker

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::slot_is_free)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::caller_was_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::ask_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::close_port)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::worker::port_is_over)

namespace troupe::worker {

namespace {

/// For routers of other nodes, which hear of the replica's end by way of the controller.
constexpr std::chrono::seconds time_to_hear{5};
/// For who is told of room, before the next one is.
constexpr std::chrono::seconds time_to_answer{1};

using port_api = replica_port_actor::extend<takes<slot_is_free>, takes<caller_was_refused>, takes<ask_again>,
                                            takes<close_port>, takes<port_is_over>>;

/// Wakes the port, above all when room is wanted and there may be some. Thread-safe.
class room_bell {
public:
  explicit room_bell(caf::actor_addr port) : port_(std::move(port)) {}
  void want() noexcept { is_wanted_.store(true); }
  void ring() noexcept {
    if (is_wanted_.load() && is_wanted_.exchange(false))
      tell(slot_is_free{});
  }
  template <class T>
  void tell(T what) const {
    if (auto port = caf::actor_cast<caf::strong_actor_ptr>(port_))
      caf::anon_send(caf::actor_cast<port_api>(port), what);
  }

private:
  const caf::actor_addr port_;
  std::atomic<bool> is_wanted_{false};
};

/// The way back to one caller. It owns itself: calls that are still answered point at it, also when the replica and its
/// port are gone.
class answers final : public wire_receiver {
public:
  answers(std::uint64_t from, port_caller_actor to, std::shared_ptr<room_bell> bell)
      : from_(from), to_(std::move(to)), bell_(std::move(bell)) {}
  answers(const answers&) = delete;
  answers& operator=(const answers&) = delete;
  ~answers() override = default; // by `release` alone

  void answered(std::uint64_t id, std::string answer) noexcept override { send({id, 0, std::move(answer)}); }
  void failed(std::uint64_t id, const error& why) noexcept override {
    send({id, static_cast<std::uint8_t>(why.code), why.message});
  }
  void refused(std::uint64_t id) noexcept override {
    refuse({id});
    bell_->tell(caller_was_refused{from_});
  }
  void gone(std::uint64_t) noexcept override {
    bell_->ring();
    release();
  }

  void refuse(std::vector<std::uint64_t> ids) const { caf::anon_send(to_, calls_refused{std::move(ids)}); }
  void tell_of_room() const { caf::anon_send(to_, port_has_room{}); }
  const port_caller_actor& to() const noexcept { return to_; }

  void retain() noexcept { references_.fetch_add(1); } ///< For a call that will say `gone`.
  void release() noexcept {
    if (references_.fetch_sub(1) == 1)
      delete this;
  }

private:
  void send(worker_answer x) noexcept {
    worker_answers out;
    out.answers.push_back(std::move(x));
    caf::anon_send(to_, std::move(out));
    bell_->ring(); // with its outcome a call gives back its slot; if not, then with its end
  }

  const std::uint64_t from_;
  const port_caller_actor to_;
  const std::shared_ptr<room_bell> bell_;
  std::atomic<std::int64_t> references_{1};
};

struct releasing {
  void operator()(answers* x) const noexcept { x->release(); }
};

class port_shell final : public port_api::base {
public:
  port_shell(caf::actor_config& cfg, replica_port_boot&& b)
      : port_api::base(cfg), user_code_(std::move(b.user_code)), calls_(std::move(b.calls)), where_(b.where),
        bell_(std::make_shared<room_bell>(address())) {
    set_default_handler(caf::drop);
    set_down_handler([this](const caf::down_msg& m) { caller_is_gone(m.source); });
    calls_->set_room_listener([bell = bell_] { bell->ring(); });
  }

  const char* name() const override { return "troupe.replica_port"; }

  void on_exit() override {
    callers_.clear();
    waiting_.clear();
    calls_.reset();
    user_code_.reset();
  }

protected:
  behavior_type make_behavior() override {
    return {
        [this](open_port& x) {
          if (!x.caller || callers_.count(x.from) > 0)
            return;
          monitor(x.caller);
          const auto it = callers_.emplace(x.from, back{new answers{x.from, std::move(x.caller), bell_}}).first;
          if (is_closed_)
            it->second->refuse({});
        },
        [this](worker_calls& x) { take(x); },
        [this](const room_not_needed& x) {
          has_answered(x.from);
          give_room();
        },
        [this](close_intake) { calls_->close(*where_); },
        [this](slot_is_free) { give_room(); },
        [this](caller_was_refused x) { wait_for_room(x.from); },
        [this](close_port) {
          if (std::exchange(is_closed_, true))
            return;
          waiting_.clear();
          for (const auto& [from, to] : callers_)
            to->refuse({});
          caf::delayed_anon_send(caf::actor_cast<port_api>(this), time_to_hear, port_is_over{});
        },
        [this](ask_again) {
          if (std::exchange(tells_seen_, tells_) == tells_)
            told_.reset();
          asks_again_ = false;
          if (told_)
            ask_again_later();
          give_room();
        },
        [this](port_is_over) { quit(); },
    };
  }

private:
  using back = std::unique_ptr<answers, releasing>;

  /// One slot is kept for who was told of it.
  bool has_room(std::uint32_t limit, std::uint64_t from) const {
    const auto kept = told_ && *told_ != from ? 1U : 0U;
    return !is_closed_ && !where_->closed() && !where_->reconfiguring() &&
           where_->in_flight() + kept < std::max(limit, 1U);
  }

  void take(worker_calls& x) {
    const auto it = callers_.find(x.from);
    if (it == callers_.end())
      return;
    limit_ = x.max_ongoing;
    has_answered(x.from);
    auto& to = *it->second;
    std::vector<std::uint64_t> refused;
    for (auto& c : x.calls) {
      if (!has_room(x.max_ongoing, x.from)) {
        refused.push_back(c.id);
        continue;
      }
      to.retain();
      auto call = user_code_->read_call(c.key, c.request, to, c.id);
      if (!call) {
        to.failed(c.id, {errc::signature_mismatch, user_code_->traits().name + " cannot take this request"});
        to.release();
        continue;
      }
      call->ctx.request_number = c.context.request_number;
      if (c.context.remaining != wire_context::no_deadline)
        call->ctx.deadline = calls_->now() + c.context.remaining;
      if (c.context.tags)
        call->ctx.tags = std::make_shared<const request_tags>(std::move(*c.context.tags));
      router::submit(calls_, std::move(call), context());
    }
    if (refused.empty())
      return give_room(); // there may be some for the next one, too
    to.refuse(std::move(refused));
    wait_for_room(x.from);
  }

  void has_answered(std::uint64_t from) {
    if (told_ && *told_ == from)
      told_.reset();
  }

  void wait_for_room(std::uint64_t from) {
    if (is_closed_)
      return;
    if (std::find(waiting_.begin(), waiting_.end(), from) == waiting_.end())
      waiting_.push_back(from);
    give_room();
  }

  /// To one: it takes it, or passes it on, and until then it is kept for it. Else who is nearer would always be first.
  void give_room() {
    while (!told_ && !waiting_.empty()) {
      if (!has_room(limit_, 0)) {
        bell_->want();
        if (!has_room(limit_, 0)) // else something has ended before the bell could tell
          return;
      }
      const auto it = callers_.find(waiting_.front());
      waiting_.pop_front();
      if (it == callers_.end())
        continue;
      told_ = it->first;
      ++tells_;
      it->second->tell_of_room();
      ask_again_later();
    }
  }

  /// Who was told may be out of reach, and not known to be.
  void ask_again_later() {
    if (!std::exchange(asks_again_, true))
      caf::delayed_anon_send(caf::actor_cast<port_api>(this), time_to_answer, ask_again{});
  }

  void caller_is_gone(const caf::actor_addr& who) {
    for (auto it = callers_.begin(); it != callers_.end();)
      it = it->second->to()->address() == who ? callers_.erase(it) : std::next(it);
    if (told_ && callers_.count(*told_) == 0)
      told_.reset();
    give_room();
  }

  std::shared_ptr<const code> user_code_;
  std::shared_ptr<router> calls_;
  cell* where_;
  const std::shared_ptr<room_bell> bell_;
  std::map<std::uint64_t, back> callers_;
  std::deque<std::uint64_t> waiting_; ///< Who was refused, first first.
  bool is_closed_ = false;
  std::optional<std::uint64_t> told_; ///< Of room, and has not answered.
  std::uint64_t tells_ = 0, tells_seen_ = 0;
  bool asks_again_ = false;
  std::uint32_t limit_ = 1; ///< As the last one who sent something has it.
};

} // namespace

replica_port_actor spawn_replica_port(caf::actor_system& sys, replica_port_boot b) {
  caf::actor_config cfg;
  return sys.spawn_class<port_shell, caf::hidden>(cfg, std::move(b)); // a closed one has no owner who would end it
}

void close_replica_port(const replica_port_actor& port) {
  caf::anon_send(caf::actor_cast<port_api>(port), close_port{});
}

} // namespace troupe::worker
