#include "html/svg_names.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace pixmilter::html {
namespace {

constexpr std::string_view kElements[] = {"altGlyph",
                                          "altGlyphDef",
                                          "altGlyphItem",
                                          "animateColor",
                                          "animateMotion",
                                          "animateTransform",
                                          "clipPath",
                                          "feBlend",
                                          "feColorMatrix",
                                          "feComponentTransfer",
                                          "feComposite",
                                          "feConvolveMatrix",
                                          "feDiffuseLighting",
                                          "feDisplacementMap",
                                          "feDistantLight",
                                          "feDropShadow",
                                          "feFlood",
                                          "feFuncA",
                                          "feFuncB",
                                          "feFuncG",
                                          "feFuncR",
                                          "feGaussianBlur",
                                          "feImage",
                                          "feMerge",
                                          "feMergeNode",
                                          "feMorphology",
                                          "feOffset",
                                          "fePointLight",
                                          "feSpecularLighting",
                                          "feSpotLight",
                                          "feTile",
                                          "feTurbulence",
                                          "foreignObject",
                                          "glyphRef",
                                          "linearGradient",
                                          "radialGradient",
                                          "textPath"};

constexpr std::string_view kAttributes[] = {"attributeName",
                                            "attributeType",
                                            "baseFrequency",
                                            "baseProfile",
                                            "calcMode",
                                            "clipPathUnits",
                                            "diffuseConstant",
                                            "edgeMode",
                                            "filterUnits",
                                            "glyphRef",
                                            "gradientTransform",
                                            "gradientUnits",
                                            "kernelMatrix",
                                            "kernelUnitLength",
                                            "keyPoints",
                                            "keySplines",
                                            "keyTimes",
                                            "lengthAdjust",
                                            "limitingConeAngle",
                                            "markerHeight",
                                            "markerUnits",
                                            "markerWidth",
                                            "maskContentUnits",
                                            "maskUnits",
                                            "numOctaves",
                                            "pathLength",
                                            "patternContentUnits",
                                            "patternTransform",
                                            "patternUnits",
                                            "pointsAtX",
                                            "pointsAtY",
                                            "pointsAtZ",
                                            "preserveAlpha",
                                            "preserveAspectRatio",
                                            "primitiveUnits",
                                            "refX",
                                            "refY",
                                            "repeatCount",
                                            "repeatDur",
                                            "requiredExtensions",
                                            "requiredFeatures",
                                            "specularConstant",
                                            "specularExponent",
                                            "spreadMethod",
                                            "startOffset",
                                            "stdDeviation",
                                            "stitchTiles",
                                            "surfaceScale",
                                            "systemLanguage",
                                            "tableValues",
                                            "targetX",
                                            "targetY",
                                            "textLength",
                                            "viewBox",
                                            "viewTarget",
                                            "xChannelSelector",
                                            "yChannelSelector",
                                            "zoomAndPan"};

template <std::size_t kSize>
std::string adjusted(std::string_view lower, const std::string_view (&names)[kSize]) {
  const auto* found = std::find_if(std::begin(names), std::end(names),
                                   [&](std::string_view name) { return ascii::iequals(name, lower); });
  return std::string(found != std::end(names) ? *found : lower);
}

}  // namespace

std::string svg_element_name(std::string_view lower) { return adjusted(lower, kElements); }
std::string svg_attribute_name(std::string_view lower) { return adjusted(lower, kAttributes); }

}  // namespace pixmilter::html
