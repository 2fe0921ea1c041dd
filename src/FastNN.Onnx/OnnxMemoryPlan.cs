using System.Globalization;
using FastNN.Onnx.Compile;

namespace FastNN.Onnx;

/// <summary>
/// Bytes of the arena of one call of a session, as a formula in the symbols of the inputs' extents: a polynomial, or the largest
/// of several where other operators need the most memory at other extents. A batch that is computed in slices has the arena of a
/// slice, so there the number of examples stands for those of a slice, and each thread has an arena of its own.
/// </summary>
public sealed class OnnxMemoryPlan
{
    private readonly MemoryPolynomial[] _pieces;

    internal OnnxMemoryPlan(string[] symbols, int[] steps, MemoryPolynomial[] pieces, bool isExact)
    {
        Symbols = symbols;
        Steps = steps;
        _pieces = pieces;
        IsExact = isExact;
        string[] texts = Array.ConvertAll(pieces, piece => piece.ToString(symbols));
        Formula = texts is [var only] ? only : $"max({string.Join("; ", texts)})";
    }

    /// <summary>The symbols of the formula, in the order of the inputs.</summary>
    public IReadOnlyList<string> Symbols { get; }

    /// <summary>
    /// The multiples of each symbol that the formula was made from. Buffers begin at multiples of 64 bytes and windows round
    /// extents, so that others need what the next multiple needs, or less.
    /// </summary>
    public IReadOnlyList<int> Steps { get; }

    /// <summary>Whether the formula gave the bytes of every plan that was made, those beside the ones it was made from
    /// included.</summary>
    public bool IsExact { get; }

    /// <summary>As in <c>401,408 + 3,072 batch</c>.</summary>
    public string Formula { get; }

    /// <summary>The formula's value: the bytes at multiples of <see cref="Steps"/>, in between those of the next.</summary>
    /// <param name="extents">A number above 0 for every symbol.</param>
    /// <exception cref="ArgumentException">A symbol has none.</exception>
    public long Bytes(IReadOnlyDictionary<string, int> extents)
    {
        ArgumentNullException.ThrowIfNull(extents);
        var numbers = new int[Symbols.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!extents.TryGetValue(Symbols[i], out int extent) || extent <= 0)
            {
                throw new ArgumentException(
                    $"OnnxMemoryPlan: expected a number above 0 for each of {string.Join(", ", Symbols)}, got "
                    + $"{string.Join(", ", extents.Select(pair => $"{pair.Key} = {pair.Value}"))}.", nameof(extents));
            }

            numbers[i] = (extent + Steps[i] - 1) / Steps[i] * Steps[i];
        }

        return (long)Math.Round(_pieces.Max(piece => piece.At(numbers)));
    }

    /// <summary>As in <c>401,408 + 3,072 batch bytes (batch in steps of 16)</c>.</summary>
    public override string ToString()
    {
        string steps = string.Join(", ", Symbols.Zip(Steps, (symbol, step) =>
            string.Create(CultureInfo.InvariantCulture, $"{symbol} in steps of {step}")));
        return $"{(IsExact ? "" : "about ")}{Formula} bytes{(steps.Length > 0 ? $" ({steps})" : "")}";
    }
}
