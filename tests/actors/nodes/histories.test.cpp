// Random histories of nodes: processes, connections, operators, late and copied words; the machine's invariants are
// looked at after each step, from what it said alone.
#include <troupe/actors/nodes/machine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::nodes;
using namespace std::chrono_literals;
using state = node_state;

class history {
public:
  explicit history(std::uint64_t seed, wrong_rule wrong = wrong_rule::none) : dice_(seed), machine_(limits_, wrong) {}

  /// What was broken first; empty when nothing was.
  std::string run(int steps) {
    for (int i = 0; i < steps && broken_.empty(); ++i)
      act();
    if (broken_.empty())
      come_to_rest();
    return broken_;
  }

private:
  struct process {
    std::string name;
    std::uint64_t incarnation = 0;
    std::uint64_t link = 0; ///< 0 = none.
    std::uint64_t id = 0;   ///< As it was told.
    bool refused = false;   ///< For good.
    bool released = false;
  };
  struct known {
    std::string name;
    bool offered = false, evacuating = false, empty = false, over = false;
  };

  std::uint64_t below(std::uint64_t n) { return dice_() % n; }
  void fail(const std::string& what) {
    if (broken_.empty())
      broken_ = what;
  }

  void act() {
    const auto choice = below(100);
    if (processes_.empty() || choice < 8)
      return begin_process();
    auto& p = processes_[below(processes_.size())];
    if (choice < 30) {
      connect(p);
    } else if (choice < 50) {
      if (p.link != 0)
        step(event::heard{p.link});
    } else if (choice < 58) {
      disconnect(p);
    } else if (choice < 68) {
      step(event::settled{any_id(p)});
    } else if (choice < 72) {
      const auto id = any_id(p);
      if (const auto it = ids_.find(id); it != ids_.end())
        it->second.empty = true;
      step(event::emptied{id});
    } else if (choice < 73) {
      const auto id = any_id(p);
      if (const auto it = ids_.find(id); it != ids_.end())
        it->second.empty = false;
      step(event::occupied{id});
    } else if (choice < 76) {
      step(event::leaving{any_id(p)});
    } else if (choice < 80) {
      command(event::cordon{any_name(), below(2) == 0});
    } else if (choice < 83) {
      command(event::drain{any_name()});
    } else if (choice < 86) {
      command(event::remove{any_name(), below(2) == 0});
    } else if (choice < 90) {
      say_again();
    } else {
      pass(std::chrono::milliseconds{below(4'000)});
    }
  }

  std::string any_name() { return std::string(1, static_cast<char>('a' + below(4))); }
  std::uint64_t any_id(const process& p) { return below(6) == 0 ? below(last_id_ + 2) : p.id; }

  void begin_process() {
    if (processes_.size() > 12)
      processes_.erase(processes_.begin());
    processes_.push_back({any_name(), ++incarnations_, 0, 0, false, false});
  }

  void connect(process& p) {
    if (p.refused || p.released)
      return;
    p.link = ++links_;
    node_about x;
    x.name = p.name;
    x.incarnation = p.incarnation;
    step(event::hello{p.link, x});
  }

  void disconnect(process& p) {
    if (p.link == 0)
      return;
    old_links_.push_back(p.link);
    step(event::disconnected{std::exchange(p.link, 0), {}});
  }

  /// A late or copied fact of a connection that has ended.
  void say_again() {
    if (old_links_.empty())
      return;
    const auto link = old_links_[below(old_links_.size())];
    const auto before = machine_.list();
    if (below(2) == 0)
      step(event::heard{link});
    else
      step(event::disconnected{link, "again"});
    const auto after = machine_.list();
    const auto same = [](const node_view& a, const node_view& b) {
      return a.about.name == b.about.name && a.id == b.id && a.state == b.state;
    };
    if (!std::equal(before.begin(), before.end(), after.begin(), after.end(), same))
      fail("a late word changed a state");
  }

  void command(const any_event& ev) {
    const auto before = wishes_;
    const bool refused = step(ev);
    if (refused)
      return;
    if (const auto* c = std::get_if<event::cordon>(&ev)) {
      wishes_[c->name].first = c->on;
      wishes_[c->name].second = c->on && wishes_[c->name].second;
    } else if (const auto* d = std::get_if<event::drain>(&ev)) {
      wishes_[d->name].second = true;
    } else if (const auto* r = std::get_if<event::remove>(&ev)) {
      wishes_.erase(r->name);
    }
    check();
  }

  void pass(instant time) {
    const auto until = now_ + time;
    while (armed_ && armed_->at <= until && broken_.empty()) {
      now_ = std::max(now_, armed_->at);
      const auto epoch = armed_->epoch;
      armed_.reset();
      step(event::timer{epoch});
    }
    now_ = until;
  }

  /// Everybody falls silent.
  void come_to_rest() {
    pass(limits_.join_timeout + limits_.suspect_after + limits_.lost_after);
    if (machine_.alive() != 0)
      fail("somebody silent is alive");
    pass(limits_.forget_after + 1s);
    if (!machine_.list().empty())
      fail("somebody lost is shown for ever");
    if (armed_)
      fail("a timer runs although nothing is left");
    for (const auto& [id, k] : ids_)
      if (!k.over)
        fail("id " + std::to_string(id) + " was neither voided nor released");
  }

  bool step(const any_event& ev) {
    in_hello_ = std::holds_alternative<event::hello>(ev);
    before_.clear();
    if (in_hello_)
      for (const auto& v : machine_.list())
        before_[v.id] = v.state;
    const auto t = machine_.step(now_, ev);
    if (t.refused.code != errc::none && !t.effects.empty())
      fail("a refused command had effects");
    answers_ = 0;
    for (const auto& e : t.effects)
      std::visit([this](const auto& x) { obey(x); }, e);
    if (answers_ != (in_hello_ ? 1 : 0))
      fail("a hello has " + std::to_string(answers_) + " answers");
    if (!std::holds_alternative<event::cordon>(ev) && !std::holds_alternative<event::drain>(ev) &&
        !std::holds_alternative<event::remove>(ev))
      check();
    return t.refused.code != errc::none;
  }

  process* by_link(std::uint64_t link) {
    const auto it = std::find_if(processes_.begin(), processes_.end(), [&](const auto& p) { return p.link == link; });
    return it == processes_.end() ? nullptr : &*it;
  }
  known* of(std::uint64_t id) {
    const auto it = ids_.find(id);
    if (it == ids_.end() || it->second.over) {
      fail("something is said of id " + std::to_string(id) + " that is not there any more");
      return nullptr;
    }
    return &it->second;
  }

  void obey(const effect::admit& e) {
    ++answers_;
    if (e.id <= last_id_)
      fail("id " + std::to_string(e.id) + " is not new");
    last_id_ = std::max(last_id_, e.id);
    for (const auto& [id, k] : ids_)
      if (k.name == e.about.name && !k.over)
        fail("a name is admitted twice");
    ids_[e.id] = {e.about.name, false, false, false, false};
    if (auto* p = by_link(e.link))
      p->id = e.id;
    if (stored_id_ < e.id)
      fail("an id is told before it is stored");
  }
  void obey(const effect::resume& e) {
    ++answers_;
    of(e.id);
  }
  void obey(const effect::refuse& e) {
    answers_ += in_hello_ ? 1 : 0; // `remove` refuses one that was admitted before
    if (auto* p = by_link(e.link)) {
      p->refused = p->refused || e.for_good;
      p->link = 0;
    }
    old_links_.push_back(e.link);
  }
  void obey(const effect::close& e) {
    if (auto* p = by_link(e.link))
      p->link = 0;
    old_links_.push_back(e.link);
  }
  void obey(const effect::offer& e) {
    if (auto* k = of(e.id); k && std::exchange(k->offered, e.on) == e.on)
      fail("an offer is told twice");
  }
  void obey(const effect::prefer_others& e) { of(e.id); }
  void obey(const effect::evacuate& e) {
    if (auto* k = of(e.id); k && std::exchange(k->evacuating, e.on) == e.on)
      fail("an evacuation is told twice");
  }
  void obey(const effect::void_node& e) {
    if (const auto it = before_.find(e.id); it != before_.end() && it->second != state::suspect)
      fail("one of the same name has ended a node that was " + to_string(it->second));
    end(e.id);
  }
  void obey(const effect::release& e) {
    if (const auto* k = of(e.id); k && (!k->evacuating || !k->empty))
      fail("a node is released that is not empty");
    if (auto* p = by_link(e.link); p && e.link != 0) {
      p->released = true;
      p->link = 0;
    }
    end(e.id);
  }
  void end(std::uint64_t id) {
    if (auto* k = of(id))
      k->over = true;
  }
  void obey(const effect::persist& e) { stored_id_ = std::max(stored_id_, e.last_id); }
  void obey(const effect::arm_timer& e) { armed_ = e; }
  void obey(const effect::notify&) {}

  void check() {
    std::set<std::uint64_t> listed;
    for (const auto& v : machine_.list()) {
      const auto wish = wishes_.find(v.about.name);
      const auto [cordoned, drained] = wish == wishes_.end() ? std::pair{false, false} : wish->second;
      if (v.cordoned != cordoned || (drained && !v.drained))
        fail("what an operator wants of " + v.about.name + " is forgotten");
      if (v.state == state::lost || v.state == state::gone)
        continue;
      listed.insert(v.id);
      const auto* k = of(v.id);
      if (!k)
        return;
      if (k->offered != (v.state == state::ready && !v.cordoned && !v.drained))
        fail(v.about.name + " is " + to_string(v.state) + (k->offered ? ", and gets replicas" : ", and gets none"));
      if (v.state == state::draining && !k->evacuating)
        fail("a draining node is not emptied");
      if (v.empty && !k->empty)
        fail(v.about.name + " is said to be empty, and somebody has come there");
      const auto silent = now_ - v.heard;
      if (v.state != state::suspect && silent > limits_.suspect_after + 0ms && (!armed_ || armed_->at > now_))
        fail(v.about.name + " is silent and " + to_string(v.state));
    }
    for (const auto& [id, k] : ids_)
      if (!k.over && listed.count(id) == 0)
        fail("id " + std::to_string(id) + " is nowhere and was not voided");
  }

  std::mt19937_64 dice_;
  limits limits_;
  machine machine_;
  instant now_ = 1000s;
  std::optional<effect::arm_timer> armed_;
  std::vector<process> processes_;
  std::vector<std::uint64_t> old_links_;
  std::map<std::uint64_t, known> ids_;
  std::map<std::string, std::pair<bool, bool>> wishes_; ///< Cordon and drain.
  std::uint64_t incarnations_ = 0, links_ = 0, last_id_ = 0, stored_id_ = 0;
  std::map<std::uint64_t, state> before_; ///< The hello that is answered.
  bool in_hello_ = false;
  int answers_ = 0;
  std::string broken_;
};

/// The first seed that breaks something; 0 = none.
std::uint64_t first_broken(std::uint64_t seeds, wrong_rule wrong = wrong_rule::none) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    if (!history(seed, wrong).run(300).empty())
      return seed;
  return 0;
}

} // namespace

TEST_CASE("nodes: whatever happens in whatever order, the invariants hold") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const auto broken = history(seed).run(300);
    REQUIRE_MESSAGE(broken.empty(), "seed " << seed << ": " << broken);
  }
}

TEST_CASE("nodes: each deliberately wrong rule is noticed") {
  for (const auto wrong : {wrong_rule::takes_over, wrong_rule::forgets_cordon, wrong_rule::trusts_old_links,
                           wrong_rule::voids_twice, wrong_rule::keeps_id, wrong_rule::ignores_silence}) {
    CAPTURE(static_cast<int>(wrong));
    CHECK(first_broken(500, wrong) != 0);
  }
}
