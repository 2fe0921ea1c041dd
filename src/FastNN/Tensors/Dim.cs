using System.Collections.Concurrent;
using System.Globalization;

namespace FastNN;

/// <summary>
/// Extents that are not known while a graph is recorded, such as the batch size: symbols, which a plan replaces by numbers. A
/// symbol is a reserved negative number, so that it can stand wherever an extent does: <c>graph.Input([Dim.Batch, 28, 28, 1])</c>
/// and <c>x.Reshape([x.Shape[0], 49, 64])</c> record one graph for all batch sizes. Symbols can be handed on but not computed
/// with.
/// </summary>
public static class Dim
{
    private const int First = int.MinValue;
    private const int FirstDerived = First + 0x8000;
    private const int Last = First + 0xFFFF;

    private static readonly ConcurrentDictionary<string, int> Numbers = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<int, string> Names = new();
    private static readonly Lock Gate = new();

    /// <summary>The number of examples, named N.</summary>
    public static int Batch { get; } = Named("N");

    /// <summary>A symbol; the same name is the same symbol everywhere.</summary>
    /// <param name="name">Such as "T" for the length of a sequence.</param>
    /// <returns>An extent that stands for it.</returns>
    /// <exception cref="ArgumentException">The name is empty, or there are more than 32,768 names.</exception>
    public static int Named(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (Numbers.TryGetValue(name, out int symbol))
        {
            return symbol;
        }

        lock (Gate)
        {
            if (Numbers.TryGetValue(name, out symbol))
            {
                return symbol;
            }

            symbol = First + Numbers.Count;
            if (symbol >= FirstDerived)
            {
                throw new ArgumentException(
                    $"Dim: expected at most {FirstDerived - First} names, '{name}' is one more; reuse names.", nameof(name));
            }

            Names[symbol] = name;
            Numbers[name] = symbol;
            return symbol;
        }
    }

    /// <summary>Whether an extent is a symbol.</summary>
    /// <param name="extent">An extent of a shape.</param>
    public static bool IsSymbol(int extent) => extent <= Last;

    /// <summary>
    /// A symbol for what an operator makes of others, such as the rows of a pooled image; the number is its place in its graph.
    /// </summary>
    internal static int Derived(int number) => number <= Last - FirstDerived
        ? FirstDerived + number
        : throw new ShapeException($"Dim: a graph has more than {Last - FirstDerived + 1} derived extents.");

    internal static string Format(int extent) => !IsSymbol(extent) ? extent.ToString(CultureInfo.InvariantCulture)
        : Names.TryGetValue(extent, out string? name) ? name : $"?{extent - FirstDerived}";
}

/// <summary>Numbers for symbols.</summary>
internal sealed class SymbolValues
{
    private readonly Dictionary<int, int> _values = [];

    /// <summary>Gives a symbol its number.</summary>
    /// <exception cref="ShapeException">It has another one.</exception>
    public void Bind(int symbol, int value)
    {
        if (!_values.TryAdd(symbol, value) && _values[symbol] != value)
        {
            throw new ShapeException(
                $"Dim: {Dim.Format(symbol)} is {_values[symbol]} and {value} at once; inputs that share a symbol must agree.");
        }
    }

    /// <summary>Gives the symbols of a shape the extents of another.</summary>
    /// <exception cref="ShapeException">The ranks or the extents without a symbol differ.</exception>
    public void Bind(Shape symbolic, Shape numbers, string what)
    {
        bool fits = symbolic.Rank == numbers.Rank;
        for (int i = 0; fits && i < symbolic.Rank; i++)
        {
            fits = Dim.IsSymbol(symbolic[i]) || symbolic[i] == numbers[i];
        }

        if (!fits)
        {
            throw new ShapeException($"{what}: expected shape {symbolic}, got {numbers}.");
        }

        for (int i = 0; i < symbolic.Rank; i++)
        {
            if (Dim.IsSymbol(symbolic[i]))
            {
                Bind(symbolic[i], numbers[i]);
            }
        }
    }

    /// <summary>The shape with numbers for its symbols.</summary>
    /// <exception cref="ShapeException">A symbol has none.</exception>
    public Shape Resolve(Shape shape)
    {
        if (!shape.IsSymbolic)
        {
            return shape;
        }

        int[] extents = shape.ToArray();
        for (int i = 0; i < extents.Length; i++)
        {
            if (Dim.IsSymbol(extents[i]) && !_values.TryGetValue(extents[i], out extents[i]))
            {
                throw new ShapeException(
                    $"Dim: {Dim.Format(shape[i])} of {shape} has no number; give the shape of every input that has it.");
            }
        }

        return new Shape(extents);
    }
}
