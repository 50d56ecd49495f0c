// Reads block for one chunk at most: short enough for the scheduler's threads.
#include <troupe/app/cluster/code_source.hpp>
#include <troupe/app/library/file.hpp>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace troupe::cluster {

namespace {

using chunk_or_why = std::variant<code_chunk, code_missing>;

chunk_or_why answer_to(const library::store& files, const ask_code_chunk& x) {
  const auto no = [&](std::string why) { return code_missing{x.ask, std::move(why)}; };
  if (!library::is_digest(x.digest))
    return no("what was asked for is no digest");
  const auto file = files.file_with(x.digest);
  const library::descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0)
    return no("cannot read " + file.string() + ": " + library::text_of_errno(errno));
  if (!S_ISREG(about.st_mode))
    return no(file.string() + " is no file");
  const auto total = static_cast<std::uint64_t>(about.st_size);
  if (x.offset >= total)
    return no(file.string() + " has " + std::to_string(total) + " bytes, none at " + std::to_string(x.offset));
  if (x.bytes == 0)
    return no("nothing was asked for");

  code_chunk out{x.ask, total, {}};
  out.bytes.resize(std::min({x.bytes, max_code_chunk_bytes, total - x.offset}));
  for (std::size_t here = 0; here < out.bytes.size();) {
    const auto n =
        ::pread(fd.get(), out.bytes.data() + here, out.bytes.size() - here, static_cast<off_t>(x.offset + here));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return no("cannot read " + file.string() + ": " + (n < 0 ? library::text_of_errno(errno) : "it became shorter"));
    here += static_cast<std::size_t>(n);
  }
  return out;
}

class code_source final : public code_source_actor::base {
public:
  code_source(caf::actor_config& cfg, library::store files) : code_source_actor::base(cfg), files_(std::move(files)) {
    set_default_handler(caf::drop);
  }
  const char* name() const override { return "troupe.code_source"; }

protected:
  behavior_type make_behavior() override {
    return {[this](const ask_code_chunk& x) {
      if (x.to)
        std::visit([&](auto answer) { caf::anon_send(x.to, std::move(answer)); }, answer_to(files_, x));
    }};
  }

private:
  const library::store files_;
};

} // namespace

code_source_actor spawn_code_source(caf::actor_system& sys, const library::store& files) {
  return sys.spawn<code_source>(files);
}

} // namespace troupe::cluster
