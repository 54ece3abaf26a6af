// The floors that libmilter itself sets, for run.py: a milter that does nothing and one that rewrites without
// looking.
//
//   reference_milter accept|same-body SOCKET
//
// accept sees every step of a message and lets it pass. same-body collects the message and hands its own body
// back. Both ask for no replies but the last, as any filter that wants to be fast does.
#include <libmilter/mfapi.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace {

bool g_same_body = false;

struct Mail {
  std::string bytes;
  std::size_t body_begin = 0;
};

Mail& mail_of(SMFICTX* context) {
  auto* mail = static_cast<Mail*>(::smfi_getpriv(context));
  if (mail == nullptr) {
    mail = std::make_unique<Mail>().release();
    ::smfi_setpriv(context, mail);
  }
  return *mail;
}

sfsistat on_connect(SMFICTX*, char*, sockaddr*) { return SMFIS_NOREPLY; }
sfsistat on_helo(SMFICTX*, char*) { return SMFIS_NOREPLY; }
sfsistat on_recipient(SMFICTX*, char**) { return SMFIS_NOREPLY; }

sfsistat on_mail(SMFICTX* context, char**) {
  if (g_same_body) mail_of(context).bytes.clear();
  return SMFIS_NOREPLY;
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
  if (g_same_body) mail_of(context).bytes.append(name).append(":").append(value).append("\r\n");
  return SMFIS_NOREPLY;
}

sfsistat on_end_of_headers(SMFICTX* context) {
  if (g_same_body) {
    Mail& mail = mail_of(context);
    mail.bytes.append("\r\n");
    mail.body_begin = mail.bytes.size();
  }
  return SMFIS_NOREPLY;
}

sfsistat on_body(SMFICTX* context, unsigned char* bytes, std::size_t size) {
  if (g_same_body) mail_of(context).bytes.append(reinterpret_cast<const char*>(bytes), size);
  return SMFIS_NOREPLY;
}

sfsistat on_end_of_message(SMFICTX* context) {
  if (!g_same_body) return SMFIS_ACCEPT;
  Mail& mail = mail_of(context);
  auto* body = reinterpret_cast<unsigned char*>(mail.bytes.data() + mail.body_begin);
  const auto size = static_cast<int>(mail.bytes.size() - mail.body_begin);
  return ::smfi_replacebody(context, body, size) == MI_SUCCESS ? SMFIS_ACCEPT : SMFIS_TEMPFAIL;
}

sfsistat on_close(SMFICTX* context) {
  delete static_cast<Mail*>(::smfi_getpriv(context));
  ::smfi_setpriv(context, nullptr);
  return SMFIS_CONTINUE;
}

sfsistat on_negotiate(SMFICTX*, unsigned long, unsigned long offered, unsigned long, unsigned long,
                      unsigned long* actions, unsigned long* steps, unsigned long* more2,
                      unsigned long* more3) {
  *actions = SMFIF_CHGBODY | SMFIF_CHGHDRS | SMFIF_ADDHDRS;
  *steps = offered & (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR |
                      SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
  *more2 = *more3 = 0;
  return SMFIS_CONTINUE;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what != "accept" && what != "same-body") {
    std::fputs("usage: reference_milter accept|same-body SOCKET\n", stderr);
    return 64;
  }
  g_same_body = what == "same-body";
  char name[] = "reference";
  smfiDesc filter{};
  filter.xxfi_name = name;
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_flags = SMFIF_CHGBODY | SMFIF_CHGHDRS | SMFIF_ADDHDRS;
  filter.xxfi_connect = on_connect;
  filter.xxfi_helo = on_helo;
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_envrcpt = on_recipient;
  filter.xxfi_header = on_header;
  filter.xxfi_eoh = on_end_of_headers;
  filter.xxfi_body = on_body;
  filter.xxfi_eom = on_end_of_message;
  filter.xxfi_close = on_close;
  filter.xxfi_negotiate = on_negotiate;
  ::umask(077);
  ::smfi_setbacklog(256);
  if (::smfi_register(filter) != MI_SUCCESS || ::smfi_setconn(argv[2]) != MI_SUCCESS ||
      ::smfi_opensocket(true) != MI_SUCCESS) {
    std::fputs("reference_milter: cannot set up\n", stderr);
    return 70;
  }
  return ::smfi_main() == MI_SUCCESS ? 0 : 70;
}
