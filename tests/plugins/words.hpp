// The requests and answers that the test libraries and the tests share.
#pragma once

#include <string>

namespace plugins {

struct question {
  std::string text;
};

struct reply {
  std::string text;
  int version = 0;       ///< Of the code that answered.
  int from_inline = 0;   ///< Static data of an inline function.
  int from_template = 0; ///< Static data of a class template.
  int count = 0;         ///< Answers given by all replicas of this load.
};

} // namespace plugins
