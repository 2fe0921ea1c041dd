namespace FastNN.Generate;

/// <summary>How tightly an expression holds together in C++, the loosest first.</summary>
internal enum Binding
{
    Any,
    Choice,
    Comparison,
    Sum,
    Product,
    Sign,
    Whole,
}

/// <summary>
/// A C++ expression over others: a pattern such as "{0} + {1}", and how tightly each operand must hold together to stand there
/// bare.
/// </summary>
internal sealed class Expression(string pattern, Binding binding, Expression[] operands, Binding[] needed)
{
    public string Pattern => pattern;

    public Binding Binding => binding;

    public IReadOnlyList<Expression> Operands => operands;

    public IReadOnlyList<Binding> Needed => needed;

    /// <summary>A name or a number.</summary>
    public static Expression Leaf(string text) => new(text, text.StartsWith('-') ? Binding.Sign : Binding.Whole, [], []);

    /// <summary>name(operands).</summary>
    public static Expression Call(string name, params Expression[] operands) => new(
        $"{name}({string.Join(", ", operands.Select((_, i) => $"{{{i}}}"))})", Binding.Whole, operands,
        Array.ConvertAll(operands, _ => Binding.Any));
}
