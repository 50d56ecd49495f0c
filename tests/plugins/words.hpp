// The requests and answers that the test libraries and the tests share.
#pragma once

#include <string>

namespace plugins {

struct question {
  std::string text;
};
/// They may cross from one node to another.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, question& x) {
  return f(x.text);
}

struct reply {
  std::string text;
  int version = 0;       ///< Of the code that answered.
  int from_inline = 0;   ///< Static data of an inline function.
  int from_template = 0; ///< Static data of a class template.
  int count = 0;         ///< Answers given by all replicas of this load.
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reply& x) {
  return f(x.text, x.version, x.from_inline, x.from_template, x.count);
}

} // namespace plugins
