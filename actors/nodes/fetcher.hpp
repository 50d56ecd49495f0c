// Brings to a node the code that its replicas need, by content, and keeps it within a limit.
//
//            need            every chunk is here            it is what was asked for
//   absent --------> fetching ------------------> checking --------------------------> kept
//     ^ ^              | ^                          |  |                               |
//     | |              | '------ it is not (1) -----'  |                               |
//     | '-------------(2)-----------------------------(2)                              |
//     '-------------------- nobody needs it, and its room is wanted (3) ---------------'
//
// (1) from the first byte, `tries` times; then it cannot be had
// (2) nobody needs it any more, it cannot be had, there is no room, the disk fails
// (3) what was not needed for longest goes first
//
// Invariants:
// * Each need of a user and a digest is answered once, by `ready` or `failed`, unless the user is dropped before; one
//   of what is kept, at once, every time.
// * `ready` is said only of what was checked whole.
// * Kept and expected bytes together are never more than `cache_bytes`; what has a user is never removed.
// * At most `window` chunks are asked for and not here: what else uses the connection waits for few chunks at most.
// * Everything that is fetched gets its turn: a small library does not wait for a large package to end.
// * An answer that was not asked for, or comes twice, or belongs to an earlier connection, changes nothing.
#pragma once

#include <troupe/messages/error.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::nodes {

/// 0 counts as 1.
struct fetch_limits {
  std::uint64_t chunk_bytes = std::uint64_t{256} << 10U;
  std::uint32_t window = 4; ///< Chunks.
  std::uint64_t cache_bytes = std::uint64_t{10} << 30U;
  std::uint32_t tries = 3;
};

namespace event {
/// A copy of an earlier process, which had checked it; the longest unused first, before any `need`.
struct found {
  std::string digest;
  std::uint64_t bytes = 0;
};
/// A replica is to start. It may need several things.
struct need {
  std::uint64_t user = 0;
  std::string digest; ///< SHA-256 of the content.
};
/// The replica is gone, or will not start: it needs nothing any more.
struct drop_user {
  std::uint64_t user = 0;
};
/// The answer to `effect::ask_chunk`.
struct chunk {
  std::uint64_t ask = 0;
  std::uint64_t bytes = 0; ///< In this chunk.
  std::uint64_t total = 0; ///< Of the whole content, never 0.
};
/// The other answer to it.
struct not_there {
  std::uint64_t ask = 0;
  std::string why;
};
/// The disk did not take a chunk, or the check could not read.
struct disk_failed {
  std::uint64_t fetch = 0;
  std::string why;
};
/// The answer to `effect::check`.
struct checked {
  std::uint64_t fetch = 0;
  bool right = true;
};
/// To the controller. At first there is none; a new one ends the one before.
struct connected {};
struct connection_lost {};
} // namespace event

namespace effect {
struct ask_chunk {
  std::uint64_t ask = 0; ///< Never reused; the answer carries it.
  std::string digest;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0; ///< At most; the last one is shorter.
};
/// The chunk of this event belongs into the file of `fetch`: before the next event is given, so that no more than the
/// window is in memory, and before the check.
struct write_chunk {
  std::uint64_t fetch = 0; ///< Never reused.
  std::uint64_t offset = 0;
};
/// Nothing is missing: is it what was asked for? If so, it is to be in its place, durable, before `checked` is said.
struct check {
  std::uint64_t fetch = 0;
  std::string digest;
};
/// Its file goes, also one that a check has put in its place meanwhile; before anything later that has its digest.
struct discard {
  std::uint64_t fetch = 0;
};
struct ready {
  std::uint64_t user = 0;
  std::string digest;
};
/// The user does not need it any more.
struct failed {
  std::uint64_t user = 0;
  std::string digest;
  error why;
};
/// A kept copy goes.
struct remove_copy {
  std::string digest;
};
} // namespace effect

using fetch_event = std::variant<event::found, event::need, event::drop_user, event::chunk, event::not_there,
                                 event::disk_failed, event::checked, event::connected, event::connection_lost>;
using fetch_effect = std::variant<effect::ask_chunk, effect::write_chunk, effect::check, effect::discard, effect::ready,
                                  effect::failed, effect::remove_copy>;

/// Deliberately wrong variants of single rules; the tests prove with them that they would notice.
enum class wrong_fetch : std::uint8_t {
  none,
  forgets_users,  ///< Room is made of what is in use.
  ignores_limit,  ///< More is fetched than there is room for.
  trusts_bytes,   ///< `ready` without a check.
  ignores_window, ///< All of one thing is asked for at once.
  believes_late,  ///< The answers of an earlier connection count.
  one_by_one,     ///< The next thing is begun when the one before is whole.
};

/// Pure; confined to its actor (or test). An event costs O(log of what is known) for each user, copy or chunk that it
/// concerns; where room is short, also a look at the copies that nobody uses.
class fetcher {
public:
  explicit fetcher(fetch_limits l = {}, wrong_fetch wrong = wrong_fetch::none);

  std::vector<fetch_effect> step(const fetch_event& ev);

  std::uint64_t bytes() const noexcept { return bytes_; } ///< Kept and expected.
  std::size_t asked() const noexcept { return asked_.size(); }

private:
  struct transfer {
    std::string digest;
    std::set<std::uint64_t> users;
    std::uint64_t total = 0; ///< 0 = not known yet.
    std::uint64_t here = 0;
    std::uint64_t next = 0;        ///< Offset; all before it was asked for.
    std::set<std::uint64_t> again; ///< Offsets whose chunks were lost with a connection.
    std::uint32_t tries = 1;
    bool waits = false; ///< In `turns_`.
  };
  struct copy {
    std::uint64_t bytes = 0;
    std::set<std::uint64_t> users;
    std::uint64_t free_since = 0; ///< A count; in `free_` while nobody uses it.
  };
  using transfers = std::map<std::uint64_t, transfer>;

  void on(const event::found& ev);
  void on(const event::need& ev);
  void on(const event::drop_user& ev);
  void on(const event::chunk& ev);
  void on(const event::not_there& ev);
  void on(const event::disk_failed& ev);
  void on(const event::checked& ev);
  void on(const event::connected& ev);
  void on(const event::connection_lost& ev);

  struct place {
    std::uint64_t fetch = 0;
    std::uint64_t offset = 0;
  };
  place take_ask(std::uint64_t ask);
  void lose_asks();
  bool learn_total(transfers::iterator it, std::uint64_t total);
  bool make_room(std::uint64_t bytes);
  void begin_again(transfers::iterator it);
  void end(transfers::iterator it, const std::string& why);
  void forget(transfers::iterator it);
  void leave(transfers::iterator it);
  void release(const std::string& digest, std::uint64_t user);
  void queue(transfers::iterator it);
  bool can_ask(const transfer& t) const;
  void ask();

  template <class Effect>
  void emit(Effect e) {
    out_.emplace_back(std::move(e));
  }

  const fetch_limits limits_;
  const wrong_fetch wrong_;
  bool connected_ = false;
  std::vector<fetch_effect> out_;
  std::uint64_t bytes_ = 0;
  std::uint64_t last_fetch_ = 0;
  std::uint64_t releases_ = 0;
  std::map<std::string, copy> copies_;
  std::set<std::pair<std::uint64_t, std::string>> free_; ///< Copies without users, the longest unused first.
  transfers transfers_;
  std::map<std::string, std::uint64_t> fetching_;        ///< By digest.
  std::map<std::uint64_t, std::set<std::string>> needs_; ///< By user.
  std::uint64_t last_ask_ = 0;
  std::map<std::uint64_t, place> asked_; ///< Also for fetches that have ended.
  std::deque<std::uint64_t> turns_;
};

} // namespace troupe::nodes
