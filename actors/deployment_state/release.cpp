#include <troupe/actors/deployment_state/release.hpp>

#include <algorithm>

namespace troupe::deployment_state {

bool same_code(const release& a, const release& b) {
  const auto& x = a.user_code.fingerprint;
  const auto& y = b.user_code.fingerprint;
  if (!x.empty() && !y.empty() && x != y)
    return false;
  return !a.spec.version.empty() && a.spec.version == b.spec.version && a.spec.init_args == b.spec.init_args &&
         a.spec.execution == b.spec.execution && a.spec.isolation == b.spec.isolation &&
         a.spec.replicas_per_worker == b.spec.replicas_per_worker && a.spec.runtime_env == b.spec.runtime_env &&
         a.shape() == b.shape();
}

bool same_but_count(const release& a, const release& b) {
  if (a.code_id != b.code_id || a.config_id != b.config_id)
    return false;
  auto x = a.spec;
  x.num_replicas = b.spec.num_replicas;
  return x == b.spec;
}

release_ptr history::make(release draft, const release_ptr& target, const release_ptr& base, bool new_code) {
  draft.revision = next_revision_;
  const auto known = [&](auto&& same) -> release_ptr {
    for (const auto& first : {target, base})
      if (first && same(*first))
        return first;
    const auto it = std::find_if(releases_.rbegin(), releases_.rend(), [&](const auto& r) { return same(*r); });
    return it == releases_.rend() ? nullptr : *it;
  };
  const auto code = new_code ? nullptr : known([&](const release& r) { return same_code(r, draft); });
  if (draft.code_id == 0) {
    draft.code_id = code ? code->code_id : next_code_++;
    draft.code_revision = code ? code->code_revision : draft.revision;
  }
  const auto config = known([&](const release& r) { return r.spec.user_config == draft.spec.user_config; });
  if (draft.config_id == 0) {
    draft.config_id = config ? config->config_id : next_config_++;
    draft.config_revision = config ? config->config_revision : draft.revision;
  }
  return std::make_shared<const release>(std::move(draft));
}

void history::keep(const release_ptr& r, const release_ptr& target, const release_ptr& base) {
  next_revision_ = r->revision + 1;
  releases_.push_back(r);
  while (releases_.size() > kept) {
    const auto it =
        std::find_if(releases_.begin(), releases_.end(), [&](const auto& x) { return x != target && x != base; });
    if (it == releases_.end())
      return;
    releases_.erase(it);
  }
}

release_ptr history::find(std::uint64_t revision, const release_ptr& target) const {
  if (revision == 0) {
    release_ptr before;
    for (const auto& r : releases_)
      if (target && r->revision < target->revision && !(r->code_id == target->code_id && same_but_count(*r, *target)))
        before = r;
    return before;
  }
  const auto it =
      std::find_if(releases_.begin(), releases_.end(), [&](const auto& r) { return r->revision == revision; });
  return it == releases_.end() ? nullptr : *it;
}

} // namespace troupe::deployment_state
