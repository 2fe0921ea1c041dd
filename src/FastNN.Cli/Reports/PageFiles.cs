using System.Text;

namespace FastNN.Cli.Reports;

/// <summary>The style sheet of all pages, and the page and the script of `fastnn watch`, which lie beside this file.</summary>
internal static class PageFiles
{
    /// <summary>Line colors of the style sheet (s0 and f0 to s7 and f7); more lines begin anew.</summary>
    public const int Colors = 8;

    public static string Css { get; } = Encoding.UTF8.GetString(Read("page.css"));

    /// <summary>A file that the tool carries.</summary>
    public static byte[] Read(string name)
    {
        using Stream stream = typeof(PageFiles).Assembly.GetManifestResourceStream($"FastNN.Cli.Reports.{name}")
            ?? throw new InvalidOperationException($"the tool does not carry {name}");
        var file = new byte[stream.Length];
        stream.ReadExactly(file);
        return file;
    }
}
