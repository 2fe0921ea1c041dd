using FastNN.Layers;

namespace FastNN;

/// <summary>
/// What flows between the layers of a <see cref="Model"/> while it is put together: an input, or what a layer gives for other
/// symbols. Symbols have no shape yet; the model finds shapes, and the layers their parameters, when it is built.
/// </summary>
public sealed class Symbol
{
    private static long created;

    internal Symbol(SymbolNode node, int output)
    {
        Node = node;
        Output = output;
    }

    internal SymbolNode Node { get; }

    internal int Output { get; }

    /// <summary>Another output of the layer that gives this symbol.</summary>
    /// <param name="output">Which, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer has no such output.</exception>
    public Symbol this[int output]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(output);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, Node.OutputCount);
            return new Symbol(Node, output);
        }
    }

    /// <summary>The sum, with NumPy's broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    public static Symbol operator +(Symbol a, Symbol b) => Of(new Add(), isOperator: true, a, b);

    /// <summary>The product, element by element, with NumPy's broadcasting.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    public static Symbol operator *(Symbol a, Symbol b) => Of(new Multiply(), isOperator: true, a, b);

    /// <summary>Joins symbols along their last axis.</summary>
    /// <param name="symbols">At least one.</param>
    /// <returns>Their concatenation.</returns>
    public static Symbol Concat(params ReadOnlySpan<Symbol> symbols) => Of(new Concatenate(), isOperator: true, symbols);

    /// <summary>What a layer gives for symbols.</summary>
    internal static Symbol Of(Layer layer, bool isOperator, params ReadOnlySpan<Symbol> inputs)
    {
        foreach (Symbol input in inputs)
        {
            ArgumentNullException.ThrowIfNull(input, nameof(inputs));
        }

        layer.RequireInputs(inputs.Length);
        return new Symbol(new SymbolNode(Interlocked.Increment(ref created), layer, isOperator, inputs.ToArray()), 0);
    }

    internal static Symbol OfInput(ModelInput input) => new(new SymbolNode(Interlocked.Increment(ref created), input), 0);
}
