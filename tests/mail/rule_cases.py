"""The cases of rules, for make_cases.py: for each condition and each action a message that it means and one
that it does not.

Conditions of messages stand in a rule that skips: what matches stays as it came, what does not is rewritten.
Conditions of images stand in an image rule that keeps. Actions have an image rule that means PNG, and a GIF
beside it that it does not mean.
"""

import io

from PIL import Image

import pictures
from assorted import b64, multipart, part

HTML, TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"
BASE64 = "Content-Transfer-Encoding: base64"
PNG, GIF = pictures.png(8, 6), pictures.gif(8, 6)
PNG_URI, GIF_URI = pictures.data_uri(PNG), pictures.data_uri(GIF, "image/gif")
RELATED = ["multipart/related", ["text/html"]]
REASON = "Image left out by rule &#34;t&#34;"


def html(text):
    return part(HTML, text)


def add_message_conditions(case, head):
    message = html(f'<img src="{PNG_URI}">\n')
    old_from = "From: Sender <sender@example.test>"
    rows = [
        # name, condition, (arguments, head) that it means, (arguments, head) that it does not
        ("ip", 'ip = ["10.0.0.0/8", "127.0.0.0/8"]', (("--ip", "127.0.0.1"), head), (("--ip", "::1"), head)),
        ("ip-v6", 'ip = "::/64"', (("--ip", "::1"), head), (("--ip", "127.0.0.1"), head)),
        ("ip-mapped", 'ip = "127.0.0.1"', (("--ip", "::ffff:127.0.0.1"), head), (("--ip", "127.0.0.2"), head)),
        ("local", "local = true", ((), head), (("--ip", "127.0.0.1"), head)),
        ("authenticated", "authenticated = true", (("--auth", "joe"), head), ((), head)),
        ("user", 'user = ["ann", "j*"]', (("--auth", "joe"), head), (("--auth", "bob"), head)),
        ("from", 'from = "*@Example.Org"', (("--from", "a@example.org"), head), (("--from", "a@example.com"), head)),
        ("from-mime", 'from_mime = "sender@example.test"', ((), head), ((), head.replace("sender@", "other@"))),
        ("rcpt", 'rcpt = "*@partner.example"', (("--rcpt", "<joe@partner.example>"), head), (("--rcpt", "joe@partner.example.net"), head)),
        ("rcpt-mime", 'rcpt_mime = "boss@*"', ((), head + "Cc: The Boss <boss@example.test>\n"), ((), head + "Bcc: boss@example.test\n")),
        ("header", 'header = { x-images = "no*" }', ((), head + "X-Images: No, thanks\n"), ((), head + "X-Images: yes\n")),
        ("header-encoded", 'header = { X-Team = "größe" }', ((), head + "X-Team: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\n"), ((), head + "X-Team: Groesse\n")),
        ("hostname", 'hostname = "*.lan"', (("--macro", "client_name=ws7.lan"), head), (("--macro", "client_name=lan.example"), head)),
        ("daemon-name", 'daemon_name = "submission"', (("--macro", "{daemon_name}=submission"), head), (("--macro", "daemon_name=smtp"), head)),
        ("size", 'size = ">2K"', ((), head + "X-Long: " + "long " * 500 + "\n"), ((), head)),
        ("subject", "subject = 'regexp:/^\\[(alert|ok)\\]/'", ((), head.replace("Subject: ", "Subject: [ALERT] ")), ((), head.replace("Subject: ", "Subject: no [alert] "))),
        ("list", "list = true", ((), head + "List-Id: <all.example.test>\n"), ((), head + "X-List-Id: none\n")),
    ]
    for name, condition, means, not_means in rows:
        policy = f'[[rule]]\nname = "t"\nmatch = {{ {condition} }}\naction = "skip"\n'
        case(f"if-{name}", f"The condition {name} holds: the rule skips the message.", message, head=means[1],
             arguments=means[0], policy=policy, same=True)
        case(f"if-not-{name}", f"The condition {name} does not hold: the defaults rewrite the message.", message,
             head=not_means[1], arguments=not_means[0], policy=policy)
    unless = '[[rule]]\nname = "t"\nmatch = { from = "*" }\nunless = { header = { X-Images = "*" }, local = true }\naction = "skip"\n'
    case("if-unless", "All of unless hold: the rule does not match after all.", message, head=head + "X-Images: x\n",
         arguments=("--from", "a@b.test"), policy=unless)
    case("if-not-unless", "One of unless does not hold: the rule matches.", message, arguments=("--from", "a@b.test"),
         policy=unless, same=True)
    case("if-and-or", "Keys are ANDed, values of one key ORed.", message, arguments=("--from", "b@x.test", "--rcpt", "c@y.test"),
         policy='[[rule]]\nname = "t"\nmatch = { from = ["a@x.test", "b@x.test"], rcpt = "c@y.test" }\naction = "skip"\n', same=True)
    case("if-not-and-or", "One of two keys is not enough.", message, arguments=("--from", "b@x.test", "--rcpt", "d@y.test"),
         policy='[[rule]]\nname = "t"\nmatch = { from = ["a@x.test", "b@x.test"], rcpt = "c@y.test" }\naction = "skip"\n')
    signed = "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x;\n\th=from; bh=abc=; b=def=\n"
    case("if-dkim-signed", "A rule that says dkim_signed rewrites signed mail.", message, head=head + signed,
         policy='[[rule]]\nname = "t"\nmatch = { dkim_signed = true }\n')
    case("if-not-dkim-signed", "A rule that says nothing of signatures does not.", message, head=head + signed,
         policy='[[rule]]\nname = "t"\nmatch = { from_mime = "*" }\n', same=True)
    assert old_from in head


def gps_jpeg():
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 0.0)}
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 30, 30)).save(out, "JPEG", exif=exif)
    return pictures.data_uri(out.getvalue(), "image/jpeg")


def moving_gif():
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 6), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=200)
    return pictures.data_uri(out.getvalue(), "image/gif")


def add_image_conditions(case):
    large, alpha = pictures.data_uri(pictures.png(60, 40)), pictures.data_uri(pictures.png(8, 6, 4))
    plain_jpeg = pictures.data_uri(pictures.jpeg(16, 16), "image/jpeg")
    rows = [
        ("source", 'source = "data"', PNG_URI, None),
        ("type", 'type = ["image/gif", "image/tiff"]', GIF_URI, PNG_URI),
        ("width", 'width = ">=60"', large, PNG_URI),
        ("height", 'height = "6"', PNG_URI, large),
        ("megapixels", 'megapixels = ">0.001"', large, PNG_URI),
        ("bytes", f'bytes = ">{len(PNG)}"', large, PNG_URI),
        ("frames", 'frames = ">1"', moving_gif(), GIF_URI),
        ("alpha", "alpha = true", alpha, PNG_URI),
        ("gps", "gps = true", gps_jpeg(), plain_jpeg),
    ]
    for name, condition, means, not_means in rows:
        policy = f'[[rule]]\nname = "t"\n  [[rule.image]]\n  match = {{ {condition} }}\n  action = "keep"\n'
        case(f"image-if-{name}", f"The image condition {name} holds: the rule keeps the picture.",
             html(f'<img src="{means}">\n'), policy=policy, same=True)
        if not_means:
            case(f"image-if-not-{name}", f"The image condition {name} does not hold: the picture is embedded.",
                 html(f'<img src="{not_means}">\n'), policy=policy)
    case("image-if-not-source", "The image condition source does not hold.", html(f'<img src="{PNG_URI}">\n'),
         policy='[[rule]]\nname = "t"\n  [[rule.image]]\n  match = { source = ["part", "svg"] }\n  action = "keep"\n')
    case("image-if-not-unless", "The unless of an image rule holds.", html(f'<img src="{PNG_URI}">\n'),
         policy='[[rule]]\nname = "t"\n  [[rule.image]]\n  unless = { width = "<10" }\n  action = "keep"\n')
    attached = part('image/png; name="a.png"', b64(PNG), BASE64, 'Content-Disposition: attachment; filename="a.png"')
    case("image-if-attachment", "attachment = true means the attached picture and not the one in the text.",
         multipart("mixed", "mix", html(f'<img src="{PNG_URI}">\n'), attached),
         policy='[[rule]]\nname = "t"\n  [[rule.image]]\n  match = { attachment = true }\n  action = "drop"\n',
         expect={"loses": True, "tree": ["multipart/mixed", ["multipart/related", ["text/html"], ["image/png"]]]})
    case("image-if-not-attachment", "A rule that does not say attachment = true leaves an attached picture alone.",
         multipart("mixed", "mix", part(TEXT, "A\n"), attached),
         policy='[[rule]]\nname = "t"\n  [[rule.image]]\n  match = { type = "image/*" }\n  action = "drop"\n', same=True)


def add_message_actions(case):
    """What a rule, or on_fail, does to the whole message."""
    message = html(f'<img src="{PNG_URI}">\n')
    for action, status in (("reject", 69), ("tempfail", 75)):
        policy = f'[[rule]]\nname = "t"\nmatch = {{ from = "*@bad.example" }}\naction = "{action}"\nreply = "5.7.1 Not from here"\n'
        policy = policy if action == "reject" else policy.replace("5.7.1", "4.7.1")
        case(f"action-{action}", f"{action}: nothing comes out, and the rule's own words are said.", message,
             arguments=("--from", "a@bad.example"), policy=policy, refused=(status, "Not from here"))
        case(f"action-{action}-not", f"{action} means another sender: the defaults rewrite the message.", message,
             arguments=("--from", "a@good.example"), policy=policy)
        case(f"action-{action}-by-default", f"{action} without a reply of the rule's names the rule.", message,
             policy=f'[[rule]]\nname = "none today"\naction = "{action}"\n', refused=(status, 'rule "none today"'))
    policy = '[[rule]]\nname = "t"\nmatch = { from = "*@bad.example" }\naction = "quarantine"\n'
    case("action-quarantine", "quarantine: the MTA is to hold the message as it came.", message,
         arguments=("--from", "a@bad.example"), policy=policy, same=True)
    case("action-quarantine-not", "quarantine means another sender: the defaults rewrite the message.", message,
         arguments=("--from", "a@good.example"), policy=policy)
    failures = {
        "unreadable": ('<img src="data:image/webp;base64,UklGRgoAAABXRUJQVlA4IAAA">\n', ""),
        "limit": (f'<img src="{pictures.data_uri(pictures.tiff(), "image/tiff")}">\n', "[render]\nmax_pixels = 10\n"),
        "missing": ('<img src="asset:nowhere.png">\n', '[assets]\nroot = "@CASE@"\n'),
    }
    for kind, (text, settings) in failures.items():
        others = ", ".join(f'{other} = "reject"' for other in failures if other != kind)
        case(f"on-fail-{kind}", f"on_fail names the kind: {kind} defers the message.", html(text),
             policy=f'{settings}[defaults]\non_fail = {{ default = "reject", {kind} = "tempfail" }}\n', refused=(75, "image could not be processed"))
        case(f"on-fail-{kind}-not", f"on_fail names all other kinds: what is {kind} goes on as it was.", html(text),
             policy=f'{settings}[defaults]\non_fail = {{ default = "accept", {others}, timeout = "reject", internal = "reject" }}\n',
             same=True)
    case("on-fail-word", "on_fail as one word means every kind.", html(failures["unreadable"][0]),
         policy='[defaults]\non_fail = "reject"\n', refused=(69, "image could not be processed"))
    case("on-fail-nothing", "on_fail where nothing fails: the message is rewritten.", message,
         policy='[defaults]\non_fail = "reject"\n')
    case("if-map-file", "A map file's lines are values: this recipient is one of them, with comments about it.", message,
         arguments=("--rcpt", "Ann@Partner.example"), same=True, assets={"partners.map": b"# ours\n\nbob@partner.example\nann@partner.example  # since May\n"},
         policy='[[rule]]\nname = "t"\nmatch = { rcpt = "@CASE@/assets/partners.map" }\naction = "skip"\n')
    case("if-not-map-file", "This recipient is in no line of the map file.", message,
         arguments=("--rcpt", "ann@partner.example.net"), assets={"partners.map": b"bob@partner.example\nann@partner.example\n"},
         policy='[[rule]]\nname = "t"\nmatch = { rcpt = "@CASE@/assets/partners.map" }\naction = "skip"\n')


def image_rule(action, more="", match='type = "image/png"'):
    return f'[[rule]]\nname = "t"\n  [[rule.image]]\n  match = {{ {match} }}\n  action = "{action}"\n{more}'


def add_actions(case):
    both = f'<p>A <img src="{PNG_URI}" alt="a"> B <img src="{GIF_URI}" alt="b"></p>\n'
    gray = {"type": "image/png", "flat": [0xD4] * 3, "filename": "placeholder.png", "disposition": "inline"}
    as_gif = {"type": "image/gif"}
    case("action-embed", "embed: as they are, though a rule after it would have other bytes.", html(both),
         policy=image_rule("embed") + '  [[rule.image]]\n  match = { type = "image/gif" }\n  action = "keep"\n')
    case("action-convert", "convert: encoded anew, here in half the size; the other is embedded.",
         html(f'<img src="{pictures.data_uri(pictures.png(40, 20))}"><img src="{GIF_URI}">\n'), policy=image_rule("convert", '  format = "gif"\n'),
         expect={"tree": [*RELATED, ["image/gif"], ["image/gif"]], "html": ['<img src="cid:{0}"><img src="cid:{1}">']})
    case("action-keep", "keep: the data: URI stays, the other picture is embedded.", html(both), policy=image_rule("keep"))
    case("action-drop", "drop: the element goes, the other picture is embedded.", html(both), policy=image_rule("drop"),
         expect={"loses": True, "tree": [*RELATED, ["image/gif"]], "html": ['<p>A  B <img src="cid:{0}" alt="b"></p>']})
    case("action-placeholder", "placeholder: a gray picture in its place, the reason after the sender's own words.", html(both),
         policy=image_rule("placeholder"),
         expect={"loses": True, "tree": [*RELATED, ["image/png"], ["image/gif"]], "images": [gray, as_gif],
                 "html": [f'<p>A <img src="cid:{{0}}" alt="a - {REASON}"> B <img src="cid:{{1}}" alt="b"></p>']})
    places = (f'<body background="{PNG_URI}" class=x><style>p {{ background: url({PNG_URI}) }}</style>\n'
              f"<div style=\"color: red; background-image: url('{PNG_URI}')\">d</div>\n"
              f'<img srcset="{GIF_URI} 1x, {PNG_URI} 2x" src="x.png"><img srcset="{PNG_URI} 1x, {GIF_URI} 2x" src="x.png">\n'
              f'<picture><source srcset="{PNG_URI}"><img src="x.png"></picture><input type="image" src="{PNG_URI}" name="n">\n'
              f'<!--[if mso]><v:rect><v:fill type="tile" src="{PNG_URI}" /></v:rect><v:shape><v:imagedata src="{PNG_URI}"></v:imagedata></v:shape><![endif]-->\n'
              f'<svg width="4" height="4"><rect width="4" height="4"/></svg><img alt=x src={PNG_URI.rstrip("=")}>end\n')
    case("action-drop-everywhere", "drop in every place of HTML: what is left is valid and names nothing that went.", html(places),
         policy=image_rule("drop", match='type = ["image/png", "image/svg+xml"]'),
         expect={"loses": True, "tree": [*RELATED, ["image/gif"]], "html": [
             '<body class=x><style>p { background: none }</style>\n<div style="color: red; background-image: none">d</div>\n'
             '<img srcset="cid:{0} 1x" src="x.png"><img srcset="cid:{0} 2x" src="x.png">\n'
             '<picture><img src="x.png"></picture>\n<!--[if mso]><v:rect></v:rect><v:shape></v:shape><![endif]-->\nend']})
    case("action-placeholder-everywhere", "placeholder in every place of HTML: one gray picture, sizes as they were.",
         html(f'<img src="{PNG_URI}" width=30 height=20><img src="{PNG_URI}" alt=""><img alt=load src={PNG_URI.rstrip("=")}>\n'
              f'<td background="{PNG_URI}"><input type=image src="{PNG_URI}"><p style="background: url({PNG_URI})">\n'
              '<svg width="4" height="4" aria-label="load"><rect width="4" height="4"/></svg>\n'),
         policy=image_rule("placeholder", '  reason = "Größe & <Form>"\n', match='source = "*"'),
         expect={"loses": True, "tree": [*RELATED, ["image/png"]], "images": [gray], "html": [
             (lambda r: f'<img alt="{r}" src="cid:{{0}}" width=30 height=20><img src="cid:{{0}}" alt="{r}"><img alt="load - {r}" src=cid:{{0}}>\n'
              f'<td background="cid:{{0}}"><input alt="{r}" type=image src="cid:{{0}}"><p style="background: url(\'cid:{{0}}\')">\n'
              f'<img src="cid:{{0}}" width="4" height="4" alt="load - {r}" style="width:4px;height:4px;">')("Gr&#246;&#223;e &#38; &#60;Form&#62;")]})
    shown = part("image/png", b64(PNG), BASE64, "Content-ID: <p@example.test>", 'Content-Disposition: inline; filename="p.jpeg"')
    by_cid = html('<p>A <img src="cid:p@example.test"> B</p>\n')
    case("action-drop-part-named-by-cid", "A part that goes takes the element that names it along.",
         multipart("related", "rel", by_cid, shown), policy=image_rule("drop"),
         expect={"loses": True, "tree": RELATED, "html": ["<p>A  B</p>"], "images": []})
    case("action-placeholder-part-named-by-cid", "A placeholder in the place of a part: the HTML says why.",
         multipart("related", "rel", by_cid, shown), policy=image_rule("placeholder"),
         expect={"loses": True, "tree": [*RELATED, ["image/png"]], "html": [f'<p>A <img alt="{REASON}" src="cid:p@example.test"> B</p>'],
                 "images": [{**gray, "filename": "p.png", "cid": "p@example.test"}]})
    tiff = part("image/tiff", b64(pictures.tiff(8, 6)), BASE64, 'Content-Disposition: attachment; filename="scan.tif"')
    scans = 'type = "image/tiff", attachment = true'
    for name, message, tree in (
            ("first", multipart("mixed", "mix", tiff, part(TEXT, "A\n"), part(TEXT, "B\n")), ["multipart/mixed", ["text/plain"], ["text/plain"]]),
            ("last", multipart("mixed", "mix", part(TEXT, "A\n"), tiff, tiff), ["multipart/mixed", ["text/plain"]]),
            ("all", multipart("mixed", "mix", tiff, tiff), ["multipart/mixed", ["text/plain"]]),
            ("alone", tiff, "text/plain"),
            ("root-of-related", multipart("related", "rel", tiff, part(TEXT, "A\n")), ["multipart/related", ["text/plain"], ["text/plain"]])):
        case(f"action-drop-attachment-{name}", f"An attachment that goes, {name}: what is left is a valid message.", message,
             policy=image_rule("drop", match=scans), expect={"loses": True, "tree": tree, "images": []})
    case("action-placeholder-attachment", "A placeholder in the place of an attachment: its name follows.",
         multipart("mixed", "mix", part(TEXT, "A\n"), tiff), policy=image_rule("placeholder", match=scans),
         expect={"loses": True, "tree": ["multipart/mixed", ["text/plain"], ["image/png"]],
                 "images": [{**gray, "filename": "scan.png", "disposition": "attachment"}]})
    unreadable = html('<p><img src="data:image/png;base64,bm90IGEgcGljdHVyZQ=="><img src="https://x.test/a.png"></p>\n')
    case("action-drop-unreadable", "A rule that names the source means what cannot be read too.", unreadable,
         policy=image_rule("drop", match='source = "data"'),
         expect={"loses": True, "tree": "text/html", "html": ['<p><img src="https://x.test/a.png"></p>']})
    case("action-drop-link", "A rule that names http means links.", unreadable, policy=image_rule("drop", match='source = "http"'),
         expect={"loses": True, "tree": "text/html", "html": ['<p><img src="data:image/png;base64,bm90IGEgcGljdHVyZQ=="></p>']})
    case("action-add-header", "add_header: at the end of the header, once.", html(f'<img src="{PNG_URI}">\n'),
         policy='[[rule]]\nname = "t"\nadd_header = { X-Checked = "yes", X-Images = "looked at" }\n',
         expect={"loses": True, "header": {"X-Checked": "yes", "X-Images": "looked at"}, "tree": [*RELATED, ["image/png"]]})
    case("action-add-header-to-text", "add_header on a message without pictures.", part(TEXT, "A\n"),
         policy='[[rule]]\nname = "t"\nadd_header = { X-Checked = "yes" }\n',
         expect={"loses": True, "header": {"X-Checked": "yes", "X-Pixmilter": None}, "tree": "text/plain"})
    signed = "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x;\n\th={}; bh=abc=; b=def=\n"
    checked = '[[rule]]\nname = "t"\nadd_header = {{ {} = "yes" }}\n'
    case("action-add-header-to-signed", "What is never touched is the body: add_header adds its field all the same.",
         signed.format("from:subject") + html(f'<img src="{PNG_URI}">\n'), policy=checked.format("X-Checked"),
         expect={"loses": True, "header": {"X-Checked": "yes", "X-Pixmilter": None}, "tree": "text/html"})
    case("action-add-header-covered", "A DKIM signature covers the field that is to be added: it would break.",
         signed.format("From :Subject:\n\t X-CHECKED") + html(f'<img src="{PNG_URI}">\n'), policy=checked.format("X-Checked"), same=True)


def add_pages(case):
    frames = [Image.fromarray(pictures.array(16, 12, 3, seed)) for seed in (1, 2, 3)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    references = [pictures.array(16, 12, 3, seed) for seed in (1, 2, 3)]
    policy = image_rule("convert", '  pages = "all"\n', match='type = "image/tiff", attachment = true')
    images = [{"type": "image/png", "reference": i, "filename": f"scan-{i + 1}.png", "disposition": "attachment"} for i in range(3)]
    scan = part("image/tiff", b64(out.getvalue()), BASE64, 'Content-Disposition: attachment; filename="scan.tif"',
                "Content-Description: three pages")
    case("pages-alone", "A message that is nothing but a TIFF of three pages becomes a multipart/mixed of them.", scan, policy=policy,
         expect={"loses": True, "tree": ["multipart/mixed", ["image/png"], ["image/png"], ["image/png"]],
                 "images": [{**images[0], "fields": {"Content-Description": "three pages"}}, *images[1:]]}, references=references)
    case("pages-in-mixed", "The pages of an attached TIFF follow each other.", multipart("mixed", "mix", part(TEXT, "A\n"), scan, part(TEXT, "B\n")), policy=policy,
         expect={"loses": True, "tree": ["multipart/mixed", ["text/plain"], ["image/png"], ["image/png"], ["image/png"], ["text/plain"]],
                 "images": images}, references=references)
    mixed = multipart("mixed", "mix", part(TEXT, "A\n"), scan)
    large = io.BytesIO()
    frames[0].save(large, "TIFF", save_all=True, append_images=[Image.new("RGB", (40, 40)), frames[2]])
    for name, why, message, rules in (
            ("max-frames", "more than max_frames", mixed, "[render]\nmax_frames = 2\n" + policy),
            ("max-images", "more than max_images leaves room for", mixed, policy.replace('name = "t"\n', 'name = "t"\nmax_images = 2\n')),
            ("alone-max-images", "more than max_images leaves room for", scan, policy.replace('name = "t"\n', 'name = "t"\nmax_images = 2\n')),
            ("one-too-large", "one of which is too large",
             multipart("mixed", "mix", part(TEXT, "A\n"), part("image/tiff", b64(large.getvalue()), BASE64, 'Content-Disposition: attachment; filename="scan.tif"')),
             "[render]\nmax_pixels = 1000\n" + policy)):
        case(f"pages-{name}", f"A TIFF of three pages, {why}: it stays whole, for nobody would miss the pages that are not sent.", message, policy=rules, same=True)
    folder = '[assets]\nroot = "@CASE@/assets"\n'
    external = part("message/external-body; access-type=local-file; name=scan.tif",
                    "Content-Type: image/tiff\nContent-ID: <scan@example.test>\nContent-Description: three pages\n\n", "Content-Language: en")
    case("pages-external-alone", "A message that stands for a TIFF of three pages becomes a multipart/mixed of them.", external,
         policy=folder + policy, assets={"scan.tif": out.getvalue()},
         expect={"loses": True, "tree": ["multipart/mixed", ["image/png"], ["image/png"], ["image/png"]], "header": {"Content-Language": None},
                 "images": [{**images[0], "cid": "scan@example.test", "fields": {"Content-Description": "three pages", "Content-Language": "en"}},
                            *images[1:]]}, references=references)
    case("pages-external-in-mixed", "The pages of a TIFF that a part stands for follow each other.",
         multipart("mixed", "mix", part(TEXT, "A\n"), external, part(TEXT, "B\n")), policy=folder + policy, assets={"scan.tif": out.getvalue()},
         expect={"loses": True, "tree": ["multipart/mixed", ["text/plain"], ["image/png"], ["image/png"], ["image/png"], ["text/plain"]],
                 "images": [{**images[0], "cid": "scan@example.test"}, *images[1:]]}, references=references)
    case("pages-external-first", "Where no rule says otherwise, the first page is what a part stands for.",
         multipart("mixed", "mix", part(TEXT, "A\n"), external), policy=folder, assets={"scan.tif": out.getvalue()},
         expect={"loses": True, "tree": ["multipart/mixed", ["text/plain"], ["image/png"]],
                 "images": [{"type": "image/png", "reference": 0, "filename": "scan.png", "cid": "scan@example.test"}]}, references=references[:1])
    case("pages-in-html", "In HTML the first page is shown.", html(f'<img src="{pictures.data_uri(out.getvalue(), "image/tiff")}">\n'),
         policy=image_rule("convert", '  pages = "all"\n', match='type = "image/tiff"'),
         expect={"tree": [*RELATED, ["image/png"]], "images": [{"type": "image/png", "reference": 0}]}, references=references[:1])


def add(case, head):
    add_message_conditions(case, head)
    add_image_conditions(case)
    add_message_actions(case)
    add_actions(case)
    add_pages(case)
