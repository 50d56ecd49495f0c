// One accepted target of a deployment, and the numbers that tell targets apart.
#pragma once

#include <troupe/messages/code_ref.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/status.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::deployment_state {

/// What a replica asks for, and on which nodes it may run: room is counted by both. Refers to its origin.
struct shape_ref {
  const resources& each;
  const placement_options& where;
  friend bool operator==(const shape_ref& a, const shape_ref& b) { return a.each == b.each && a.where == b.where; }
};

/// Of a claim, or of what it was granted.
template <class Shape>
shape_ref shape_in(const Shape& x) {
  return {x.each, x.where};
}

/// Immutable and shareable. Two releases with one `code_id` run the same code with the same code-level options; two
/// with one `config_id` have the same user_config.
struct release {
  deployment_spec spec;
  code_ref user_code;
  bool can_reconfigure = false;
  bool can_check = false;
  std::uint64_t revision = 0;
  std::uint32_t code_id = 0;
  std::uint32_t config_id = 0;
  std::uint64_t code_revision = 0;   ///< The revision that brought this code first.
  std::uint64_t config_revision = 0; ///< The revision that brought this user_config first.
  std::string cause;

  shape_ref shape() const { return {spec.per_replica, spec.where}; }
  /// Whether its shape is another one than that of a deployment which leaves all of it out.
  bool asks() const { return !spec.per_replica.empty() || spec.where != placement_options{}; }
  /// The version label, "R<revision that brought the code>" when none was given.
  std::string label() const { return spec.version.empty() ? "R" + std::to_string(code_revision) : spec.version; }
};

using release_ptr = std::shared_ptr<const release>;

/// Makes releases and keeps the last 10, the target's and the base's always. Confined to its machine.
class history {
public:
  static constexpr std::size_t kept = 10;

  /// Completes `draft` with the next revision number and with ids: those of `target`, else of `base`, else of the
  /// latest kept release,
  /// whose code-level fields (or config) are the same; new ones otherwise, and always where `new_code` (a restart, or a
  /// deploy without a version). Ids that the draft has already (a rollback) stay. Nothing is kept and no number used up
  /// until `keep`.
  release_ptr make(release draft, const release_ptr& target, const release_ptr& base, bool new_code);

  /// Appends; drops the oldest beyond `kept` that is neither `target` nor `base`.
  void keep(const release_ptr& r, const release_ptr& target, const release_ptr& base);

  /// The kept release with this revision, or the one before `target` when `revision` is 0; null when there is none.
  release_ptr find(std::uint64_t revision, const release_ptr& target) const;

  const std::vector<release_ptr>& all() const { return releases_; }
  void clear() { releases_.clear(); }

  /// The numbers that come next.
  struct counters {
    std::uint64_t revision = 1;
    std::uint32_t code = 1;
    std::uint32_t config = 1;
  };
  counters next() const { return {next_revision_, next_code_, next_config_}; }
  void restore(std::vector<release_ptr> releases, const counters& next) {
    releases_ = std::move(releases);
    next_revision_ = next.revision;
    next_code_ = next.code;
    next_config_ = next.config;
  }

private:
  std::vector<release_ptr> releases_; ///< Oldest first.
  std::uint64_t next_revision_ = 1;
  std::uint32_t next_code_ = 1;
  std::uint32_t next_config_ = 1;
};

/// Both have the same version and equal code-level fields (SPEC 1.2).
bool same_code(const release& a, const release& b);

/// Everything but the replica count equal: options, code and config.
bool same_but_count(const release& a, const release& b);

} // namespace troupe::deployment_state
