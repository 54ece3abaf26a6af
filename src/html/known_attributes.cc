#include "html/known_attributes.h"

#include "base/ascii.h"

namespace pixmilter::html {

KnownAttributes::KnownAttributes(const Token& token) {
  for (const Attribute& attribute : token.attributes) {
    const auto note = [&](std::string_view name, const Attribute*& slot) {
      if (slot == nullptr && ascii::iequals(attribute.name, name)) slot = &attribute;
    };
    switch (attribute.name.size()) {
      case 3:
        note("src", src);
        break;
      case 4:
        note("type", type);
        break;
      case 5:
        note("style", style), note("width", width);
        break;
      case 6:
        note("srcset", srcset), note("height", height), note("hidden", hidden);
        break;
      case 10:
        note("background", background);
        break;
      case 14:
        note("data-pixmilter", skip);
        break;
      case 15:
        note("moz-do-not-send", keep);
        break;
      default:
        break;
    }
  }
}

}  // namespace pixmilter::html
