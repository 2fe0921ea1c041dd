using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Types of values whose shapes have symbols. Operators know numbers only; so each is asked twice, with two different numbers for
/// every symbol. An extent that comes out the same both times is a number, one that equals a known symbol's pair is that symbol,
/// and any other gets a symbol of its own.
/// </summary>
internal sealed class SampleTypes
{
    private readonly Dictionary<int, (int First, int Second)> _pairs = [];
    private readonly Dictionary<(int First, int Second), int> _symbols = [];
    private int _derived;

    /// <summary>The types of an operator's outputs.</summary>
    /// <exception cref="ShapeException">The operator does not take these inputs.</exception>
    public TensorType[] Infer(Operator op, TensorType[] inputs)
    {
        foreach (TensorType input in inputs)
        {
            Register(input.Shape);
        }

        if (_pairs.Count == 0)
        {
            return op.Infer(inputs);
        }

        TensorType[] first = Sample(op, inputs, pair => pair.First), second = Sample(op, inputs, pair => pair.Second);
        var merged = new TensorType[first.Length];
        for (int i = 0; i < merged.Length; i++)
        {
            int[] extents = first[i].Shape.ToArray();
            for (int axis = 0; axis < extents.Length; axis++)
            {
                extents[axis] = Merge(extents[axis], second[i].Shape[axis]);
            }

            merged[i] = first[i] with { Shape = new Shape(extents) };
        }

        return merged;
    }

    private TensorType[] Sample(Operator op, TensorType[] inputs, Func<(int First, int Second), int> choose)
    {
        var values = new SymbolValues();
        foreach ((int symbol, (int First, int Second) pair) in _pairs)
        {
            values.Bind(symbol, choose(pair));
        }

        return op.Resolve(values).Infer(Array.ConvertAll(inputs, input => input with { Shape = values.Resolve(input.Shape) }));
    }

    private int Merge(int first, int second)
    {
        if (first == second)
        {
            return first;
        }

        if (!_symbols.TryGetValue((first, second), out int symbol))
        {
            symbol = Dim.Derived(_derived++);
            _pairs.Add(symbol, (first, second));
            _symbols.Add((first, second), symbol);
        }

        return symbol;
    }

    /// <summary>
    /// Notes the symbols of a shape. Samples are multiples of 32, so that windows and halvings fit, in ratios that differ from
    /// symbol to symbol, so that no multiple of one looks like another.
    /// </summary>
    public void Register(Shape shape)
    {
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            if (Dim.IsSymbol(shape[axis]) && !_pairs.ContainsKey(shape[axis]))
            {
                int first = 64 * (_pairs.Count + 1);
                var pair = (first, first + (32 * ((2 * _pairs.Count) + 1)));
                _pairs.Add(shape[axis], pair);
                _symbols.TryAdd(pair, shape[axis]);
            }
        }
    }
}
