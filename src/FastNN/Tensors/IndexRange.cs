using System.Globalization;
using System.Runtime.InteropServices;

namespace FastNN.Tensors;

/// <summary>Which integers an operator takes in one of its inputs, such as the rows of a table.</summary>
/// <param name="Operator">Its name.</param>
/// <param name="Count">0 to Count - 1 are allowed.</param>
/// <param name="Ignored">A value that is allowed besides, or null.</param>
internal readonly record struct IndexRange(string Operator, long Count, long? Ignored = null)
{
    /// <summary>Fails unless all values are in range. Allocates nothing.</summary>
    /// <param name="values">The bytes of Int32 or Int64 values.</param>
    /// <param name="type">Which of the two.</param>
    /// <param name="input">The input that they are written to, for the message.</param>
    /// <exception cref="InvalidDatasetException">One is not.</exception>
    public void Require(ReadOnlySpan<byte> values, DType type, string input)
    {
        if (type == DType.Int32)
        {
            Require(MemoryMarshal.Cast<byte, int>(values), (int)Math.Min(Count - 1, int.MaxValue), input);
        }
        else if (type == DType.Int64)
        {
            Require(MemoryMarshal.Cast<byte, long>(values), Count - 1, input);
        }
    }

    private void Require<T>(ReadOnlySpan<T> values, T last, string input)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        for (int at = 0; values[at..].IndexOfAnyExceptInRange(T.Zero, last) is >= 0 and var found; at += found + 1)
        {
            T value = values[at + found];
            if (Ignored is not { } ignored || long.CreateChecked(value) != ignored)
            {
                string also = Ignored is { } allowed
                    ? string.Create(CultureInfo.InvariantCulture, $", or {allowed}, which is ignored")
                    : "";
                throw new InvalidDatasetException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Operator}: expected indices 0..{Count - 1}{also}, got {value} at position {at + found} of input '{input}'."));
            }
        }
    }
}
