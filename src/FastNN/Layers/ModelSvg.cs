using System.Globalization;
using System.Text;

namespace FastNN.Layers;

/// <summary>Draws a model as an SVG picture: a box for each operator with its layer, arrows downwards.</summary>
internal static class ModelSvg
{
    private const double CharWidth = 6.2, LineHeight = 13, Margin = 10, Gap = 24, RowGap = 30;
    private const int LongestLine = 40;

    public static string Write(ModelPicture picture)
    {
        string[][] lines = [.. picture.Nodes.Select(LinesOf)];
        double[] widths = [.. lines.Select(box => (box.Max(line => line.Length) * CharWidth) + 16)];
        var layout = new LayeredLayout(widths, picture.Edges, Gap);
        double boxHeight = (3 * LineHeight) + 8, pitch = boxHeight + RowGap;
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{layout.Width + (2 * Margin):F0}\" height=\"{(layout.Rows * pitch) - RowGap + (2 * Margin):F0}\" font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n");
        text.Append(
            "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555\"/></marker></defs>\n");
        foreach (int[] path in layout.Paths)
        {
            WritePath(text, path, layout, boxHeight, pitch);
        }

        for (int i = 0; i < lines.Length; i++)
        {
            (double x, double top) = (Margin + layout.CenterOf(i), Margin + (layout.RowOf(i) * pitch));
            WriteBox(text, lines[i], picture.Nodes[i].IsEnd, x, top, widths[i], boxHeight);
        }

        return text.Append("</svg>\n").ToString();
    }

    private static string[] LinesOf(PictureNode node) => node.Scope.Length == 0
        ? [Cut(node.Title), Cut(node.Shapes)]
        : [Cut(node.Scope), Cut(node.Title), Cut(node.Shapes)];

    // The innermost layers and the first shapes tell most, and text is as wide as it is.
    private static string Cut(string line) =>
        line.Length <= LongestLine ? line : $"{line[..(LongestLine / 2)]}...{line[^(LongestLine / 2)..]}";

    private static void WriteBox(
        StringBuilder text, string[] lines, bool isEnd, double x, double top, double width, double height)
    {
        text.Append(
            CultureInfo.InvariantCulture,
            $"<rect x=\"{x - (width / 2):F1}\" y=\"{top:F1}\" width=\"{width:F1}\" height=\"{height:F1}\" rx=\"{(isEnd ? height / 2 : 5):F1}\" fill=\"{(isEnd ? "#eef4ff" : "#fff")}\" stroke=\"#333\"/>\n");
        double y = top + ((height - (lines.Length * LineHeight)) / 2) + 10;
        for (int i = 0; i < lines.Length; i++)
        {
            string color = lines.Length == 3 && i == 0 ? " fill=\"#777\"" : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{x:F1}\" y=\"{y + (i * LineHeight):F1}\"{color}>{Escape(lines[i])}</text>\n");
        }
    }

    private static void WritePath(StringBuilder text, int[] path, LayeredLayout layout, double boxHeight, double pitch)
    {
        text.Append("<path d=\"");
        for (int i = 1; i < path.Length; i++)
        {
            double x0 = Margin + layout.CenterOf(path[i - 1]), x1 = Margin + layout.CenterOf(path[i]);
            double y0 = Margin + (layout.RowOf(path[i - 1]) * pitch) + boxHeight, y1 = y0 + RowGap, middle = (y0 + y1) / 2;

            // Behind the first piece straight past the boxes of the row that it bends in.
            text.Append(CultureInfo.InvariantCulture, $"{(i == 1 ? 'M' : 'L')}{x0:F1} {y0:F1}");
            text.Append(CultureInfo.InvariantCulture, $"C{x0:F1} {middle:F1} {x1:F1} {middle:F1} {x1:F1} {y1:F1}");
        }

        text.Append("\" fill=\"none\" stroke=\"#555\" marker-end=\"url(#arrow)\"/>\n");
    }

    private static string Escape(string line)
    {
        var text = new StringBuilder();
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            bool isPair = char.IsHighSurrogate(c) && i + 1 < line.Length && char.IsLowSurrogate(line[i + 1]);
            _ = c switch
            {
                '<' => text.Append("&lt;"),
                '>' => text.Append("&gt;"),
                '&' => text.Append("&amp;"),
                _ when isPair => text.Append(c).Append(line[++i]),
                _ when char.IsControl(c) || char.IsSurrogate(c) || c >= '\uFFFE' => text.Append(' '),
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }
}
