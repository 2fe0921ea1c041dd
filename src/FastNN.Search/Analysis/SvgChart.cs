using System.Globalization;
using System.Net;
using System.Text;

namespace FastNN.Search;

/// <summary>A chart with two axes as SVG. Colors come from the page's style sheet, texts are escaped.</summary>
internal sealed class SvgChart(ChartAxis x, ChartAxis y)
{
    private const double Width = 620, Height = 340, Left = 70, Right = 15, Top = 12, Bottom = 50;

    private readonly StringBuilder _marks = new();

    /// <summary>A trial.</summary>
    /// <param name="atX">Its value on the first axis.</param>
    /// <param name="atY">On the second.</param>
    /// <param name="kind">A class of the style sheet.</param>
    /// <param name="strength">From 0 for pale to 1 for full.</param>
    /// <param name="text">Shown where one points at it.</param>
    public void Dot(double atX, double atY, string kind, double strength, string text) => _marks.Append(
        CultureInfo.InvariantCulture,
        $"<circle class=\"{kind}\" cx=\"{X(atX):F1}\" cy=\"{Y(atY):F1}\" r=\"4\" opacity=\"{0.25 + (0.75 * strength):F2}\"><title>{Escape(text)}</title></circle>\n");

    /// <summary>A line from point to point.</summary>
    public void Line(IEnumerable<(double X, double Y)> points, string kind, string text) => _marks.Append(
        CultureInfo.InvariantCulture,
        $"<polyline class=\"{kind}\" points=\"{string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):F1},{Y(point.Y):F1}")))}\"><title>{Escape(text)}</title></polyline>\n");

    public string ToSvg()
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\">\n");
        foreach ((double place, string text) in x.Ticks())
        {
            double at = Left + (place * (Width - Left - Right));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{at:F1}\" x2=\"{at:F1}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text x=\"{at:F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Escape(text)}</text>\n");
        }

        foreach ((double place, string text) in y.Ticks())
        {
            double at = Height - Bottom - (place * (Height - Top - Bottom));
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{at:F1}\" y2=\"{at:F1}\"/><text x=\"{Left - 8}\" y=\"{at + 4:F1}\" text-anchor=\"end\">{Escape(text)}</text>\n");
        }

        double middle = (Top + Height - Bottom) / 2;
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text class=\"axis\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">{Escape(x.Title)}</text>\n<text class=\"axis\" x=\"14\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {middle})\">{Escape(y.Title)}</text>\n");
        return svg.Append(_marks).Append("</svg>\n").ToString();
    }

    /// <summary>Horizontal bars of shares.</summary>
    public static string Bars(IReadOnlyList<(string Name, double Share, string Kind)> bars)
    {
        const double Row = 26, Names = 150;
        double height = (bars.Count * Row) + 8;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\">\n");
        for (int i = 0; i < bars.Count; i++)
        {
            (string name, double share, string kind) = bars[i];
            double length = share * (Width - Names - 70), at = 4 + (i * Row);
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Names - 8}\" y=\"{at + 16}\" text-anchor=\"end\">{Escape(name)}</text><rect class=\"{kind}\" x=\"{Names}\" y=\"{at + 3}\" width=\"{length:F1}\" height=\"{Row - 8}\"/><text x=\"{Names + length + 6:F1}\" y=\"{at + 16}\">{100 * share:F1} %</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    private double X(double value) => Left + (x.Place(value) * (Width - Left - Right));

    private double Y(double value) => Height - Bottom - (y.Place(value) * (Height - Top - Bottom));
}
