// The stack of handlers of a thread.
#include <troupe/actors/replica/frame.hpp>

namespace troupe {

namespace {

thread_local handler_frame* innermost = nullptr;

} // namespace

handler_frame* frame_of(const call_base& call) noexcept {
  auto* frame = innermost;
  while (frame && frame->call != &call)
    frame = frame->outer;
  return frame;
}

frame_scope::frame_scope(handler_frame& frame) noexcept {
  frame.outer = innermost;
  innermost = &frame;
}

frame_scope::~frame_scope() { innermost = innermost->outer; }

} // namespace troupe
