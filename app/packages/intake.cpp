// Rules are on clean paths, so that one entry has one name; links are judged last, when it is known what they pass
// through.
#include <troupe/app/packages/intake.hpp>
#include <troupe/messages/json_doc.hpp>

#include <algorithm>

namespace troupe::packages {

namespace {

constexpr std::size_t name_bytes = 255; // of one component: what Linux's file systems take
constexpr int max_hops = 40;            // as the kernel follows (path_resolution(7))

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const auto one = path.substr(0, path.find('/'));
    if (!one.empty() && one != ".")
      out.push_back(one);
    path.remove_prefix(std::min(path.size(), one.size() + 1));
  }
  return out;
}

std::string joined(const std::vector<std::string_view>& parts) {
  std::string out;
  for (const auto& x : parts)
    out.append(out.empty() ? "" : "/").append(x);
  return out;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

} // namespace

bool same_state(const struct stat& a, const struct stat& b) {
  const auto same_time = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_ino == b.st_ino && a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

std::string shown(std::string_view name) {
  constexpr std::size_t most = 200;
  return json(name.substr(0, most)).dump(-1, ' ', false, json::error_handler_t::replace) +
         (name.size() > most ? "..." : "");
}

intake::failure intake::refuse(std::string_view name, const std::string& why) const {
  return error{errc::invalid_spec, "entry " + shown(name) + " " + why};
}

result<std::string> intake::clean(std::string_view name) const {
  if (name.empty() || name.find('\0') != std::string_view::npos)
    return *refuse(name, "has no name that a file can have");
  if (name.front() == '/')
    return *refuse(name, "has an absolute path; paths in a package are relative to its folder");
  if (name.size() > bounds_.path_bytes)
    return *refuse(name, "has a path of " + std::to_string(name.size()) + " bytes; allowed are " +
                             std::to_string(bounds_.path_bytes));
  const auto parts = components(name);
  if (parts.size() > bounds_.depth)
    return *refuse(name, "is " + std::to_string(parts.size()) + " folders deep; allowed are " +
                             std::to_string(bounds_.depth));
  for (const auto& x : parts) {
    if (x == "..")
      return *refuse(name, "has \"..\" in its path; paths in a package lead down only");
    if (x.size() > name_bytes)
      return *refuse(name,
                     "has a name of " + std::to_string(x.size()) + " bytes; allowed are " + std::to_string(name_bytes));
  }
  return joined(parts);
}

intake::failure intake::make_room(const std::string& path) const {
  if (entries_.size() < bounds_.files)
    return std::nullopt;
  return refuse(path, "is one too many: a package has at most " + std::to_string(bounds_.files) +
                          " files, folders and links");
}

intake::failure intake::add_parents(const std::string& path) {
  for (auto end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const auto folder = path.substr(0, end);
    if (const auto it = entries_.find(folder); it != entries_.end()) {
      if (it->second.what == kind::folder)
        continue;
      return refuse(path, "lies below " + shown(folder) + ", which is a " +
                              (it->second.what == kind::link ? "link" : "file") + "; only folders hold entries");
    }
    if (auto why = make_room(folder))
      return why;
    entries_.emplace(folder, entry{.named = false, .content = {}});
    if (auto why = to_.folder(folder))
      return why;
  }
  return std::nullopt;
}

result<intake::tree::iterator> intake::add(std::string_view name, kind what) {
  const auto path = clean(name);
  if (!path)
    return path.why();
  if (path->empty())
    return *refuse(name, "is the package itself; that is a folder");
  if (entries_.contains(*path))
    return *refuse(name, "is there twice; each path may be there once");
  if (const auto why = add_parents(*path))
    return *why;
  if (const auto why = make_room(*path))
    return *why;
  return entries_.emplace(*path, entry{.what = what, .content = {}}).first;
}

intake::failure intake::folder(std::string_view name) {
  const auto path = clean(name);
  if (!path)
    return path.why();
  if (path->empty())
    return std::nullopt; // "./"
  if (const auto it = entries_.find(*path); it != entries_.end() && !it->second.named) {
    it->second.named = true;
    return std::nullopt;
  }
  const auto added = add(name, kind::folder);
  return added ? to_.folder((*added)->first) : added.why();
}

intake::failure intake::begin_file(std::string_view name, bool executable) {
  const auto added = add(name, kind::file);
  if (!added)
    return added.why();
  open_ = *added;
  open_->second.executable = executable;
  return to_.begin_file(open_->first, executable);
}

intake::failure intake::write(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > bounds_.unpacked_bytes)
    return refuse(open_->first, "makes the package larger than " + std::to_string(bounds_.unpacked_bytes) +
                                    " bytes unpacked, which is the most that is allowed");
  hash_.add(bytes);
  return to_.write(bytes);
}

intake::failure intake::end_file() {
  open_->second.content = hash_.hex();
  open_ = entries_.end();
  return to_.end_file();
}

intake::failure intake::same_file(std::string_view name, std::string_view of) {
  const auto target = clean(of);
  const auto it = target ? entries_.find(*target) : entries_.end();
  if (it == entries_.end() || it->second.what != kind::file)
    return refuse(name, "is a hard link to " + shown(of) +
                            ", which is no file of the package that comes before it; hard links stay in the package");
  const auto added = add(name, kind::file);
  if (!added)
    return added.why();
  (*added)->second.executable = it->second.executable;
  (*added)->second.content = it->second.content;
  return to_.same_file((*added)->first, it->first);
}

intake::failure intake::link(std::string_view name, std::string_view target) {
  if (target.empty() || target.size() > bounds_.path_bytes)
    return refuse(name, "is a link with a target of " + std::to_string(target.size()) + " bytes; allowed are 1 to " +
                            std::to_string(bounds_.path_bytes));
  if (target.front() == '/')
    return refuse(name, "is a link to the absolute path " + shown(target) +
                            "; links in a package are relative and stay in it");
  const auto added = add(name, kind::link);
  if (!added)
    return added.why();
  (*added)->second.content = target;
  return std::nullopt;
}

intake::failure intake::other(std::string_view name, std::string_view what) const {
  return refuse(name, "is a " + std::string{what} + "; a package has files, folders and links");
}

// As the kernel would follow it, were the package's folder all that there is. What a link passes through counts: with
// `a/b/up -> ../..`, `a/b/up/..` is outside, however it looks.
intake::failure intake::follow(const std::string& path, const std::string& target) const {
  const auto parent = parent_of(path);
  auto at = components(parent);
  auto todo = components(target);
  std::reverse(todo.begin(), todo.end());
  for (int hops = 0; !todo.empty();) {
    const auto next = todo.back();
    todo.pop_back();
    if (next == "..") {
      if (at.empty())
        return refuse(path, "is a link to " + shown(target) + ", which is outside of the package; links stay in it");
      at.pop_back();
      continue;
    }
    at.push_back(next);
    const auto it = entries_.find(joined(at));
    if (it == entries_.end() || it->second.what != kind::link)
      continue;
    if (++hops > max_hops)
      return refuse(path, "is a link to " + shown(target) + ", which leads in a circle or through more than " +
                              std::to_string(max_hops) + " links");
    at.pop_back();
    const auto via = components(it->second.content);
    todo.insert(todo.end(), via.rbegin(), via.rend());
  }
  return std::nullopt;
}

result<contents> intake::finish() {
  if (entries_.empty())
    return error{errc::invalid_spec, "it is empty; a package has at least one file"};
  for (const auto& [path, x] : entries_)
    if (x.what == kind::link)
      if (const auto why = follow(path, x.content))
        return *why;
  library::hasher all;
  const auto add_text = [&](const std::string& text) { all.add(std::to_string(text.size()) + ":" + text); };
  all.add("troupe package 1\n");
  for (const auto& [path, x] : entries_) {
    if (x.what == kind::link)
      if (const auto why = to_.link(path, x.content))
        return *why;
    all.add(std::string{static_cast<char>(x.what), x.executable ? 'x' : '-'});
    add_text(path);
    add_text(x.content);
  }
  return contents{all.hex(), entries_.size(), bytes_};
}

} // namespace troupe::packages
