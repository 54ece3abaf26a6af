#include "mail/gmime_door.h"

#include <gmime/gmime.h>

#include <memory>

#include "base/ascii.h"

namespace pixmilter::mail {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

std::string text(const char* value) { return value == nullptr ? std::string() : std::string(value); }

Parameters read_parameters(GMimeParamList* list) {
  Parameters out;
  const int count = list == nullptr ? 0 : g_mime_param_list_length(list);
  for (int i = 0; i < count; ++i) {
    GMimeParam* parameter = g_mime_param_list_get_parameter_at(list, i);
    out.emplace_back(ascii::to_lower(text(g_mime_param_get_name(parameter))),
                     text(g_mime_param_get_value(parameter)));
  }
  return out;
}

GMimeNode read_node(GMimeObject* object, int depth) {
  GMimeNode node;
  GMimeContentType* content_type = g_mime_object_get_content_type(object);
  node.type = ascii::to_lower(text(g_mime_content_type_get_media_type(content_type)) + "/" +
                              text(g_mime_content_type_get_media_subtype(content_type)));
  node.parameters = read_parameters(g_mime_content_type_get_parameters(content_type));
  if (GMimeContentDisposition* disposition = g_mime_object_get_content_disposition(object)) {
    node.disposition = ascii::to_lower(text(g_mime_content_disposition_get_disposition(disposition)));
    node.disposition_parameters = read_parameters(g_mime_content_disposition_get_parameters(disposition));
  }
  node.content_id = text(g_mime_object_get_content_id(object));
  if (GMIME_IS_MULTIPART(object)) {
    GMimeMultipart* multipart = GMIME_MULTIPART(object);
    node.is_multipart = true;
    node.boundary = text(g_mime_multipart_get_boundary(multipart));
    const int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count && depth < static_cast<int>(MimeTree::kMaxDepth) + 2; ++i)
      node.children.push_back(read_node(g_mime_multipart_get_part(multipart, i), depth + 1));
  } else if (GMIME_IS_PART(object)) {
    GMimePart* part = GMIME_PART(object);
    node.filename = text(g_mime_part_get_filename(part));
    node.description = text(g_mime_part_get_content_description(part));
    if (GMimeDataWrapper* content = g_mime_part_get_content(part)) {
      GMimeStream* stream = g_mime_data_wrapper_get_stream(content);
      node.content_begin = stream->bound_start;
      node.content_end = stream->bound_end;
    }
  }
  return node;
}

}  // namespace

void initialise_mime() { g_mime_init(); }

Result<GMimeNode> parse_with_gmime(std::string_view bytes) {
  // A memory stream over bytes that stay ours: GMime only reads, and the array is taken back before it is
  // freed.
  GByteArray* array =
      g_byte_array_new_take(reinterpret_cast<guint8*>(const_cast<char*>(bytes.data())), bytes.size());
  Result<GMimeNode> result = Error{"GMime finds no message"};
  {
    Object<GMimeStream> stream(g_mime_stream_mem_new());
    g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream.get()), array);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream.get()), FALSE);
    Object<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), TRUE);
    if (Object<GMimeMessage> message{g_mime_parser_construct_message(parser.get(), nullptr)})
      if (GMimeObject* root = g_mime_message_get_mime_part(message.get())) result = read_node(root, 0);
  }
  g_byte_array_steal(array, nullptr);
  g_byte_array_free(array, TRUE);
  return result;
}

}  // namespace pixmilter::mail
