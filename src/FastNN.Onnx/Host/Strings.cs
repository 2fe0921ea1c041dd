using System.Text.RegularExpressions;

namespace FastNN.Onnx.Host;

/// <summary>Text.</summary>
internal static class Strings
{
    // A pattern comes from a file; it may not run for long.
    private static readonly TimeSpan PatternLimit = TimeSpan.FromSeconds(1);

    public static OnnxTensor Equal(HostCall call, OnnxTensor a, OnnxTensor b)
    {
        int[] dims = Shapes.Broadcast(call, a.Dims, b.Dims);
        string[] x = Shapes.BroadcastTo(a, dims).Array<string>(), y = Shapes.BroadcastTo(b, dims).Array<string>();
        return new OnnxTensor(OnnxElementType.Bool, dims,
            x.Zip(y, (p, q) => string.Equals(p, q, StringComparison.Ordinal)).ToArray());
    }

    public static OnnxValue?[] Concat(HostCall call)
    {
        int[] dims = Shapes.Broadcast(call, call.Tensor(0).Dims, call.Tensor(1).Dims);
        string[] x = Texts(call, 0, dims), y = Texts(call, 1, dims);
        return HostCall.One(new OnnxTensor(OnnxElementType.String, dims, x.Zip(y, string.Concat).ToArray()));
    }

    private static string[] Texts(HostCall call, int input, int[]? dims = null) =>
        call.Tensor(input) is { Data: string[] texts } tensor
        ? dims is null ? texts : Shapes.BroadcastTo(tensor, dims).Array<string>()
        : throw call.Error($"strings as input {input}", call.Tensor(input).ToString());

    public static OnnxValue?[] RegexFullMatch(HostCall call)
    {
        string[] texts = Texts(call, 0);
        string pattern = call.Text("pattern", "");
        try
        {
            var expression = new Regex($"^(?:{pattern})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking,
                PatternLimit);
            return HostCall.One(new OnnxTensor(OnnxElementType.Bool, call.Tensor(0).Dims,
                Array.ConvertAll(texts, expression.IsMatch)));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw call.Error("a pattern in RE2's syntax", $"'{Formats.Quote.Text(pattern)}'");
        }
    }

    public static OnnxValue?[] Split(HostCall call)
    {
        string[] texts = Texts(call, 0);
        string delimiter = call.Text("delimiter", "");
        long most = call.HasAttribute("maxsplit") ? call.Int("maxsplit", 0) : int.MaxValue;
        List<string[]> parts = [.. texts.Select(text => Split(text, delimiter, (int)Math.Clamp(most, 0, int.MaxValue)))];
        int width = parts.Count == 0 ? 0 : parts.Max(part => part.Length);
        int[] dims = [.. call.Tensor(0).Dims, width];
        OnnxTensor all = OnnxTensor.Zeros(OnnxElementType.String, dims);
        for (int i = 0; i < parts.Count; i++)
        {
            parts[i].CopyTo(all.Array<string>(), i * width);
        }

        return [all, new OnnxTensor(OnnxElementType.Int64, call.Tensor(0).Dims,
            parts.Select(part => (long)part.Length).ToArray())];
    }

    private static string[] Split(string text, string delimiter, int most)
    {
        if (delimiter.Length > 0)
        {
            return text.Length == 0 ? [] : text.Split(delimiter, most == int.MaxValue ? most : most + 1);
        }

        // Without a delimiter runs of white space count as one, as in Python.
        var parts = new List<string>();
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        while (!rest.IsEmpty)
        {
            int end = parts.Count == most ? -1 : IndexOfSpace(rest);
            if (end < 0)
            {
                parts.Add(rest.ToString());
                break;
            }

            parts.Add(rest[..end].ToString());
            rest = rest[end..].TrimStart();
        }

        return [.. parts];
    }

    private static int IndexOfSpace(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                return i;
            }
        }

        return -1;
    }

    public static OnnxValue?[] Normalize(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        bool sensitive = call.Flag("is_case_sensitive");
        var stop = new HashSet<string>(
            call.Texts("stopwords") ?? [], sensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        string[] kept = [.. Texts(call, 0).Where(text => !stop.Contains(text)).Select(text =>
            call.Text("case_change_action", "NONE") switch
        {
            "LOWER" => Lower(text),
            "UPPER" => text.ToUpperInvariant(),
            _ => text,
        })];
        if (kept.Length == 0)
        {
            kept = [""];
        }

        return HostCall.One(new OnnxTensor(OnnxElementType.String, x.Rank == 2 ? [1, kept.Length] : [kept.Length], kept));
    }

    private static string Lower(string text) =>
        string.Create(text.Length, text, static (span, source) => source.AsSpan().ToLowerInvariant(span));

    /// <summary>TfIdfVectorizer: counts the n-grams of a pool, with up to some elements skipped between their items.</summary>
    public static OnnxValue?[] TfIdf(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        string[] items = x.Data is string[] texts
            ? texts
            : Array.ConvertAll(call.Longs(0)!, n => n.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string[] pool = call.Texts("pool_strings")
            ?? Array.ConvertAll(call.Ints("pool_int64s") ?? [], n =>
                n.ToString(System.Globalization.CultureInfo.InvariantCulture));
        long[] starts = call.Ints("ngram_counts") ?? throw call.Error("ngram_counts", "none");
        long[] indexes = call.Ints("ngram_indexes") ?? throw call.Error("ngram_indexes", "none");
        int least = (int)call.Int("min_gram_length", 1), most = (int)call.Int("max_gram_length", 1),
            skip = (int)call.Int("max_skip_count", 0);

        // An n-gram's text, with its length in front, and its place among the outputs.
        var grams = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int n = 1, index = 0; n <= starts.Length; n++)
        {
            long end = n < starts.Length ? starts[n] : pool.Length;
            for (long at = starts[n - 1]; at + n <= end; at += n, index++)
            {
                grams[Key(pool.AsSpan((int)at, n), 1, n)] = index;
            }
        }

        int rows = x.Rank == 2 ? x.Dims[0] : 1, columns = x.Dims[^1], width = (int)indexes.Max() + 1;
        float[]? weights = call.Floats("weights");
        string mode = call.Text("mode", "TF");
        var result = new float[rows * width];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<string> line = items.AsSpan(row * columns, columns);
            for (int n = least; n <= most; n++)
            {
                // Of single items there is nothing between; they are counted once.
                for (int distance = 1; distance <= (n == 1 ? 1 : skip + 1); distance++)
                {
                    for (int at = 0; at + ((n - 1) * distance) < columns; at++)
                    {
                        if (grams.TryGetValue(Key(line[at..], distance, n), out int gram))
                        {
                            ref float count = ref result[(row * width) + (int)indexes[gram]];
                            float by = mode == "TF" || weights is null ? 1 : weights[gram];
                            count = mode == "IDF" ? by : count + by;
                        }
                    }
                }
            }
        }

        return HostCall.One(new OnnxTensor(OnnxElementType.Float32, x.Rank == 2 ? [rows, width] : [width], result));
    }

    private static string Key(ReadOnlySpan<string> items, int distance, int n)
    {
        var key = new System.Text.StringBuilder();
        for (int i = 0; i < n; i++)
        {
            string item = items[i * distance];
            key.Append(item.Length).Append(':').Append(item);
        }

        return key.ToString();
    }
}
