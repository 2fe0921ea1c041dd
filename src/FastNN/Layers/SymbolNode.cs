namespace FastNN.Layers;

/// <summary>A layer applied to symbols, or an input.</summary>
internal sealed class SymbolNode
{
    public SymbolNode(long number, Layer layer, bool isOperator, Symbol[] inputs) =>
        (Number, Layer, IsOperator, Inputs) = (number, layer, isOperator, inputs);

    public SymbolNode(long number, ModelInput input) => (Number, Input, Inputs) = (number, input, []);

    /// <summary>Grows with each node made, so that a node's inputs have lower numbers than it has.</summary>
    public long Number { get; }

    public Layer? Layer { get; }

    public ModelInput? Input { get; }

    /// <summary>Written as an operator (<c>a + b</c>), so that it takes no place among the model's numbered layers.</summary>
    public bool IsOperator { get; }

    public Symbol[] Inputs { get; }

    public int OutputCount => Layer is MultiInputLayer layer ? layer.OutputCount : 1;

    /// <summary>All nodes that some symbols need, in the order of their making.</summary>
    public static List<SymbolNode> Needed(IEnumerable<Symbol> symbols)
    {
        var seen = new HashSet<SymbolNode>();
        var waiting = new Stack<SymbolNode>(symbols.Select(symbol => symbol.Node));
        while (waiting.TryPop(out SymbolNode? node))
        {
            if (seen.Add(node))
            {
                foreach (Symbol input in node.Inputs)
                {
                    waiting.Push(input.Node);
                }
            }
        }

        return [.. seen.OrderBy(node => node.Number)];
    }
}
