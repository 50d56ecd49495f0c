// Loads stored libraries into this process, each load from a fresh private copy, and never unloads one.
//
// Why copies: the dynamic linker knows files by name and by inode, so one that is loaded already would come back with
// its old static data, and one that is overwritten would crash the code that runs. Why never: threads may still hold
// thread_local objects, exceptions, callbacks of the code. The copies stay in `<data>/code/loaded` while the process
// runs, so that debuggers, core dumps and sanitizers find the code that they name; the next start removes them.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/peers.hpp>
#include <troupe/app/library/store.hpp>
#include <troupe/messages/deployment_spec.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::library {

/// A value.
struct load_request {
  std::string digest;         ///< Of a stored library.
  std::string import_path;    ///< Names the application in it; for messages, too.
  std::string application;    ///< For whom, for messages and for the crash recorder.
  std::uint64_t revision = 0; ///< Likewise; 0 = not known.
  json args = nullptr;        ///< Of the application.
  peers others{};
};

struct deployment_code {
  deployment_spec defaults; ///< `application` is the request's.
  std::shared_ptr<const code> user_code;
  bool is_ingress = false; ///< Of one at most.
};

/// What a library offers. The code stays usable for ever.
struct application_code {
  std::string digest;
  std::string import_path;
  std::uint64_t load_number = 0;
  std::vector<deployment_code> deployments; ///< As declared; at least one.
};

/// One file that is loaded. A value.
struct loaded_copy {
  std::uint64_t number = 0; ///< Counts the loads of this process from 1; those that come along have their library's.
  std::string digest;       ///< Of the file.
  std::string soname;       ///< Empty unless it was brought along by a library.
  std::string import_path;  ///< Of the library.
  std::string application;
  std::string source; ///< Where the file came from; may be empty.
  std::uint64_t bytes = 0;
  std::uintptr_t begin = 0; ///< Where it lies.
  std::uintptr_t end = 0;
};

struct loader_options {
  std::size_t max_copies = 200;                      ///< Loaded files; at least 1.
  std::uint64_t max_bytes = std::uint64_t{1} << 30U; ///< Of loaded files.
  /// Before the first code of a copy runs, under the loader's lock: must be quick and must not throw.
  std::function<void(const loaded_copy&)> on_loaded{};
};

struct code_usage {
  std::size_t copies = 0, max_copies = 0;
  std::uint64_t bytes = 0, max_bytes = 0;
  std::vector<loaded_copy> each; ///< In the order of loading.
};

/// Thread-safe. What users' code does while it is loaded (initialisers, the builder) runs on the calling thread,
/// outside of the lock: call it where user code may run, not on the control thread.
class loader {
public:
  /// Removes the copies that an earlier process has loaded. The store outlives it.
  loader(store& from, loader_options options);

  /// A fresh load: static data of its own, whether or not the same digest is loaded already. `invalid_spec`: the
  /// library is at fault, also by what its own code threw; `rejected`: it cannot be in this process (budget,
  /// conflicting libraries), the message says what can be done; `unavailable`: the store. Texts begin with the
  /// library's name.
  result<application_code> load(load_request what);

  code_usage loaded() const;

private:
  struct opened {
    void* handle = nullptr;
    std::uint64_t number = 0;
    elf_facts facts;
  };
  struct came_along {
    std::string digest, source;
    std::string failed; ///< Text of what its initialisers threw; empty: none did.
  };

  result<opened> open(const load_request& what, const std::string& symbol, const std::string& name);
  result<opened> open_copy(const load_request& what, const stored_file& file, std::uint64_t number,
                           const std::string& name, const std::function<std::optional<error>(const elf_facts&)>& check);
  std::optional<error> bring_along(const load_request& what, const stored_file& file, std::uint64_t number,
                                   const std::string& name);
  std::optional<error> conflict(const elf_facts& facts, const std::vector<stored_file>& files) const;
  std::optional<error> other_bytes(const std::string& soname, const std::string& digest, const std::string& source,
                                   bool& loaded) const;
  std::optional<error> over_budget(std::uint64_t more_bytes) const;

  store& store_;
  const loader_options options_;
  mutable std::mutex mutex_;
  std::uint64_t bytes_ = 0;
  std::vector<loaded_copy> copies_;
  std::map<std::string, came_along> by_soname_;
};

/// Whether it answers HTTP requests, `response(request)` of messages/http.hpp.
bool answers_http(const code_traits& traits);

} // namespace troupe::library
