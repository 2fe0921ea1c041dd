using System.Text.RegularExpressions;

namespace FastNN.Onnx.Host;

/// <summary>Text cut into pieces as ONNX Runtime's Tokenizer does it, which ML.NET writes into files.</summary>
internal static class Tokens
{
    // Patterns come from a file; they may not run for long.
    private static readonly TimeSpan PatternLimit = TimeSpan.FromSeconds(1);

    // Marks of the start and the end.
    private const string Start = "\u0002", End = "\u0003";

    /// <summary>
    /// Each text of [C] or [N, C] cut at separators, into single characters where the one separator is empty, or into the
    /// matches of an expression; shorter rows are filled up.
    /// </summary>
    public static OnnxValue?[] Tokenizer(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        if (x.Data is not string[] texts || x.Rank is not (1 or 2))
        {
            throw call.Error("text of shape [C] or [N, C]", x.ToString());
        }

        int least = (int)Math.Clamp(call.Int("mincharnum", 1), 0, int.MaxValue);
        string padding = call.Text("pad_value", "");
        Func<string, IEnumerable<string>> cut = call.Prepared(Cutter);
        List<string>[] rows = Array.ConvertAll(texts, text => cut(text).Where(piece => Length(piece) >= least).ToList());
        int width = rows.Length == 0 ? 0 : rows.Max(row => row.Count);
        if (rows.Length == 0)
        {
            return HostCall.One(new OnnxTensor(OnnxElementType.String, x.Dims, Array.Empty<string>()));
        }

        bool marks = call.Flag("mark");
        width += marks ? 2 : 0;
        var y = new string[rows.Length * width];
        Array.Fill(y, padding);
        for (int i = 0; i < rows.Length; i++)
        {
            string[] row = marks ? [Start, .. rows[i], End] : [.. rows[i]];
            row.CopyTo(y, i * width);
        }

        return HostCall.One(new OnnxTensor(OnnxElementType.String, [.. x.Dims, width], y));
    }

    private static Func<string, IEnumerable<string>> Cutter(HostCall call)
    {
        string[] separators = call.Texts("separators") ?? [];
        string expression = call.Text("tokenexp", "");
        if ((separators.Length > 0) == (expression.Length > 0))
        {
            throw call.Error("either separators or tokenexp", separators.Length > 0 ? "both" : "neither");
        }

        if (separators is [""])
        {
            return text => text.EnumerateRunes().Select(rune => rune.ToString());
        }

        if (expression.Length > 0)
        {
            Regex tokens = Pattern(call, expression);
            return text => tokens.Matches(text).Select(match => match.Value).Where(piece => piece.Length > 0);
        }

        // One after the other, each in what those before it left.
        Regex[] patterns = Array.ConvertAll(separators, separator => Pattern(call, separator));
        return text =>
        {
            IEnumerable<string> pieces = [text];
            foreach (Regex pattern in patterns)
            {
                pieces = [.. pieces.SelectMany(piece => pattern.Split(piece)).Where(piece => piece.Length > 0)];
            }

            return pieces;
        };
    }

    private static Regex Pattern(HostCall call, string pattern)
    {
        try
        {
            // Groups would come back among the pieces.
            return new Regex(pattern,
                RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture, PatternLimit);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw call.Error("a pattern in RE2's syntax", $"'{Formats.Quote.Text(pattern)}'");
        }
    }

    private static int Length(string text)
    {
        int count = 0;
        foreach (System.Text.Rune _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
