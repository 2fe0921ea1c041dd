using System.Globalization;
using System.Text;

namespace FastNN.Hosting.Protocol;

/// <summary>
/// What a caller sent, as an error quotes it: short, and without control characters that would forge lines of a log.
/// </summary>
internal static class Show
{
    private const int MaxLength = 64;

    /// <summary>A name in quotes.</summary>
    public static string Name(ReadOnlySpan<char> name)
    {
        var text = new StringBuilder("'");
        foreach (char c in name[..Math.Min(name.Length, MaxLength)])
        {
            _ = text.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c);
        }

        return text.Append(name.Length > MaxLength ? "...'" : "'").ToString();
    }

    /// <summary>A name in UTF-8, in quotes.</summary>
    public static string Name(ReadOnlySpan<byte> utf8) =>
        Name(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * MaxLength)]));

    /// <summary>Names of tensors, in quotes.</summary>
    public static string Names(IReadOnlyList<ModelTensor> tensors)
    {
        var text = new StringBuilder();
        for (int i = 0; i < Math.Min(tensors.Count, 16); i++)
        {
            _ = text.Append(i == 0 ? "" : ", ").Append(Name(tensors[i].Name));
        }

        return text.Append(tensors.Count > 16 ? ", ..." : "").ToString();
    }

    /// <summary>Extents, as in <c>[2, 784]</c>.</summary>
    public static string Shape(ReadOnlySpan<long> extents)
    {
        var text = new StringBuilder("[");
        for (int i = 0; i < Math.Min(extents.Length, 16); i++)
        {
            _ = text.Append(i == 0 ? "" : ", ").Append(extents[i].ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(extents.Length > 16 ? ", ...]" : "]").ToString();
    }

    /// <summary>Extents of a model's tensor, as in <c>[-1, 784]</c>.</summary>
    public static string Shape(IReadOnlyList<int> extents) => Shape(extents.Select(extent => (long)extent).ToArray());

    /// <summary>Extents of a request's tensor.</summary>
    public static string Shape(ReadOnlySpan<int> extents)
    {
        var wide = new long[extents.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = extents[i];
        }

        return Shape(wide);
    }
}
