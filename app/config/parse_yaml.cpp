// YAML texts: builds the value and its places from yaml-cpp's events, within bounds on depth and on what aliases copy.
#include <troupe/app/config/parsers.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace troupe::config {
namespace {

position to_position(const YAML::Mark& mark) {
  if (mark.is_null())
    return {};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

// Ends the parse.
struct refusal {
  position at;
  std::string sentence;
};

std::size_t count(const place& p) {
  std::size_t n = 1;
  for (const auto& part : p.parts)
    n += count(part);
  return n;
}

// A value with all that goes along with it.
struct node {
  json value;
  place at;
  std::size_t bytes = 32; // what a copy of it costs
  int depth = 0;          // levels within
  bool is_merge = false;  // the plain scalar `<<`
  std::string text;       // of a scalar, as written
};

class builder : public YAML::EventHandler {
public:
  builder(source& to, std::vector<problem>& errors) : to_(to), errors_(errors) {}

  void OnDocumentStart(const YAML::Mark& mark) override { // NOLINT(readability-identifier-naming): yaml-cpp's names
    if (seen_)
      throw refusal{to_position(mark), "a second document begins; a config is one document"};
    seen_ = true;
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { complete(node_at(mark), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw refusal{to_position(mark), "the alias stands within what it names"};
    check_depth(found->second.depth, mark);
    charge(found->second.bytes, to_position(mark));
    auto copy = found->second;
    if (places_ + count(copy.at) > place::max_count)
      copy.at.parts.clear();
    else
      places_ += count(copy.at);
    complete(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    node n = node_at(mark);
    n.value = scalar(mark, tag, text);
    n.text = text;
    n.bytes += text.size();
    n.is_merge = tag == "?" && text == "<<";
    complete(std::move(n), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    expect_tag(mark, tag, "tag:yaml.org,2002:seq");
    open(mark, anchor, json::array());
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    expect_tag(mark, tag, "tag:yaml.org,2002:map");
    open(mark, anchor, json::object());
  }

  void OnMapEnd() override { close(); }

private:
  // A list or mapping that is not closed yet.
  struct frame {
    node self;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    bool is_merge = false; // the key was `<<`
    std::string key;
    position key_at;
    std::vector<node> merged;
  };

  static node node_at(const YAML::Mark& mark) {
    const auto at = to_position(mark);
    node n;
    n.at.line = at.line;
    n.at.column = at.column;
    return n;
  }

  static json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    constexpr std::string_view known = "tag:yaml.org,2002:";
    const bool is_plain = tag.empty() || tag == "?";
    if (tag == "!" || tag == "tag:yaml.org,2002:str")
      return text;
    auto value = core_scalar(text);
    if (!is_plain) {
      const auto type = std::string_view{tag}.substr(tag.starts_with(known) ? known.size() : tag.size());
      if (value && value->is_number_integer() && type == "float")
        value = value->get<double>();
      const bool fits = (type == "int" && value && value->is_number_integer()) ||
                        (type == "float" && (!value || value->is_number_float())) ||
                        (type == "bool" && value && value->is_boolean()) ||
                        (type == "null" && value && value->is_null());
      if (!fits)
        throw refusal{to_position(mark), "the tag " + spec_fields::excerpt(json(tag)) +
                                             " is not known or does not fit " + spec_fields::excerpt(json(text))};
    }
    if (!value)
      throw refusal{to_position(mark), spec_fields::excerpt(json(text)) +
                                           " is a number that JSON does not have; quote it if it is a text"};
    return *value;
  }

  static void expect_tag(const YAML::Mark& mark, const std::string& tag, std::string_view expected) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != expected)
      throw refusal{to_position(mark), "the tag " + spec_fields::excerpt(json(tag)) + " is not known"};
  }

  void check_depth(int further, const YAML::Mark& mark) const {
    if (static_cast<int>(open_.size()) + further > max_text_depth)
      throw refusal{to_position(mark), "nests deeper than " + std::to_string(max_text_depth) + " levels"};
  }

  void charge(std::size_t bytes, position at) {
    copied_ += bytes;
    if (copied_ > max_copied_bytes)
      throw refusal{at, "anchors and aliases expand to more than " + std::to_string(max_copied_bytes >> 20U) + " MiB"};
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, json empty) {
    if (!open_.empty() && open_.back().self.value.is_object() && !open_.back().has_key)
      throw refusal{to_position(mark), "a key must be a text, not a list or mapping"};
    check_depth(1, mark);
    frame f;
    f.self = node_at(mark);
    f.self.value = std::move(empty);
    f.self.depth = 1;
    f.anchor = anchor;
    open_.push_back(std::move(f));
  }

  void close() {
    auto f = std::move(open_.back());
    open_.pop_back();
    for (const auto& from : f.merged)
      merge(from, f.self);
    complete(std::move(f.self), f.anchor);
  }

  // What the mapping says itself goes first, then what was merged earlier.
  void merge(const node& from, node& to) {
    std::set<std::string, std::less<>> added;
    for (const auto& [key, value] : from.value.items())
      if (!to.value.contains(key)) {
        to.value[key] = value;
        added.insert(key);
      }
    for (const auto& part : from.at.parts)
      if (added.contains(part.key))
        to.at.parts.push_back(part);
    to.bytes += from.bytes;
    to.depth = std::max(to.depth, from.depth);
  }

  void complete(node n, YAML::anchor_t anchor) {
    if (anchor != 0) {
      charge(n.bytes, {n.at.line, n.at.column});
      anchors_[anchor] = n;
    }
    if (open_.empty()) {
      to_.value = std::move(n.value);
      to_.root = std::move(n.at);
      return;
    }
    auto& f = open_.back();
    if (!f.self.value.is_object())
      add_part(f, std::move(n));
    else if (!f.has_key)
      take_key(f, n);
    else
      add_member(f, std::move(n));
  }

  static void take_key(frame& f, node& n) {
    const position at{n.at.line, n.at.column};
    if (n.value.is_structured() || (n.value.is_null() && n.text.empty()))
      throw refusal{at, "a key must be a text"};
    f.has_key = true;
    f.is_merge = n.is_merge;
    f.key = std::move(n.text);
    f.key_at = at;
  }

  void add_member(frame& f, node n) {
    f.has_key = false;
    if (f.is_merge)
      return take_merged(f, std::move(n));
    n.at.line = f.key_at.line; // errors about a member point at its name
    n.at.column = f.key_at.column;
    n.at.key = f.key;
    f.self.bytes += f.key.size();
    if (f.self.value.contains(f.key)) {
      if (errors_.size() < max_problems)
        errors_.push_back(
            syntax_problem(to_, f.key_at, "the key \"" + spec_fields::excerpt_of_key(f.key) + "\" is given twice"));
      return;
    }
    add_part(f, std::move(n));
  }

  static void take_merged(frame& f, node n) {
    if (n.value.is_object()) {
      f.merged.push_back(std::move(n));
      return;
    }
    const bool is_list =
        n.value.is_array() && std::all_of(n.value.begin(), n.value.end(), [](const json& x) { return x.is_object(); });
    if (!is_list)
      throw refusal{f.key_at, "<< takes a mapping or a list of mappings"};
    for (std::size_t i = 0; i < n.value.size(); ++i) {
      node part;
      part.value = std::move(n.value[i]);
      if (i < n.at.parts.size())
        part.at = std::move(n.at.parts[i]);
      part.depth = n.depth - 1;
      part.bytes = n.bytes / n.value.size();
      f.merged.push_back(std::move(part));
    }
  }

  void add_part(frame& f, node n) {
    f.self.bytes += n.bytes;
    f.self.depth = std::max(f.self.depth, n.depth + 1);
    if (f.self.value.is_object())
      f.self.value[f.key] = std::move(n.value);
    else
      f.self.value.push_back(std::move(n.value));
    if (static_cast<int>(open_.size()) <= place::max_levels && places_ < place::max_count) {
      ++places_;
      f.self.at.parts.push_back(std::move(n.at));
    }
  }

  source& to_;
  std::vector<problem>& errors_;
  std::vector<frame> open_;
  std::map<YAML::anchor_t, node> anchors_;
  std::size_t copied_ = 0;
  std::size_t places_ = 0;
  bool seen_ = false;
};

} // namespace

bool parse_yaml(std::string_view text, source& to, std::vector<problem>& errors) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser{stream};
    builder events{to, errors};
    while (parser.HandleNextDocument(events)) {
    }
    return true;
  } catch (const refusal& r) {
    errors.push_back(syntax_problem(to, r.at, r.sentence));
  } catch (const YAML::Exception& e) {
    errors.push_back(syntax_problem(to, to_position(e.mark), "not YAML: " + e.msg));
  }
  return false;
}

} // namespace troupe::config
