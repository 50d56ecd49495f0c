// A wrapper around code and its instances: the core hands on references and never sees what they stand for.
#include <troupe/app/secrets/resolving_code.hpp>

#include <exception>
#include <stdexcept>
#include <utility>

namespace troupe::secrets {

namespace {

/// Runs `f`; an exception that shows a secret becomes one with the masked text, every other stays what it is.
template <class F>
decltype(auto) masking(const keeper& from, F f) {
  const auto rethrow = [&](const std::string& text) {
    if (auto shown = from.masked(text); shown != text)
      throw std::runtime_error(shown);
    throw;
  };
  try {
    return f();
  } catch (const std::exception& e) {
    rethrow(e.what());
    throw;
  } catch (const std::string& text) {
    rethrow(text);
    throw;
  } catch (const char* text) {
    rethrow(text ? text : "");
    throw;
  }
}

class resolving_instance final : public instance {
public:
  resolving_instance(std::unique_ptr<instance> inner, std::shared_ptr<const keeper> from)
      : inner_(std::move(inner)), from_(std::move(from)) {}
  ~resolving_instance() noexcept(false) override {
    // Not by unique_ptr's destructor, which must not throw.
    masking(*from_, [&] { delete inner_.release(); });
  }

  void handle(call_base& call, attempt_number attempt, handler_frame& frame) override {
    masking(*from_, [&] { inner_->handle(call, attempt, frame); });
  }

  void reconfigure(const json& user_config) override {
    if (!has_references(user_config))
      return masking(*from_, [&] { inner_->reconfigure(user_config); });
    const auto resolved = from_->resolve(user_config);
    if (!resolved)
      throw std::runtime_error(resolved.why().message);
    masking(*from_, [&] { inner_->reconfigure(*resolved); });
  }

  void check_health() override {
    masking(*from_, [&] { inner_->check_health(); });
  }

private:
  std::unique_ptr<instance> inner_;
  std::shared_ptr<const keeper> from_;
};

class resolving_code final : public code {
public:
  resolving_code(std::shared_ptr<const code> inner, std::shared_ptr<const keeper> from)
      : inner_(std::move(inner)), from_(std::move(from)) {}
  const code_traits& traits() const noexcept override { return inner_->traits(); }
  std::unique_ptr<instance> construct(const json& init_args) const override {
    return masking(*from_, [&] { return std::make_unique<resolving_instance>(inner_->construct(init_args), from_); });
  }

private:
  std::shared_ptr<const code> inner_;
  std::shared_ptr<const keeper> from_;
};

} // namespace

std::shared_ptr<const code> resolving(std::shared_ptr<const code> inner, std::shared_ptr<const keeper> from) {
  if (!inner || !inner->traits().has_reconfigure)
    return inner;
  return std::make_shared<const resolving_code>(std::move(inner), std::move(from));
}

} // namespace troupe::secrets
