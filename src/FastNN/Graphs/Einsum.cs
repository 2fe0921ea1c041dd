namespace FastNN.Graphs;

/// <summary>
/// Einstein's summation: an equation such as "bij,bjk->bik" names the axes of operands and result, and what the result does not
/// name is summed. Operands are joined from left to right; each pair is one batched matrix product of permuted operands, or a
/// product element by element where nothing is summed.
/// </summary>
internal sealed class Einsum
{
    /// <summary>Axes that an ellipsis stands for are labeled by these, the last of them by the first.</summary>
    private const char Ellipsis = '\u0100';

    private readonly string _equation;
    private readonly List<Operand> _operands = [];
    private readonly Dictionary<char, int> _extents = [];
    private readonly string _output;

    private Einsum(string equation, ReadOnlySpan<Value> values)
    {
        _equation = equation;
        string[] sides = new string([.. equation.Where(c => !char.IsWhiteSpace(c))]).Split("->");
        string[] terms = sides[0].Split(',');
        if (sides.Length > 2 || terms.Length != values.Length)
        {
            throw Wrong($"one term for each of {values.Length} operands and at most one arrow, got {terms.Length} terms");
        }

        for (int i = 0; i < terms.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(values[i], nameof(values));
            _operands.Add(new Operand(values[i], Labels(terms[i], values[i].Shape, i)));
        }

        RequireExtents();
        _output = sides.Length == 2 ? ExplicitOutput(sides[1]) : ImplicitOutput();
    }

    /// <summary>Records the products and sums of an equation.</summary>
    /// <exception cref="ShapeException">It is not one, or does not fit the operands; the message quotes it.</exception>
    public static Value Of(string equation, ReadOnlySpan<Value> values)
    {
        ArgumentNullException.ThrowIfNull(equation);
        return values.Length > 0
            ? values[0].Graph.Compose(new Einsum(equation, values).Record, nameof(Einsum))
            : throw new ShapeException($"Einsum \"{equation}\": expected at least one operand, got none.");
    }

    private ShapeException Wrong(string expected) => new($"Einsum \"{_equation}\": expected {expected}.");

    /// <summary>A label for each axis of a term.</summary>
    private string Labels(string term, Shape shape, int number)
    {
        int dots = term.IndexOf("...", StringComparison.Ordinal);
        string letters = dots < 0 ? term : term.Remove(dots, 3);
        if (!letters.All(char.IsAsciiLetter))
        {
            throw Wrong($"letters and at most one \"...\" in a term, got \"{term}\"");
        }

        int more = shape.Rank - letters.Length;
        if (more < 0 || (more > 0 && dots < 0))
        {
            throw Wrong($"{letters.Length}{(dots < 0 ? "" : " or more")} axes of operand {number}, \"{term}\", got {shape}");
        }

        return dots < 0
            ? letters
            : letters.Insert(dots, new string([.. Enumerable.Range(0, more).Select(i => (char)(Ellipsis + more - 1 - i))]));
    }

    /// <summary>Each label has one extent, besides 1, which repeats.</summary>
    private void RequireExtents()
    {
        foreach (Operand operand in _operands)
        {
            for (int axis = 0; axis < operand.Labels.Length; axis++)
            {
                (char label, int extent) = (operand.Labels[axis], operand.Value.Shape[axis]);
                int known = _extents.GetValueOrDefault(label, 1);
                if (known != extent && known != 1 && extent != 1)
                {
                    throw Wrong(
                        $"one extent for {Name(label)}, got {Dim.Format(known)} and {Dim.Format(extent)} of {operand.Value.Shape}");
                }

                _extents[label] = known == 1 ? extent : known;
            }
        }
    }

    private static string Name(char label) => label >= Ellipsis ? "an axis of \"...\"" : $"label {label}";

    private string ExplicitOutput(string term)
    {
        int dots = term.IndexOf("...", StringComparison.Ordinal);
        string letters = dots < 0 ? term : term.Remove(dots, 3);
        if (!letters.All(char.IsAsciiLetter) || letters.Distinct().Count() != letters.Length)
        {
            throw Wrong($"different letters and at most one \"...\" in the result, got \"{term}\"");
        }

        if (letters.FirstOrDefault(letter => !_extents.ContainsKey(letter)) is not '\0' and char missing)
        {
            throw Wrong($"labels of operands in the result, got {missing}");
        }

        return dots < 0 ? letters : letters.Insert(dots, Ellipses());
    }

    /// <summary>The axes of the ellipsis, then the labels that occur once, in the order of the alphabet; as NumPy's.</summary>
    private string ImplicitOutput()
    {
        string all = string.Concat(_operands.Select(operand => operand.Labels));
        IEnumerable<char> once = all.Where(label => label < Ellipsis && all.Count(other => other == label) == 1);
        return Ellipses() + new string([.. once.Order()]);
    }

    private string Ellipses() => new([.. _extents.Keys.Where(label => label >= Ellipsis).OrderDescending()]);

    private Value Record()
    {
        List<Operand> operands = [.. _operands.Select(operand => Repeats(Diagonals(operand)))];
        for (int i = 0; i < operands.Count; i++)
        {
            operands[i] = Sum(operands[i], _output + string.Concat(operands.Where((_, other) => other != i).Select(o =>
                o.Labels)));
        }

        Operand result = operands[0];
        for (int i = 1; i < operands.Count; i++)
        {
            result = Join(result, operands[i], _output + string.Concat(operands.Skip(i + 1).Select(operand => operand.Labels)));
        }

        // A label whose operands all had extent 1 may have been left out with one of them.
        foreach (char label in _output.Where(label => !result.Labels.Contains(label, StringComparison.Ordinal)))
        {
            result = new Operand(result.Value.Unsqueeze(0), label + result.Labels);
        }

        return Permute(result, _output).Value;
    }

    /// <summary>A label that a term has twice is a diagonal, which goes behind its other axes.</summary>
    private Operand Diagonals(Operand operand)
    {
        while (true)
        {
            string labels = operand.Labels;
            int second = Enumerable.Range(0, labels.Length).FirstOrDefault(i => labels.IndexOf(labels[i]) < i, -1);
            if (second < 0)
            {
                return operand;
            }

            int first = labels.IndexOf(labels[second]);
            Shape shape = operand.Value.Shape;
            if (shape[first] != shape[second])
            {
                throw Wrong(
                    $"one extent for both axes {labels[second]} of {shape}, got {Dim.Format(shape[first])} and {Dim.Format(shape[second])}");
            }

            operand = new Operand(
                operand.Value.Diagonal(0, first, second), labels.Remove(second, 1).Remove(first, 1) + labels[second]);
        }
    }

    /// <summary>Axes of extent 1 that another operand has longer are left out: they repeat.</summary>
    private Operand Repeats(Operand operand)
    {
        int[] repeated = [.. Enumerable.Range(0, operand.Labels.Length).Where(
            axis => operand.Value.Shape[axis] == 1 && _extents[operand.Labels[axis]] != 1)];
        return repeated.Length == 0
            ? operand
            : new Operand(
                operand.Value.Squeeze(repeated), new string([.. operand.Labels.Where((_, axis) => !repeated.Contains(axis))]));
    }

    /// <summary>Sums what nothing else names.</summary>
    private static Operand Sum(Operand operand, string kept)
    {
        int[] axes = [.. Enumerable.Range(0, operand.Labels.Length).Where(
            axis => !kept.Contains(operand.Labels[axis], StringComparison.Ordinal))];
        return axes.Length == 0
            ? operand
            : new Operand(operand.Value.Sum(axes), new string([.. operand.Labels.Where((_, axis) => !axes.Contains(axis))]));
    }

    private static Operand Join(Operand a, Operand b, string kept)
    {
        bool IsKept(char label) => kept.Contains(label, StringComparison.Ordinal);
        string shared = Common(a.Labels, b.Labels), free = Without(a.Labels, b.Labels), others = Without(b.Labels, a.Labels);
        string summed = new([.. shared.Where(label => !IsKept(label))]), batch = new([.. shared.Where(IsKept)]);
        string labels = batch + free + others;
        if (summed.Length == 0)
        {
            return new Operand(Spread(a, labels) * Spread(b, labels), labels);
        }

        // The order of what both have is that of the operand that needs no copy for it.
        if (!Fits(a, batch, free, summed) || !Fits(b, batch, summed, others))
        {
            string orderB = Common(b.Labels, a.Labels);
            string batchB = new([.. orderB.Where(IsKept)]), summedB = new([.. orderB.Where(label => !IsKept(label))]);
            if (!Fits(a, batch, free, summed) || Fits(a, batchB, free, summedB))
            {
                (batch, summed, labels) = (batchB, summedB, batchB + free + others);
            }
        }

        (Value left, bool transposeA) = Matrix(a, batch, free, summed);
        (Value right, bool transposeB) = Matrix(b, batch, summed, others);
        Value product = left.MatMul(right, transposeA, transposeB);
        int[] extents = [
            .. batch.Select(a.Extent), .. free.Select(a.Extent), .. others.Select(b.Extent)];
        return new Operand(product.Shape == new Shape(extents) ? product : product.Reshape(extents), labels);
    }

    private static bool Fits(Operand operand, string batch, string rows, string columns) =>
        operand.Labels == batch + rows + columns || operand.Labels == batch + columns + rows;

    /// <summary>An operand as matrices [batch..., rows, columns], or transposed where it lies so.</summary>
    private static (Value Matrix, bool IsTransposed) Matrix(Operand operand, string batch, string rows, string columns)
    {
        bool transposed = operand.Labels == batch + columns + rows && operand.Labels != batch + rows + columns;
        (string first, string second) = transposed ? (columns, rows) : (rows, columns);
        Value x = Permute(operand, batch + first + second).Value;
        x = Fold(x, batch.Length, first.Length);
        return (Fold(x, batch.Length + 1, second.Length), transposed);

        static Value Fold(Value x, int start, int count) =>
            count == 0 ? x.Unsqueeze(start) : count == 1 ? x : x.Flatten(start, start + count - 1);
    }

    /// <summary>The operand's axes in an order that it has some of, with axes of extent 1 for the others.</summary>
    private static Value Spread(Operand operand, string labels)
    {
        Operand ordered = Permute(operand, Common(labels, operand.Labels));
        Shape shape = [.. labels.Select(label => operand.Labels.Contains(label, StringComparison.Ordinal)
            ? operand.Extent(label) : 1)];
        return shape == ordered.Value.Shape ? ordered.Value : ordered.Value.Reshape(shape);
    }

    private static Operand Permute(Operand operand, string labels) => operand.Labels == labels
        ? operand
        : new Operand(operand.Value.Permute([.. labels.Select(label => operand.Labels.IndexOf(label))]), labels);

    private static string Common(string labels, string others) =>
        new([.. labels.Where(label => others.Contains(label, StringComparison.Ordinal))]);

    private static string Without(string labels, string others) =>
        new([.. labels.Where(label => !others.Contains(label, StringComparison.Ordinal))]);

    private sealed record Operand(Value Value, string Labels)
    {
        public int Extent(char label) => Value.Shape[Labels.IndexOf(label)];
    }
}
