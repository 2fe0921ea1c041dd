using System.Text;
using System.Xml;

namespace FastNN.Cli.Reports;

/// <summary>
/// One HTML page in one file, with nothing from outside. It is written as XML, so that every text and attribute is escaped and
/// every element is closed.
/// </summary>
internal sealed class HtmlPage : IDisposable
{
    private readonly MemoryStream _stream = new();
    private readonly XmlWriter _xml;

    /// <summary>Begins a page: its head, and its body.</summary>
    public HtmlPage(string title)
    {
        _xml = XmlWriter.Create(_stream, new XmlWriterSettings
        {
            Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            OmitXmlDeclaration = true,
            NewLineHandling = NewLineHandling.None,
            CloseOutput = false,
        });
        _xml.WriteDocType("html", null, null, null);
        Open("html", ("lang", "en")).Open("head");
        Empty("meta", ("charset", "utf-8"));
        Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
        // No script, and nothing is loaded, whatever the texts of a run contain.
        Empty(
            "meta", ("http-equiv", "Content-Security-Policy"),
            ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
        Element("title", title).Element("style", PageFiles.Css).Close().Open("body").Open("main");
    }

    public HtmlPage Open(string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        _xml.WriteStartElement(name);
        foreach ((string attribute, string value) in attributes)
        {
            _xml.WriteAttributeString(attribute, Clean(value));
        }

        return this;
    }

    /// <summary>Closes the last element that is open; also an empty one gets an end tag, which HTML asks for.</summary>
    public HtmlPage Close()
    {
        _xml.WriteFullEndElement();
        return this;
    }

    public HtmlPage Text(string text)
    {
        _xml.WriteString(Clean(text));
        return this;
    }

    /// <summary>An element of one text.</summary>
    public HtmlPage Element(string name, string text, params ReadOnlySpan<(string Name, string Value)> attributes) =>
        Open(name, attributes).Text(text).Close();

    /// <summary>An element that HTML knows to have no content: meta, img, or a shape of a drawing.</summary>
    public HtmlPage Empty(string name, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        Open(name, attributes);
        _xml.WriteEndElement();
        return this;
    }

    /// <summary>A picture that is part of the page.</summary>
    public HtmlPage Picture(byte[] png, string caption, int width) => Open("figure")
        .Empty(
            "img", ("src", "data:image/png;base64," + Convert.ToBase64String(png)), ("alt", caption),
            ("style", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"width:{width}px")))
        .Element("figcaption", caption).Close();

    /// <summary>A table of two columns.</summary>
    public HtmlPage Facts(IEnumerable<(string Name, string Value)> facts)
    {
        Open("table", ("class", "facts"));
        foreach ((string name, string value) in facts)
        {
            Open("tr").Element("th", name).Element("td", value).Close();
        }

        return Close();
    }

    /// <summary>The whole file; nothing can be added behind it.</summary>
    public byte[] ToBytes()
    {
        _xml.WriteEndDocument();
        _xml.Flush();
        return _stream.ToArray();
    }

    public void Dispose()
    {
        _xml.Dispose();
        _stream.Dispose();
    }

    /// <summary>Characters that XML cannot have, such as those that color terminals, become replacement characters.</summary>
    private static string Clean(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!IsAllowed(text, i))
            {
                var clean = new StringBuilder(text.Length);
                for (int j = 0; j < text.Length; j++)
                {
                    clean.Append(IsAllowed(text, j) ? text[j] : '\uFFFD');
                }

                return clean.ToString();
            }
        }

        return text;
    }

    private static bool IsAllowed(string text, int at) => XmlConvert.IsXmlChar(text[at])
        || (char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
        || (char.IsLowSurrogate(text[at]) && at > 0 && char.IsHighSurrogate(text[at - 1]));
}
