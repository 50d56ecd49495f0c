// Decides which nodes belong to the cluster, which of them get replicas, and when what one of them has is void.
//
//                  hello, a name that is free (1)
//                              |
//                              v        (2) what it brought is adopted or stopped
//                         +---------+ -------------------------------------------> +-------+
//                         | joining |                                              | ready |
//                         +---------+                              (5) uncordon    +-------+
//                              |  |       +----------+ ---------------------------->  |  ^
//                              |  '-(2)-> | draining | <------------------------------'  |
//        (3) connection lost,  |          +----------+     (4) drain, or it says that it | (6) back in time: to where
//            or silent         |             |      |          leaves                    |     it was before
//                              v             | (3)  |                                    |
//                         +---------+ <------'      |                                    |
//                         | suspect | --------------+------------------------------------'
//                         +---------+ <-----(3) from ready
//                              |                    | (8) it leaves, and nothing is left there
//         (7) not back in time |                    | (8)
//             or superseded    v                    v
//                          +------+             +------+
//                          | lost |             | gone |
//                          +------+             +------+
//
// (1) also while the one of that name is lost or gone, or suspect without a connection and of another incarnation:
//     then its process has ended, and (7) holds for it at once
// (2) `settled`; into draining where the operator, or the node, wants it to be
// (3) `disconnected`, or nothing was heard for `suspect_after`
// (4) no new replicas; what is there moves away. A cordoned node is ready and gets no new ones, but keeps what it has
// (6) a hello of the same incarnation, or a word on the connection that was silent. Its id stays, nothing was given up
// (7) nothing heard for `lost_after` more, or (1) of another incarnation, or in joining not settled in `join_timeout`:
//     what it had is void. When it is back it joins under a new id, and what it brings is looked at anew
// (8) it leaves, and nothing is left there
// Lost and gone ones are shown for `forget_after`, or until `remove`, which also ends one that is alive.
//
// Invariants:
// * One record for each name. Ids are never reused and only grow, also over a restart of the controller.
// * Replicas are placed on a node (`offer`) only while it is ready, not cordoned and nobody wants to drain it.
// * An id is voided at most once, before its name is admitted again; after that nothing is said of it.
// * Each hello is answered at once, by one `admit`, `resume` or `refuse`.
// * A fact about an old connection, or an id that is not alive, changes nothing: copies and late words are harmless.
// * What operators want (cordon, drain) belongs to the name: it survives a return, a new incarnation and a restart.
#pragma once

#include <troupe/messages/error.hpp>
#include <troupe/messages/node.hpp>
#include <troupe/messages/resources.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::nodes {

/// Time since the clock's epoch; only differences matter.
using instant = std::chrono::nanoseconds;

/// Travels: never renumber.
enum class node_state : std::uint8_t { joining = 0, ready = 1, suspect = 2, lost = 3, draining = 4, gone = 5 };
std::string to_string(node_state x); ///< "JOINING" ...
constexpr node_state last_enumerator(node_state) { return node_state::gone; }
constexpr bool is_alive(node_state x) { return x != node_state::lost && x != node_state::gone; }

/// What a node says of itself when it joins.
struct node_about {
  std::string name; ///< As an application's name.
  /// Drawn at the start of the node's process, never 0: tells one that is back from one that was started again.
  std::uint64_t incarnation = 0;
  std::uint32_t wire_version = node_wire_version;
  std::string release; ///< Of the program, for people.
  std::string host;    ///< Where it runs, for people.
  std::map<std::string, std::string> labels;
  resources total;
};

/// What has to outlive the controller's process. A name's cordon counts also when no such node is there.
struct known_node {
  std::string name;
  bool cordoned = false;
  bool drained = false;  ///< An operator wants it to be empty.
  bool expected = false; ///< It was alive: a controller that starts again waits for it.
  friend bool operator==(const known_node&, const known_node&) = default;
};

struct limits {
  std::chrono::milliseconds suspect_after{2'000}; ///< Of silence. Nodes say something every third of it.
  std::chrono::milliseconds lost_after{5'000};    ///< From suspect on.
  std::chrono::milliseconds return_within{
      3'000}; ///< Instead, for one that an earlier controller had: from the start on.
  std::chrono::milliseconds join_timeout{30'000};
  std::chrono::milliseconds forget_after{3'600'000};
  std::size_t max_nodes = 4'096; ///< Alive.
};

namespace event {
/// The first event: what an earlier controller has stored. Expected ones are suspect from now on, `return_within` long.
struct restore {
  std::vector<known_node> known;
  std::uint64_t last_id = 0; ///< Ids begin above it.
};
/// A node wants to join, or is back. `link` is the connection's number, never reused.
struct hello {
  std::uint64_t link = 0;
  node_about about;
};
/// What the node brought is adopted or told to stop.
struct settled {
  std::uint64_t id = 0;
};
/// A word of the node: on this connection it is alive.
struct heard {
  std::uint64_t link = 0;
};
struct disconnected {
  std::uint64_t link = 0;
  std::string why; ///< For people.
};
/// No replica is left there. Only meant after `effect::evacuate`; to be said also where none was.
struct emptied {
  std::uint64_t id = 0;
};
/// A replica has come there after all: it had been given its room before the node was to be empty. `emptied` follows.
struct occupied {
  std::uint64_t id = 0;
};
/// Its process is asked to end.
struct leaving {
  std::uint64_t id = 0;
};
struct cordon {
  std::string name;
  bool on = true; ///< Off takes back a drain, too.
};
struct drain {
  std::string name;
};
struct remove {
  std::string name;
  bool force = false; ///< Also one that is alive and not empty: what it has is void.
};
/// The timer armed last has fired; an older epoch is ignored.
struct timer {
  std::uint64_t epoch = 0;
};
} // namespace event

using any_event =
    std::variant<event::restore, event::hello, event::settled, event::heard, event::disconnected, event::emptied,
                 event::occupied, event::leaving, event::cordon, event::drain, event::remove, event::timer>;

/// The complete list of what the machine can do to the world.
namespace effect {
/// It is one of us, as `id`. What it brings is to be looked at, then `settled` is said.
struct admit {
  std::uint64_t id = 0;
  std::uint64_t link = 0;
  node_about about;
};
/// It is back in time: `id` and all that it has stand.
struct resume {
  std::uint64_t id = 0;
  std::uint64_t link = 0;
};
/// The connection's node is told why, then the connection is closed.
struct refuse {
  std::uint64_t link = 0;
  error why;
  bool for_good = false; ///< It ends its replicas and itself. Else it keeps them and tries again, later.
};
/// The connection is closed without a word: its node has a newer one, or is frozen.
struct close {
  std::uint64_t link = 0;
};
/// New replicas may be placed there, or no longer.
struct offer {
  std::uint64_t id = 0;
  bool on = true;
};
/// Routers send elsewhere where they can, or no longer.
struct prefer_others {
  std::uint64_t id = 0;
  bool on = true;
};
/// What it has is to be replaced elsewhere, then to be stopped. Answered by `emptied`, at once where nothing is there.
struct evacuate {
  std::uint64_t id = 0;
  bool on = true; ///< Off: the operator has changed their mind.
};
/// All that it had counts as dead, and what was sent to it as begun. For an expected one: it is not waited for any
/// more.
struct void_node {
  std::uint64_t id = 0;
  std::string why;
};
/// It has left with nothing on it; its process may end.
struct release {
  std::uint64_t id = 0;
  std::uint64_t link = 0; ///< 0 = its connection has ended.
};
/// To be on disk before what follows it. Without any wish and not expected, nothing of it needs to be kept.
struct persist {
  known_node what;
  std::uint64_t last_id = 0;
};
struct arm_timer {
  instant at{0};
  std::uint64_t epoch = 0;
};
/// For people and hooks. `kind` is a stable word: "node_joined", "node_suspect" ...
struct notify {
  std::string kind;
  std::string node;
  std::string text;
};
} // namespace effect

using any_effect = std::variant<effect::admit, effect::resume, effect::refuse, effect::close, effect::offer,
                                effect::prefer_others, effect::evacuate, effect::void_node, effect::release,
                                effect::persist, effect::arm_timer, effect::notify>;

/// Commands are refused with `refused`; then nothing has changed.
struct transition {
  std::vector<any_effect> effects;
  error refused;
};

/// One line of `troupe node list`.
struct node_view {
  std::uint64_t id = 0;
  node_about about;
  node_state state = node_state::joining;
  bool cordoned = false;
  bool drained = false; ///< Somebody wants it to be empty.
  bool empty = false;   ///< It is drained and may be stopped.
  instant since{0};     ///< Of the state.
  instant heard{0};
  std::string message;
};

/// Deliberately wrong variants of single rules; the tests prove with them that they would notice.
enum class wrong_rule : std::uint8_t {
  none,
  takes_over,       ///< A second process takes the name of one that is alive.
  forgets_cordon,   ///< A node that joins again is not cordoned any more.
  trusts_old_links, ///< The end of an old connection counts for the new one.
  voids_twice,      ///< A lost node is voided again when its name is admitted.
  keeps_id,         ///< A lost node is back under its old id.
  ignores_silence,  ///< Only a connection's end tells.
};

/// Pure; confined to its actor (or test). An event costs O(log nodes), a timer O(nodes whose time has come).
class machine {
public:
  explicit machine(limits l = {}, wrong_rule wrong = wrong_rule::none) : limits_(l), wrong_(wrong) {}

  transition step(instant now, const any_event& ev);

  /// By name; lost and gone ones included. O(nodes).
  std::vector<node_view> list() const;
  std::size_t alive() const { return ids_.size(); }
  bool has(const std::string& name) const { ///< Alive.
    const auto it = records_.find(name);
    return it != records_.end() && nodes::is_alive(it->second.state);
  }

private:
  struct record {
    std::uint64_t id = 0;
    node_about about;
    node_state state = node_state::joining;
    node_state before = node_state::joining; ///< While suspect: where (6) leads.
    bool leaving = false;
    bool restored = false; ///< Not heard of since the controller has started.
    bool offered = false;
    bool evacuating = false;
    bool empty = false;
    std::uint64_t link = 0; ///< 0 = none.
    instant since{0};
    instant heard{0};
    instant due{0}; ///< When `deadlines_` has it.
    std::string message;
    std::vector<std::uint64_t> former; ///< Incarnations that had the name before; the last few.
  };

  void on(const event::restore& ev);
  void on(const event::hello& ev);
  void on(const event::settled& ev);
  void on(const event::heard& ev);
  void on(const event::disconnected& ev);
  void on(const event::emptied& ev);
  void on(const event::occupied& ev);
  void on(const event::leaving& ev);
  void on(const event::cordon& ev);
  void on(const event::drain& ev);
  void on(const event::remove& ev);
  void on(const event::timer& ev);

  record& renew(const node_about& about, node_state state);
  void come_back(record& r, std::uint64_t link);
  void suspect(record& r, std::string why);
  void end(record& r, node_state as, std::string why);
  void give_up(record& r, const std::string& why); ///< Before its name, or its record, is another's.
  void enter(record& r, node_state next, std::string why);
  void follow(record& r); ///< Emits what follows from its state and from what is wanted of it.
  void expire(record& r);
  void arm(record& r, instant at);
  void close_link(record& r);
  void wish(const std::string& name, bool cordoned, bool drained, bool expected);
  void refuse(errc code, std::string why);
  void turn_away(std::uint64_t link, errc code, std::string why, bool for_good);
  record* by_id(std::uint64_t id);          ///< Alive; nullptr if there is none.
  record* by_name(const std::string& name); ///< Likewise.
  bool unknown(const std::string& name);

  known_node known(const std::string& name) const;
  node_state resting(const record& r) const;
  instant deadline(const record& r) const;

  template <class Effect>
  void emit(Effect e) {
    out_.effects.emplace_back(std::move(e));
  }

  limits limits_;
  wrong_rule wrong_;
  instant now_{0};
  transition out_;
  std::uint64_t last_id_ = 0;
  std::uint64_t timer_epoch_ = 0;
  instant armed_{0}; ///< 0 = no timer runs.
  std::map<std::string, record> records_;
  std::map<std::string, known_node> known_;    ///< What is stored.
  std::map<std::uint64_t, std::string> ids_;   ///< Of those alive.
  std::map<std::uint64_t, std::string> links_; ///< Of those that have one.
  std::set<std::pair<instant, std::string>> deadlines_;
};

/// All that is wrong with what a node says of itself; empty when it may join.
std::vector<std::string> problems(const node_about& x);

} // namespace troupe::nodes
