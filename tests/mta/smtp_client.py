"""What the tests of every MTA need on the wire: a message sent byte for byte, and what was relayed without its trace."""

import re
import smtplib


def to_wire(message):
    """A message with whatever line ends as SMTP carries it: CRLF, with one at the end. Lone CRs stay."""
    message = re.sub(rb"\r?\n", b"\r\n", message)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def without_received(data):
    """What was sent: the relayed bytes without the Received fields that the MTA puts on top."""
    return re.sub(rb"\A(?:Received:[^\n]*\n(?:[ \t][^\n]*\n)*)+", b"", data)


def send(port, sender, recipients, message):
    """One message by SMTP, its bytes as they are; gives (code, text) of the reply to its end."""
    with smtplib.SMTP("127.0.0.1", port, timeout=150) as smtp:
        smtp.ehlo("client.example.test")
        code, text = smtp.mail(sender, ["BODY=8BITMIME"])
        if code != 250:
            return code, text
        for recipient in recipients:
            code, text = smtp.rcpt(recipient)
            if code != 250:
                return code, text
        code, text = smtp.docmd("DATA")
        if code != 354:
            return code, text
        smtp.send(re.sub(rb"(?m)^\.", b"..", to_wire(message)) + b".\r\n")
        return smtp.getreply()
