// What was promised to the clients, and whether it was kept: every request is entered when it is sent and when it ends.
#pragma once

#include "speller.hpp"
#include "texts.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace spellcheck {

/// Least that an answer must show, from the moment its request is sent: what was once rolled out whole stays.
struct promise {
  int version = 1;
  int edition = 0;
};

/// Thread-safe; outlives the clients.
class ledger {
public:
  explicit ledger(const texts& all) : all_(all) {}

  const page& page_at(std::size_t i) const { return all_.pages[i % all_.pages.size()]; }

  /// The operator: from now on.
  void promise_version(int version) { version_.store(version); }
  void promise_edition(int edition) { edition_.store(edition); }

  /// A client, before it sends. The request belongs to what is promised now.
  promise sent();
  /// A client, with the answer: it must be as new as promised and right, word for word.
  void answered(const page& about, promise owed, const spelling& answer);
  void failed(const troupe::error& why);

  std::uint64_t sent_count() const { return sent_.load(); }
  std::uint64_t answered_count() const { return answered_.load(); }
  std::uint64_t failed_count() const { return failed_.load(); }
  std::uint64_t wrong_count() const { return wrong_.load(); }
  std::uint64_t by_version(int version) const { return by_version_[version & 3].load(); }
  /// The first wrong answer and each kind of failure with its count.
  std::vector<std::string> complaints() const;
  /// The last suggestion that was given, "word -> other, other"; empty before version 2.
  std::string last_suggestion() const;

private:
  void wrong(const page& about, std::string why);

  const texts& all_;
  std::atomic<int> version_{1};
  std::atomic<int> edition_{0};
  std::atomic<std::uint64_t> sent_{0}, answered_{0}, failed_{0}, wrong_{0};
  std::atomic<std::uint64_t> by_version_[4]{};
  mutable std::mutex mutex_; // from here on
  std::string first_wrong_;
  std::string suggestion_;
  std::map<std::string, std::uint64_t> failures_;
};

} // namespace spellcheck
