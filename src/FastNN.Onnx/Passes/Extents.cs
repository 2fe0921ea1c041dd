using System.Globalization;
using FastNN.Onnx.Model;

namespace FastNN.Onnx.Passes;

/// <summary>Extents of which some are numbers and others symbols; equal symbols are equal numbers in every run.</summary>
internal static class Extents
{
    public static DimensionDef Known(long value) => new(value, null);

    /// <summary>An extent of which nothing is known but that it has this name.</summary>
    public static DimensionDef Unknown(string value, int axis) =>
        new(-1, string.Create(CultureInfo.InvariantCulture, $"{value}#{axis}"));

    /// <summary>An integer that is computed in a way that is not followed; it may be 0 or -1 as well.</summary>
    public static DimensionDef Computed(string value) => new(-1, $"?{value}");

    public static bool IsComputed(DimensionDef extent) => extent.Symbol?.StartsWith('?') == true;

    public static bool AreSame(IReadOnlyList<DimensionDef>? a, IReadOnlyList<DimensionDef>? b) =>
        a is not null && b is not null && a.SequenceEqual(b);

    public static DimensionDef[] Known(IReadOnlyList<long> dims) => [.. dims.Select(Known)];

    /// <summary>What two shapes broadcast to; null where an extent cannot be told.</summary>
    /// <param name="a">One shape.</param>
    /// <param name="b">The other.</param>
    /// <param name="result">What extents that are not known are called.</param>
    public static DimensionDef[] Broadcast(IReadOnlyList<DimensionDef> a, IReadOnlyList<DimensionDef> b, string result)
    {
        var dims = new DimensionDef[Math.Max(a.Count, b.Count)];
        for (int i = 1; i <= dims.Length; i++)
        {
            DimensionDef x = i <= a.Count ? a[^i] : Known(1), y = i <= b.Count ? b[^i] : Known(1);
            dims[^i] = x == y || y.Value == 1 ? x
                : x.Value == 1 ? y
                : x.IsKnown ? x
                : y.IsKnown ? y
                : Unknown(result, dims.Length - i);
        }

        return dims;
    }

    /// <summary>The shape that a Reshape gives; null where its rank is not known.</summary>
    /// <param name="from">The shape before; null where it is not known.</param>
    /// <param name="wanted">The numbers of the shape input: 0 keeps an extent, -1 is computed.</param>
    /// <param name="allowZero">Whether 0 is an extent of 0.</param>
    /// <param name="result">What extents that are not known are called.</param>
    public static DimensionDef[] Reshape(
        IReadOnlyList<DimensionDef>? from, IReadOnlyList<DimensionDef> wanted, bool allowZero, string result)
    {
        var dims = new DimensionDef[wanted.Count];
        int open = -1;
        for (int i = 0; i < dims.Length; i++)
        {
            dims[i] = IsComputed(wanted[i]) ? Unknown(result, i) : wanted[i];
            if (wanted[i] is { Value: 0, Symbol: null } && !allowZero)
            {
                dims[i] = from is not null && i < from.Count ? from[i] : Unknown(result, i);
            }
            else if (wanted[i] is { Value: -1, Symbol: null })
            {
                open = i;
            }
            else if (wanted[i] is { Value: < 0, Symbol: null })
            {
                dims[i] = Unknown(result, i);
            }
        }

        if (open >= 0)
        {
            dims[open] = from is null ? Unknown(result, open)
                : Quotient(from, [.. dims.Where((_, i) => i != open)]) ?? Unknown(result, open);
        }

        return dims;
    }

    /// <summary>The one extent that is left of a product when others are divided out; null where it cannot be told.</summary>
    public static DimensionDef? Quotient(IReadOnlyList<DimensionDef> product, IReadOnlyList<DimensionDef> others)
    {
        long number = 1, divisor = 1;
        var symbols = new List<string>();
        foreach (DimensionDef extent in product)
        {
            if (extent.IsKnown)
            {
                number *= extent.Value;
            }
            else
            {
                symbols.Add(extent.Symbol ?? "");
            }
        }

        foreach (DimensionDef extent in others)
        {
            if (extent.IsKnown)
            {
                divisor *= extent.Value;
            }
            else if (!symbols.Remove(extent.Symbol ?? ""))
            {
                return null;
            }
        }

        return symbols.Count == 0 && divisor > 0 && number % divisor == 0 ? Known(number / divisor)
            : symbols.Count == 1 && number == divisor && number > 0 ? new DimensionDef(-1, symbols[0])
            : null;
    }
}
