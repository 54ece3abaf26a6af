#include "mail/gmime_door.h"

#include <gmime/gmime.h>

#include <memory>
#include <vector>

#include "base/ascii.h"
#include "base/byte_search.h"

namespace pixmilter::mail {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

std::string copy(const char* value) { return value == nullptr ? std::string() : std::string(value); }

Parameters read_parameters(GMimeParamList* list) {
  Parameters out;
  const int count = list == nullptr ? 0 : g_mime_param_list_length(list);
  for (int i = 0; i < count; ++i) {
    GMimeParam* parameter = g_mime_param_list_get_parameter_at(list, i);
    out.emplace_back(ascii::to_lower(copy(g_mime_param_get_name(parameter))),
                     copy(g_mime_param_get_value(parameter)));
  }
  return out;
}

// A message without the lines that say nothing about its shape, so that GMime need not walk through megabytes
// of them: after the empty line that ends a header, nothing counts but lines that begin with "--". Where
// these lie far apart, whole lines are left out of the middle; what stands at the ends, where headers and
// bodies meet, stays. In an embedded message this may take away fields of its header, which is nothing that
// is asked for: it is one part. Were GMime's view of the rest another than ours for that, the offsets would
// not agree, and the message would be left alone.
class Condensed {
 public:
  explicit Condensed(std::string_view bytes) : bytes_(bytes) {
    std::size_t kept = 0;  // end of what has been dealt with
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = next_dashes(begin);
      if (const std::size_t body = end - begin >= kLongStretch ? after_empty_line(begin, end) : end;
          end - body >= kLongStretch) {
        const std::size_t cut_begin = bytes.find('\n', body + kMargin) + 1;
        const std::size_t cut_end = bytes.rfind('\n', end - kMargin) + 1;
        if (cut_begin < cut_end) {
          text_.append(bytes, kept, cut_begin - kept);
          cuts_.push_back({text_.size(), (cuts_.empty() ? 0 : cuts_.back().removed) + (cut_end - cut_begin)});
          kept = cut_end;
        }
      }
      begin = end;
    }
    if (!cuts_.empty()) text_.append(bytes, kept);
  }
  std::string_view text() const { return cuts_.empty() ? bytes_ : std::string_view(text_); }
  // Where a byte of text() stands in the message. -1, for no offset, stays.
  std::int64_t original(std::int64_t offset) const {
    std::size_t removed = 0;
    for (const Cut& cut : cuts_)
      if (offset >= 0 && static_cast<std::size_t>(offset) >= cut.at) removed = cut.removed;
    return offset + static_cast<std::int64_t>(removed);
  }

 private:
  // Where the next line after begin that starts with "--" does, or the message ends.
  std::size_t next_dashes(std::size_t begin) const {
    while (true) {
      begin = find_pair(bytes_, begin, '\n', '-') + 1;
      if (begin >= bytes_.size()) return bytes_.size();
      if (bytes_.substr(begin).starts_with("--")) return begin;
    }
  }
  // Behind the first empty line within, or its end.
  std::size_t after_empty_line(std::size_t begin, std::size_t end) const {
    const std::string_view text = bytes_.substr(0, end);
    for (std::size_t at = begin; (at = text.find('\n', at)) != std::string_view::npos;) {
      ++at;
      if (text.substr(at).starts_with('\n')) return at + 1;
      if (text.substr(at).starts_with("\r\n")) return at + 2;
    }
    return end;
  }

  static constexpr std::size_t kLongStretch = 8 << 10;
  static constexpr std::size_t kMargin = 2 << 10;
  struct Cut {
    std::size_t at;       // in text_
    std::size_t removed;  // bytes, by this cut and those before it
  };
  std::string_view bytes_;
  std::string text_;
  std::vector<Cut> cuts_;
};

GMimeNode read_node(GMimeObject* object, const Condensed& condensed, int depth) {
  GMimeNode node;
  GMimeContentType* content_type = g_mime_object_get_content_type(object);
  node.type = ascii::to_lower(copy(g_mime_content_type_get_media_type(content_type)) + "/" +
                              copy(g_mime_content_type_get_media_subtype(content_type)));
  node.parameters = read_parameters(g_mime_content_type_get_parameters(content_type));
  if (GMimeContentDisposition* disposition = g_mime_object_get_content_disposition(object)) {
    node.disposition = ascii::to_lower(copy(g_mime_content_disposition_get_disposition(disposition)));
    node.disposition_parameters = read_parameters(g_mime_content_disposition_get_parameters(disposition));
  }
  node.content_id = copy(g_mime_object_get_content_id(object));
  if (GMIME_IS_MULTIPART(object)) {
    GMimeMultipart* multipart = GMIME_MULTIPART(object);
    node.is_multipart = true;
    node.boundary = copy(g_mime_multipart_get_boundary(multipart));
    const int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count && depth < static_cast<int>(MimeTree::kMaxDepth) + 2; ++i)
      node.children.push_back(read_node(g_mime_multipart_get_part(multipart, i), condensed, depth + 1));
  } else if (GMIME_IS_PART(object)) {
    GMimePart* part = GMIME_PART(object);
    node.filename = copy(g_mime_part_get_filename(part));
    node.description = copy(g_mime_part_get_content_description(part));
    if (GMimeDataWrapper* content = g_mime_part_get_content(part)) {
      GMimeStream* stream = g_mime_data_wrapper_get_stream(content);
      node.content_begin = condensed.original(stream->bound_start);
      node.content_end = condensed.original(stream->bound_end);
    }
  }
  return node;
}

}  // namespace

void initialise_mime() { g_mime_init(); }

Result<GMimeNode> parse_with_gmime(std::string_view bytes) {
  const Condensed condensed(bytes);
  const std::string_view text = condensed.text();
  // A memory stream over bytes that stay ours: GMime only reads, and the array is taken back before it is
  // freed.
  GByteArray* array =
      g_byte_array_new_take(reinterpret_cast<guint8*>(const_cast<char*>(text.data())), text.size());
  Result<GMimeNode> result = Error{"GMime finds no message"};
  {
    Object<GMimeStream> stream(g_mime_stream_mem_new());
    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream.get()), array);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream.get()), FALSE);
    Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), TRUE);
    if (Object<GMimeMessage> message{g_mime_parser_construct_message(parser.get(), nullptr)})
      if (GMimeObject* root = g_mime_message_get_mime_part(message.get()))
        result = read_node(root, condensed, 0);
  }
  g_byte_array_steal(array, nullptr);
  g_byte_array_free(array, TRUE);
  return result;
}

}  // namespace pixmilter::mail
