// rename(2) replaces an empty folder and nothing else, in one step: no second look is needed against another process.
#include <troupe/app/cluster/staged_folder.hpp>
#include <troupe/app/library/file.hpp>

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>

namespace troupe::cluster {

namespace fs = std::filesystem;

namespace {

error taken(const fs::path& target) {
  return {errc::rejected, target.string() + ": is there already and is not overwritten; choose another folder, or move "
                                            "that one away"};
}

// "a/b/" and "." have no name to put something beside.
fs::path named(const fs::path& x) {
  auto out = fs::absolute(x).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

} // namespace

staged_folder::staged_folder(const fs::path& target) : target_(named(target)) {
  std::error_code why;
  fs::create_directories(target_.parent_path(), why);
  auto name = (target_.parent_path() / ('.' + target_.filename().string() + ".new-XXXXXX")).string();
  if (why)
    why_ = why.message();
  else if (!::mkdtemp(name.data())) // mode 0700
    why_ = library::text_of_errno(errno);
  else
    at_ = name;
}

staged_folder::~staged_folder() {
  std::error_code none;
  if (!at_.empty())
    fs::remove_all(at_, none);
}

result<bool> staged_folder::write(const fs::path& file, std::string_view text) {
  if (at_.empty())
    return error{errc::unavailable, target_.string() + ": cannot be made: " + why_ + "; choose another folder"};
  if (text.empty())
    return error{errc::unavailable, (target_ / file).string() + ": OpenSSL wrote nothing; try again"};
  const auto folder = at_ / file.parent_path();
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return error{errc::unavailable, folder.string() + ": cannot be made: " + library::text_of_errno(errno)};
  return library::write_text(at_ / file, text);
}

result<bool> staged_folder::publish() {
  if (at_.empty())
    return error{errc::unavailable, target_.string() + ": cannot be made: " + why_ + "; choose another folder"};
  if (is_taken(target_))
    return taken(target_);
  auto done = library::publish(at_, target_);
  if (done)
    at_.clear();
  return done;
}

bool is_taken(const fs::path& target) {
  std::error_code why;
  const auto kind = fs::symlink_status(named(target), why).type();
  if (kind == fs::file_type::not_found)
    return false;
  return kind != fs::file_type::directory || !fs::is_empty(target, why) || why;
}

} // namespace troupe::cluster
