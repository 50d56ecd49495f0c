// Secrets: what a config refers to by `{"$secret": "name"}` and only the user's code gets to see.
//
// A reference is all that is stored and shown. Where a deploy is prepared, each is sealed: a digest of the content is
// put beside the name, so that another content is another config. The content itself is read where user code is called.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::secrets {

/// A value.
struct options {
  std::filesystem::path data_dir{};               ///< Of the key for digests.
  std::filesystem::path secrets_dir{};            ///< A file for each secret, by its name; empty = none.
  std::filesystem::path credentials_dir{};        ///< Likewise, looked in after that: systemd's; empty = none.
  std::function<void(const std::string&)> warn{}; ///< Once for each file that others may read; any thread.
};

/// One reference that cannot be used. A value; says nothing of a content.
struct fault {
  std::string path;         ///< `user_config.db.password`
  std::string value;        ///< The reference, as JSON, at most 100 characters.
  std::string allowed;      ///< What may stand there, or why the secret cannot be had and where it was looked for.
  bool is_malformed = true; ///< Else a good reference to a secret that cannot be had.
};

struct sealed {
  json value; ///< Meaningful when `faults` is empty.
  std::vector<fault> faults;
};

/// Thread-safe; reads the files anew each time.
class keeper {
public:
  static constexpr std::size_t max_bytes = std::size_t{1} << 20U;
  static constexpr std::size_t least_masked = 8; ///< Shorter contents are found by chance everywhere.

  explicit keeper(options o) : options_(std::move(o)) {}

  /// Each reference in `x` with a digest of what the secret holds now: HMAC-SHA256 with a random key that is kept in
  /// the data directory, so that it says nothing about the content. `path` is that of `x`.
  sealed seal(const json& x, const std::string& path) const;

  /// Each reference, sealed or not, replaced by what the secret holds now: a text, without one newline at its end.
  /// `unavailable`, naming the secret and where it was looked for, when one cannot be had; `invalid_spec` when one is
  /// malformed. For whatever hands values to user code, in this process or another.
  result<json> resolve(const json& x) const;
  /// The same of a `user_config`.
  result<json_doc> delivered(const json_doc& user_config) const;

  /// `text` without contents that `resolve` has given out (the last four of each secret): "[secret name]" instead.
  std::string masked(std::string text) const;
  /// The same where a lock must not be waited for: nothing when it is taken.
  std::optional<std::string> masked_at_once(std::string text) const noexcept;

private:
  struct held {
    std::string text;
    std::string why; ///< Why there is none; empty otherwise.
  };
  held read(const std::string& name) const;
  held read_file(const std::filesystem::path& file) const;
  std::string digest_of(const std::string& name, const std::string& text) const;
  const std::string& key() const;
  void remember(const std::string& name, const std::string& text) const;
  std::string mask(std::string text) const;
  void prepare_needles() const;

  const options options_;
  mutable std::mutex mutex_; ///< Of `key_` and `warned_`.
  mutable std::string key_;
  mutable std::set<std::filesystem::path> warned_;
  mutable std::shared_mutex given_mutex_;
  mutable std::map<std::string, std::deque<std::string>> given_;     ///< By name; the latest first.
  mutable std::vector<std::pair<std::string, std::string>> needles_; ///< What is masked, and how; the longest first.
};

/// Whether there is a reference in it, good or not.
bool has_references(const json& x);

/// As people see it: references without their digests.
json shown(json x);

} // namespace troupe::secrets
