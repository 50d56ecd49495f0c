// What an operator does to the deployment while the clients work.
#pragma once

#include "clients.hpp"
#include "ledger.hpp"
#include "options.hpp"
#include "texts.hpp"
#include "witness.hpp"

#include <functional>

namespace spellcheck {

/// Confined to one thread. Every step waits until its update has ended, says how it should have ended, and enters it
/// with the witness.
class operations {
public:
  static constexpr const char* name = "speller"; ///< Of the deployment.

  operations(troupe::runtime& runtime, witness& seen, ledger& book, const options& chosen, const texts& all)
      : runtime_(runtime), seen_(seen), book_(book), options_(chosen), texts_(all) {}

  /// Version 1, without traffic yet; throws when it cannot run.
  speller_handle deploy_first();
  /// All that follows; returns early when the witness is stopped or an update never ends.
  void run();

private:
  void add_personal_words();
  void roll_out_version_2();
  void try_broken_version_3();
  void scale(std::uint32_t from, std::uint32_t to);

  troupe::deployment_options target(const std::string& version) const;
  /// Runs `command`, waits until nothing moves any more, and asks `check` what is wrong then (empty: nothing).
  bool update(const std::string& what, std::uint32_t floor, const std::function<void()>& command,
              const std::function<std::string(const troupe::deployment_status&)>& check);
  /// What is wrong with the waves of the update that runs; empty when it took as many as it should.
  std::string check_waves() const;
  std::string await_rest(troupe::deployment_status& status);

  troupe::runtime& runtime_;
  witness& seen_;
  ledger& book_;
  const options& options_;
  const texts& texts_;
  troupe::json personal_; ///< The user_config of every target from now on; null = none.
  bool going_on_ = true;
};

} // namespace spellcheck
