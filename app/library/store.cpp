// Everything goes to a temporary name first, is checked there, and is renamed: what has its name is whole.
#include <troupe/app/library/about.hpp>
#include <troupe/app/library/dependencies.hpp>
#include <troupe/app/library/import_path.hpp>
#include <troupe/app/library/store.hpp>

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace troupe::library {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view temporary_prefix = "new-";
constexpr std::string_view own_word = "library"; ///< In place of a soname, of the library itself.

/// What a library with all that comes along is called, and the text of its `.needs`.
struct description {
  std::string digest;
  std::string needs;
};

/// Precondition: exactly one of the files is the library itself. The order of the others counts.
description described(const std::vector<needed_file>& files) {
  std::string library;
  std::string content;
  description out;
  for (const auto& x : files) {
    const auto rest = x.digest + "\t" + x.source + "\n";
    if (x.soname.empty()) {
      library = x.digest;
      out.needs.insert(0, std::string{own_word} + "\t" + rest);
    } else {
      content += x.soname + " " + x.digest + "\n";
      out.needs += x.soname + "\t" + rest;
    }
  }
  out.digest = files.size() == 1 ? library : sha256(library + "\n" + content);
  return out;
}

bool is_plain(const std::string& text) {
  constexpr unsigned char del = 0x7f;
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == del; });
}

bool same_file_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

} // namespace

bool is_digest(std::string_view text) {
  constexpr std::size_t digits = 64;
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A copy under its temporary name; removed unless it is kept.
struct store::taken {
  taken() = default;
  taken(taken&& other) noexcept = default;
  taken& operator=(taken&&) = delete;
  ~taken() {
    if (!temporary.empty())
      ::unlink(temporary.c_str());
  }

  fs::path temporary; ///< Empty: moved or kept.
  std::string digest;
  std::uint64_t bytes = 0;
  elf_facts facts;
  fs::path source;
};

store::store(store_options options) : options_(std::move(options)), dir_(options_.data_dir / "code") {
  if (!options_.loaded_dir.empty())
    return; // another process's files
  const auto is_leftover = [](const std::string& name) {
    return name.starts_with(temporary_prefix) || name.starts_with(fetch_prefix) || name.ends_with(".needs.new");
  };
  std::error_code none;
  for (const auto& file : open_store(dir_, is_leftover))
    fs::remove(file, none);
  fs::create_directory(dir_ / "loaded");
}

result<store::taken> store::take(const std::string& name, int fd) {
  static std::atomic<std::uint64_t> numbers{0};
  constexpr int attempts = 3;
  for (int i = 0; i < attempts; ++i) {
    struct stat before {};
    struct stat after {};
    ::fstat(fd, &before);
    taken out;
    const auto to =
        dir_ / (std::string{temporary_prefix} + std::to_string(::getpid()) + "-" + std::to_string(++numbers));
    auto copy = copy_hashed(fd, to, options_.max_file_bytes, true);
    if (!copy)
      return about(name, copy.why());
    out.temporary = to;
    out.digest = copy->digest;
    out.bytes = copy->bytes;
    ::fstat(fd, &after);
    if (!same_file_state(before, after))
      continue; // a compiler writes it
    const descriptor written{::open(to.c_str(), O_RDONLY | O_CLOEXEC)};
    auto facts = read_elf(written.get());
    if (!facts)
      return about(name, facts.why());
    out.facts = std::move(*facts);
    return out;
  }
  return about(name, "changes while it is read; deploy it again when it is written");
}

result<std::vector<store::taken>> store::take_dependencies(const std::string& name, const taken& library,
                                                           const fs::path& source) {
  std::vector<taken> out;
  std::set<std::string> seen; // by DT_NEEDED: the dynamic linker loads one file for each
  std::optional<error> failed;
  const auto visit = [&](const auto& self, const elf_facts& facts, const fs::path& origin) -> void {
    for (const auto& needed : facts.needed) {
      if (failed || seen.contains(needed))
        continue;
      const auto found = find_dependency(needed, facts, origin);
      if (!found)
        continue; // the system's
      if (!is_inside(found->file, options_.code_dirs)) {
        if (found->beside)
          failed =
              about(name, "needs " + needed + ", which is outside of the code directories: " + found->file.string());
        continue; // found by an absolute path, as the system's are
      }
      seen.insert(needed);
      const auto label = name + ", which needs " + found->file.string();
      const descriptor file{::open(found->file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
      auto copy = file ? take(label, file.get()) : result<taken>{about(label, text_of_errno(errno))};
      if (!copy) {
        failed = copy.why();
      } else if (copy->facts.soname != needed) {
        auto why = "its SONAME must be " + needed + ", it is \"" + copy->facts.soname + "\"";
        why += "; link it with -Wl,-soname," + needed + ", or link it statically";
        failed = about(label, why);
      } else if (const auto why = leaks(copy->facts, program_defines)) {
        failed = about(label, *why);
      } else {
        copy->source = found->file;
        self(self, copy->facts, found->file.parent_path());
        out.push_back(std::move(*copy)); // after those that it needs
      }
    }
  };
  visit(visit, library.facts, source.parent_path());
  if (failed)
    return std::move(*failed);
  return out;
}

result<bool> store::keep(taken& file) {
  const auto to = file_with(file.digest);
  if (const auto there = sha256_of_file(to); there && *there == file.digest)
    return false; // else it is not there, or damaged
  return publish(std::exchange(file.temporary, {}), to);
}

result<stored> store::put(const std::string& import_path) {
  auto name = parse_import_path(import_path);
  if (!name)
    return name.why();
  auto found = find_file(name->file, options_.code_dirs);
  if (!found)
    return found.why();
  auto library = take(name->file, found->open.get());
  if (!library)
    return library.why();
  if (const auto why = unfit(library->facts, name->symbol, program_defines))
    return about(name->file, *why);
  auto others = take_dependencies(name->file, *library, found->path);
  if (!others)
    return others.why();

  stored out{library->digest, import_path, name->symbol, found->path, library->bytes, library->facts.applications()};
  std::vector<needed_file> all{{{}, library->digest, found->path.string()}};
  for (auto& x : *others) {
    all.push_back({x.facts.soname, x.digest, x.source.string()});
    if (const auto kept = keep(x); !kept)
      return kept.why();
  }
  if (const auto kept = keep(*library); !kept)
    return kept.why();
  const auto whole = described(all);
  out.digest = whole.digest;
  if (all.size() > 1)
    if (const auto written = write_text(needs_of(out.digest), whole.needs); !written)
      return written.why();
  return out;
}

std::optional<error> store::mismatch(const std::string& digest, const std::vector<needed_file>& files) {
  if (!is_digest(digest))
    return error{errc::invalid_spec, "code is known by 64 lowercase hex digits, not by what was asked for"};
  const auto no = [&](const std::string& why) {
    return error{errc::invalid_spec, "the list of the files of code " + digest + " is wrong: " + why};
  };
  std::set<std::string> sonames;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& x = files[i];
    const auto file = "file " + std::to_string(i + 1);
    if (!is_digest(x.digest))
      return no(file + " has no digest of 64 lowercase hex digits");
    if (!is_plain(x.soname) || !is_plain(x.source))
      return no(file + " has a control character in its soname or source");
    if (x.soname.find('/') != std::string::npos || x.soname == own_word)
      return no(file + " has \"" + x.soname + "\" for a soname");
    if (!sonames.insert(x.soname).second)
      return no(x.soname.empty() ? file + " is a second library" : file + " is a second " + x.soname);
    if (files.size() > 1 && x.source.empty())
      return no(file + " has no source"); // `files` takes this for damage
  }
  if (!sonames.contains(""))
    return no("the library itself is missing");
  if (const auto theirs = described(files).digest; theirs != digest)
    return no("these files are code " + theirs);
  return std::nullopt;
}

result<bool> store::accept(const std::string& digest, const std::vector<needed_file>& files) {
  if (auto why = mismatch(digest, files))
    return std::move(*why);
  for (const auto& x : files)
    if (!fs::exists(file_with(x.digest)))
      return error{errc::unavailable, "a file of code " + digest + " is not there: " + file_with(x.digest).string()};
  if (files.size() == 1 || contains(digest))
    return false;
  return write_text(needs_of(digest), described(files).needs);
}

bool store::contains(const std::string& digest) const { return files(digest).ok(); }

result<std::vector<stored_file>> store::files(const std::string& digest) const {
  std::vector<stored_file> out;
  if (std::ifstream needs{needs_of(digest)}; needs) {
    stored_file library;
    for (std::string line; std::getline(needs, line);) {
      std::istringstream fields{line};
      stored_file x;
      if (!std::getline(fields, x.soname, '\t') || !std::getline(fields, x.digest, '\t') ||
          !std::getline(fields, x.source))
        return error{errc::unavailable, "the stored code " + digest + " is damaged: " + needs_of(digest).string()};
      x.file = file_with(x.digest);
      if (x.soname == "library")
        library = {{}, x.digest, x.file, x.source};
      else
        out.push_back(std::move(x));
    }
    out.push_back(std::move(library));
  } else {
    out.push_back({{}, digest, file_with(digest), {}});
  }
  for (const auto& x : out)
    if (!fs::exists(x.file))
      return error{errc::unavailable,
                   "the stored code " + digest + " is not there: " + x.file.string() + "; deploy the library again"};
  return out;
}

std::size_t store::keep_only(const std::set<std::string>& digests) {
  std::set<std::string> names;
  for (const auto& digest : digests) {
    names.insert(needs_of(digest).filename());
    if (const auto needed = files(digest))
      for (const auto& x : *needed)
        names.insert(x.file.filename());
  }
  std::vector<fs::path> others;
  std::error_code why;
  for (fs::directory_iterator it{dir_, why}, end; !why && it != end; it.increment(why)) {
    const auto name = it->path().filename().string();
    if ((name.ends_with(".so") || name.ends_with(".needs")) && !names.contains(name))
      others.push_back(it->path());
  }
  std::size_t removed = 0;
  for (const auto& file : others)
    if (fs::remove(file, why) && file.extension() == ".so")
      ++removed;
  return removed;
}

} // namespace troupe::library
