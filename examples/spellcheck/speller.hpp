// The deployment: what answers requests, in its versions. Each replica holds one of these objects.
#pragma once

#include <troupe/troupe.hpp>

#include <hunspell/hunspell.hxx>

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace spellcheck {

/// The request: which words of this text are in no dictionary?
struct passage {
  std::string text;
};

struct suggestion {
  std::string word;
  std::vector<std::string> instead; ///< Best first, at most 3; empty when there is nothing like it.
};

/// The answer.
struct spelling {
  int version = 0;                       ///< Of the code that answered.
  int edition = 0;                       ///< Of the personal dictionary that it used; 0 = none yet.
  std::size_t words = 0;                 ///< Looked up.
  std::vector<std::string> unknown{};    ///< In the order of the text.
  std::vector<suggestion> suggestions{}; ///< From version 2 on, for some unknown words.
};

/// Version 1. A Hunspell object takes some 30 ms to load, 5 MB, and serves one thread at a time: that is why there are
/// replicas. No locks: the runtime never calls one replica twice at a time, nor `reconfigure` while a request runs.
class speller {
public:
  /// `init_args`: {"dictionary": "/usr/share/hunspell/en_US"}, the path without .aff and .dic.
  explicit speller(const troupe::json& init_args);

  spelling operator()(const passage& request);

  /// `user_config`: {"edition": 1, "words": ["sublicense", ...]}, the personal dictionary as a whole.
  void reconfigure(const troupe::json& user_config);

protected:
  Hunspell dictionary_;

private:
  std::unordered_set<std::string> personal_;
  int edition_ = 0;
};

/// Version 2: says what might have been meant. Looking that up takes 15 ms a word, so it is remembered, and done at
/// most four times a second: until then an answer comes without.
class suggesting_speller : public speller {
public:
  using speller::speller;
  spelling operator()(const passage& request);

private:
  std::unordered_map<std::string, std::vector<std::string>> remembered_;
  std::chrono::steady_clock::time_point next_lookup_{};
};

/// Version 3: never comes to life.
class broken_speller : public suggesting_speller {
public:
  explicit broken_speller(const troupe::json& init_args);
  spelling operator()(const passage& request);
};

/// Version 4: starts well, and follows a null pointer where a text has the word "segfault".
class crashing_speller : public suggesting_speller {
public:
  using suggesting_speller::suggesting_speller;
  spelling operator()(const passage& request);
};

} // namespace spellcheck
