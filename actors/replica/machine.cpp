// The replica machine; its state diagram is in the header.
#include <troupe/actors/replica/machine.hpp>

#include <utility>

namespace troupe::replica {

std::string to_string(phase x) {
  switch (x) {
  case phase::constructing:
    return "constructing";
  case phase::configuring:
    return "configuring";
  case phase::ready:
    return "ready";
  case phase::quiescing:
    return "quiescing";
  case phase::reconfiguring:
    return "reconfiguring";
  case phase::refusing:
    return "refusing";
  case phase::draining:
    return "draining";
  case phase::destroying:
    return "destroying";
  case phase::ended:
    return "ended";
  }
  return "unknown";
}

effects machine::start() { return {effect::construct{}}; }

effects machine::step(event::constructed e) {
  effects out;
  switch (phase_) {
  case phase::constructing:
    if (!e.ok) {
      phase_ = phase::ended;
      out.push_back(effect::end{stop_reason::start_failed, std::move(e.message)});
    } else if (!stop_asked_ && !e.user_config.is_null()) {
      phase_ = phase::configuring;
      out.push_back(effect::reconfigure{std::move(e.user_config)});
    } else {
      begin_service(out);
    }
    break;
  case phase::configuring:
  case phase::ready:
  case phase::quiescing:
  case phase::reconfiguring:
  case phase::refusing:
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::update e) {
  effects out;
  if (e.seq <= seen_update_)
    return out;
  switch (phase_) {
  case phase::ready:
    take_update(e);
    drained_ = false;
    phase_ = phase::quiescing;
    out.reserve(2);
    out.push_back(effect::prefer_others{true});
    out.push_back(effect::await_drained{});
    break;
  case phase::refusing: // nothing has begun since the reconfigure that failed
    take_update(e);
    phase_ = phase::quiescing;
    advance(out);
    break;
  case phase::constructing:
  case phase::configuring:
  case phase::quiescing:
  case phase::reconfiguring:
    take_update(e);
    break;
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::drained) {
  effects out;
  if (awaits_drained()) {
    drained_ = true;
    advance(out);
  }
  return out;
}

effects machine::step(event::reconfigured e) {
  effects out;
  switch (phase_) {
  case phase::configuring:
    if (e.ok)
      begin_service(out);
    else
      finish(out, stop_reason::start_failed, std::move(e.message));
    break;
  case phase::reconfiguring:
    phase_ = e.ok ? phase::ready : phase::refusing;
    out.reserve(3);
    out.push_back(effect::report_reconfigured{running_update_, e.ok, std::move(e.message)});
    if (e.ok && !stop_asked_ && !has_update_)
      out.push_back(effect::prefer_others{false});
    if (std::exchange(is_new_, false))
      out.push_back(effect::report_started{});
    run_next(out);
    break;
  case phase::constructing:
  case phase::ready:
  case phase::quiescing:
  case phase::refusing:
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::check e) {
  effects out;
  if (e.seq <= seen_check_)
    return out;
  switch (phase_) {
  case phase::ready:
  case phase::refusing:
    seen_check_ = e.seq;
    if (checking_)
      has_check_ = true;
    else
      begin_check(out);
    break;
  case phase::constructing:
  case phase::configuring:
  case phase::quiescing:
  case phase::reconfiguring:
    seen_check_ = e.seq;
    has_check_ = true;
    break;
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::checked e) {
  effects out;
  if (!checking_)
    return out;
  checking_ = false;
  out.push_back(effect::report_checked{running_check_, e.ok, std::move(e.message)});
  switch (phase_) {
  case phase::ready:
  case phase::refusing:
    if (has_check_)
      begin_check(out);
    else if (phase_ == phase::ready)
      out.push_back(effect::begin_requests{});
    break;
  case phase::quiescing:
  case phase::draining:
    advance(out);
    break;
  case phase::constructing:
  case phase::configuring:
  case phase::reconfiguring:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::stop) {
  effects out;
  switch (phase_) {
  case phase::constructing:
  case phase::configuring:
  case phase::reconfiguring:
    stop_asked_ = true;
    break;
  case phase::ready:
    drained_ = false;
    drain(out);
    break;
  case phase::quiescing:
  case phase::refusing:
    drain(out);
    break;
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::adopted) {
  effects out;
  seen_update_ = running_update_ = 0;
  seen_check_ = running_check_ = 0; // what still runs is reported as of no number
  has_update_ = has_check_ = false;
  pending_config_ = json_doc{};
  switch (phase_) {
  case phase::ready:
    is_new_ = true;
    drained_ = false;
    phase_ = phase::quiescing;
    out.push_back(effect::await_drained{});
    break;
  case phase::quiescing:
  case phase::reconfiguring:
    is_new_ = !stop_asked_;
    break;
  case phase::refusing:
    out.push_back(effect::report_started{});
    break;
  case phase::constructing:
  case phase::configuring:
  case phase::draining:
  case phase::destroying:
  case phase::ended:
    break;
  }
  return out;
}

effects machine::step(event::destroyed e) {
  effects out;
  if (phase_ != phase::destroying)
    return out;
  phase_ = phase::ended;
  std::string text = message_ ? std::move(*message_) : std::string{};
  message_.reset();
  if (!e.message.empty())
    text += (text.empty() ? "the destructor threw: " : "; the destructor threw: ") + e.message;
  out.push_back(effect::end{reason_, std::move(text)});
  return out;
}

effects machine::step(event::killed e) {
  effects out;
  switch (phase_) {
  case phase::constructing:
    phase_ = phase::ended;
    out.push_back(effect::end{e.reason, std::move(e.message)});
    break;
  case phase::configuring:
  case phase::ready:
  case phase::quiescing:
  case phase::reconfiguring:
  case phase::refusing:
  case phase::draining:
    checking_ = false;
    finish(out, e.reason, std::move(e.message));
    break;
  case phase::destroying: // its own end had begun, and that it was killed meanwhile changes nothing
    out.push_back(effect::destroy{});
    break;
  case phase::ended:
    break;
  }
  return out;
}

void machine::advance(effects& out) {
  if (checking_ || !drained_)
    return;
  if (phase_ == phase::quiescing && std::exchange(is_new_, false))
    out.push_back(effect::report_started{});
  if (phase_ == phase::quiescing && !has_update_) {
    phase_ = phase::ready;
    out.push_back(effect::prefer_others{false});
    run_next(out);
  } else if (phase_ == phase::quiescing) {
    phase_ = phase::reconfiguring;
    has_update_ = false;
    running_update_ = seen_update_;
    out.push_back(effect::reconfigure{std::exchange(pending_config_, json_doc{})});
  } else if (phase_ == phase::draining) {
    finish(out, stop_reason::asked, {});
  }
}

void machine::begin_service(effects& out) {
  if (stop_asked_)
    return finish(out, stop_reason::asked, {});
  out.push_back(effect::report_started{});
  run_next(out);
}

void machine::run_next(effects& out) {
  drained_ = true; // nothing can have begun while user code ran
  if (phase_ == phase::constructing || phase_ == phase::configuring)
    phase_ = phase::ready;
  if (stop_asked_) {
    drain(out);
  } else if (has_update_) {
    phase_ = phase::quiescing;
    out.push_back(effect::prefer_others{true});
    advance(out);
  } else if (has_check_) {
    begin_check(out);
  } else if (phase_ == phase::ready) {
    out.push_back(effect::begin_requests{});
  }
}

void machine::begin_check(effects& out) {
  has_check_ = false;
  checking_ = true;
  running_check_ = seen_check_;
  out.push_back(effect::check{});
}

void machine::drain(effects& out) {
  phase_ = phase::draining;
  has_update_ = false;
  has_check_ = false;
  pending_config_ = json_doc{};
  out.push_back(effect::stop_intake{});
  if (drained_)
    advance(out);
  else
    out.push_back(effect::await_drained{});
}

void machine::finish(effects& out, stop_reason reason, std::string message) {
  phase_ = phase::destroying;
  reason_ = reason;
  if (!message.empty())
    message_ = std::make_unique<std::string>(std::move(message));
  out.push_back(effect::destroy{});
}

void machine::take_update(event::update& e) {
  seen_update_ = e.seq;
  has_update_ = true;
  pending_config_ = std::move(e.user_config);
}

} // namespace troupe::replica
