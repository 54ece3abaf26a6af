#include "milter/filter.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "milter/edits.h"
#include "milter/negotiation.h"
#include "milter/reply_burst.h"
#include "milter/seams.h"
#include "milter/session.h"

// libmilter's own test for "this is the end of the message" (libmilter/engine.c). Not in its header, but
// part of the archive.
extern "C" bool mi_sendok(SMFICTX* context, int flag);

namespace pixmilter::milter {
namespace {

constexpr char kName[] = "pixmilter";

// What the callbacks need; set once before the first of them runs.
Traffic* g_traffic = nullptr;
bool g_no_reply = false;
std::atomic<bool> g_told_incapable{false};

// SMFIC_QUIT_NC ends a session for libmilter and begins another on the same connection, without a new
// negotiation: what was agreed is kept here under the connection's address from the one to the other. An
// address without a connection keeps its entry until it is used again, so the number is bounded.
class Agreements {
 public:
  void keep(const void* connection, const Features& features) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= kMost) kept_.clear();
    kept_[connection] = features;
  }
  Features take(const void* connection) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(connection);
    if (found == kept_.end()) return agree({~0ul, ~0ul}, g_no_reply).features;
    const Features features = found->second;
    kept_.erase(found);
    return features;
  }

 private:
  static constexpr std::size_t kMost = 4096;
  std::mutex mutex_;
  std::map<const void*, Features> kept_;
};
Agreements g_agreements;

class LibmilterMta : public Mta {
 public:
  explicit LibmilterMta(SMFICTX* context) : context_(context) {}

  std::string macro(const char* name) const override {
    const char* value = ::smfi_getsymval(context_, const_cast<char*>(name));
    return value == nullptr ? std::string() : std::string(value);
  }
  // libmilter cuts it into chunks of 65,535 bytes, the protocol's largest, and waits for no answer.
  bool replace_body(std::string_view body) override {
    static_assert(kMaxMessageBytes * 2 < INT_MAX);
    if (body.size() > INT_MAX) return false;
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(body.data()));
    reply_burst::begin();
    return ::smfi_replacebody(context_, bytes, static_cast<int>(body.size())) == MI_SUCCESS;
  }
  bool change_header(const std::string& name, int index, const char* value) override {
    reply_burst::begin();
    return ::smfi_chgheader(context_, const_cast<char*>(name.c_str()), index, const_cast<char*>(value)) ==
           MI_SUCCESS;
  }
  bool add_header(const std::string& name, const std::string& value) override {
    reply_burst::begin();
    return ::smfi_addheader(context_, const_cast<char*>(name.c_str()), const_cast<char*>(value.c_str())) ==
           MI_SUCCESS;
  }
  bool quarantine(const std::string& reason) override {
    reply_burst::begin();
    return ::smfi_quarantine(context_, const_cast<char*>(reason.c_str())) == MI_SUCCESS;
  }
  bool set_reply(const char* code, const char* enhanced_code, const std::string& text) override {
    return ::smfi_setreply(context_, const_cast<char*>(code), const_cast<char*>(enhanced_code),
                           const_cast<char*>(text.c_str())) == MI_SUCCESS;
  }

 private:
  SMFICTX* context_;
};

Session* session_of(SMFICTX* context) { return static_cast<Session*>(::smfi_getpriv(context)); }

Client client_of(const char* name, const sockaddr* address) {
  Client client;
  if (name != nullptr) client.name = name;
  char text[INET6_ADDRSTRLEN] = "";
  if (address != nullptr && address->sa_family == AF_INET) {
    const auto& four = *reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    client.loopback = (ntohl(four.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    client.port = ntohs(four.sin_port);
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    const auto& six = *reinterpret_cast<const sockaddr_in6*>(address);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    client.loopback = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    client.port = ntohs(six.sin6_port);
  }
  client.address = text;
  return client;
}

std::vector<std::string_view> words(char** arguments) {
  std::vector<std::string_view> list;
  for (; arguments != nullptr && *arguments != nullptr; ++arguments) list.emplace_back(*arguments);
  return list;
}

// Runs one step of a session. Exceptions end here: the message is forgotten, and so passes untouched.
// silent: the step is one that is not answered where that was agreed.
template <class Step>
sfsistat answer(SMFICTX* context, bool silent, Step step) {
  Session* session = session_of(context);
  if (session == nullptr) return SMFIS_ACCEPT;
  Reply reply = Reply::proceed;
  try {
    LibmilterMta mta(context);
    reply = step(*session, mta);
    if (auto answered = session->take_answered()) seams::hold_until_reply(std::move(answered));
  } catch (const std::exception& exception) {
    log::error(std::string("a message passes untouched: ") + exception.what());
    session->abort();
    reply = silent ? Reply::proceed : Reply::accept;
  }
  seams::step_over();
  reply_burst::end();
  switch (reply) {
    case Reply::accept:
      return SMFIS_ACCEPT;
    case Reply::reject:
      return SMFIS_REJECT;
    case Reply::tempfail:
      return SMFIS_TEMPFAIL;
    case Reply::proceed:
      break;
  }
  return silent && session->features().no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

sfsistat on_negotiate(SMFICTX* context, unsigned long actions, unsigned long steps, unsigned long,
                      unsigned long, unsigned long* our_actions, unsigned long* our_steps,
                      unsigned long* more2, unsigned long* more3) {
  try {
    // A front that is ending says so at once, which takes a step that is answered.
    const Agreement agreement = agree({actions, steps}, g_no_reply && !g_traffic->draining());
    *our_actions = agreement.actions;
    *our_steps = agreement.steps;
    *more2 = *more3 = 0;
    if (!agreement.features.capable && !g_told_incapable.exchange(true))
      log::warning("the MTA does not offer what is needed (" + agreement.lacking +
                   "): its messages pass untouched");
    if ((agreement.actions & SMFIF_SETSYMLIST) != 0) {
      const std::pair<int, const char*> lists[] = {{SMFIM_CONNECT, kConnectMacros},
                                                   {SMFIM_ENVFROM, kMailMacros},
                                                   {SMFIM_EOH, kHeaderMacros},
                                                   {SMFIM_EOM, kMessageMacros}};
      for (const auto& [stage, list] : lists) ::smfi_setsymlist(context, stage, const_cast<char*>(list));
    }
    delete session_of(context);  // a second negotiation on one connection
    ::smfi_setpriv(context, nullptr);
    ::smfi_setpriv(context, std::make_unique<Session>(*g_traffic, agreement.features).release());
    return SMFIS_CONTINUE;
  } catch (const std::exception&) {
    return SMFIS_REJECT;  // no memory: libmilter closes the connection
  }
}

sfsistat on_connect(SMFICTX* context, char* name, sockaddr* address) {
  if (session_of(context) == nullptr) {
    try {
      ::smfi_setpriv(context, std::make_unique<Session>(*g_traffic, g_agreements.take(context)).release());
    } catch (const std::exception&) {
      return g_no_reply ? SMFIS_NOREPLY : SMFIS_ACCEPT;
    }
  }
  return answer(context, true,
                [&](Session& session, Mta& mta) { return session.connect(client_of(name, address), mta); });
}

sfsistat on_mail(SMFICTX* context, char** arguments) {
  return answer(context, true,
                [&](Session& session, Mta& mta) { return session.mail(words(arguments), mta); });
}

sfsistat on_recipient(SMFICTX* context, char** arguments) {
  return answer(context, true, [&](Session& session, Mta&) {
    const auto list = words(arguments);
    return session.recipient(list.empty() ? std::string_view() : list.front());
  });
}

sfsistat on_header(SMFICTX* context, char* name, char* value) {
  return answer(context, true, [&](Session& session, Mta&) { return session.header(name, value); });
}

sfsistat on_end_of_headers(SMFICTX* context) {
  return answer(context, false, [](Session& session, Mta& mta) { return session.end_of_headers(mta); });
}

sfsistat on_body(SMFICTX* context, unsigned char* bytes, std::size_t size) {
  // SMFIC_BODYEOB may carry the last of the body. libmilter then goes on to the end of the message only if
  // this callback answers "continue" (st_bodyend in libmilter/engine.c), which it does not send.
  const bool with_end = mi_sendok(context, 0);
  return answer(context, !with_end, [&](Session& session, Mta&) {
    return session.body({reinterpret_cast<const char*>(bytes), size});
  });
}

sfsistat on_end_of_message(SMFICTX* context) {
  return answer(context, false, [](Session& session, Mta& mta) { return session.end_of_message(mta); });
}

sfsistat on_abort(SMFICTX* context) {
  if (Session* session = session_of(context)) session->abort();
  return SMFIS_CONTINUE;
}

sfsistat on_close(SMFICTX* context) {
  seams::no_reply();
  if (Session* session = session_of(context)) {
    try {
      g_agreements.keep(context, session->features());
    } catch (const std::exception&) {
      // No memory: a connection that goes on is taken for one that can do everything.
    }
    delete session;
    ::smfi_setpriv(context, nullptr);
  }
  return SMFIS_CONTINUE;
}

}  // namespace

Status prepare_filter(const FilterOptions& options, Traffic& traffic) {
  g_traffic = &traffic;
  g_no_reply = options.no_reply;
  // libmilter blocks these for itself and what it starts; threads of ours start earlier.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  smfiDesc filter{};
  filter.xxfi_name = const_cast<char*>(kName);
  filter.xxfi_version = SMFI_VERSION;
  filter.xxfi_connect = on_connect;
  filter.xxfi_envfrom = on_mail;
  filter.xxfi_envrcpt = on_recipient;
  filter.xxfi_header = on_header;
  filter.xxfi_eoh = on_end_of_headers;
  filter.xxfi_body = on_body;
  filter.xxfi_eom = on_end_of_message;
  filter.xxfi_abort = on_abort;
  filter.xxfi_close = on_close;
  filter.xxfi_negotiate = on_negotiate;
  if (::smfi_register(filter) != MI_SUCCESS) return Error{"libmilter does not take the filter"};
  std::string connection = "fd:" + std::to_string(options.listen_fd);
  if (::smfi_setconn(connection.data()) != MI_SUCCESS || ::smfi_setbacklog(SOMAXCONN) != MI_SUCCESS)
    return Error{"libmilter does not take the socket"};
  ::smfi_setmaxdatasize(kMaxFrameBytes);
  return Done{};
}

Error run_filter() {
  errno = 0;
  const int result = ::smfi_main();
  return Error{"libmilter has ended" + std::string(result == MI_SUCCESS ? "" : " with a failure") +
               (errno != 0 ? std::string(": ") + std::strerror(errno) : std::string())};
}

}  // namespace pixmilter::milter
