using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Tests.Cli;

internal sealed class MailReaderTests
{
    [Test]
    public void Subject_and_body_are_read_and_other_headers_are_not() => Read(
        "From: x\nX-Spam: yes\nSubject: Re: [ILUG] Win $1,000!\nTo: y\n\nHello a@b.com, see HTTP://c.com/d?e or 12:30 TODAY?\n",
        "s:re s:win s:$ s:<number> s:! hello <address> see <link> or <number> <capitals> today ?");

    [Test]
    public void Parts_are_decoded_and_attachments_passed_over() => Read(
        "Subject: =?iso-8859-1?Q?caf=E9_now?=\nContent-Type: multipart/mixed;\n boundary=\"=_b\"\n\nfor old readers\n"
        + "--=_b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nna=EFve sol=\nution\n"
        + "--=_b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+Qm9sZDwvYj4gJmFtcDsg\nbW9yZQ==\n"
        + "--=_b\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\n\nR0lG\n--=_b--\nbehind\n",
        "s:café s:now naïve solution <b bold more");

    [Test]
    public void What_a_list_adds_goes_and_comments_too() => Read(
        "Subject: a\n\n<p class=x>One<!-- two --> three\n____________________________________\nlist mailing list\n",
        "s:a <p one three");

    [Test]
    public void Mails_without_headers_or_body_are_read()
    {
        Read("", "");
        Read("Subject: alone", "s:alone subject alone");
        Read("Content-Type: multipart/mixed; boundary=x\n\nno part", "");
    }

    private static void Read(string mail, string words) =>
        Assert.That(string.Join(' ', MailReader.Words(new Mail("spam-1", mail))), Is.EqualTo(words));
}
