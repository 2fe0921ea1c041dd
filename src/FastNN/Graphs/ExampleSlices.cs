using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Whether a recorded step may run on a few examples at a time: its loss is then the mean of the slices' losses by their
/// examples, and so are the gradients. Batch normalization, losses that are sums and what a user wrote are examples of what
/// may not.
/// </summary>
internal static class ExampleSlices
{
    private enum Part
    {
        /// <summary>The same for every slice.</summary>
        Whole,

        /// <summary>A part for each example, along axis 0.</summary>
        Examples,

        /// <summary>The mean over the examples, perhaps with terms that are the same for every slice.</summary>
        Mean,
    }

    /// <summary>Whether a graph, recorded for <see cref="Dim.Batch"/> examples, may be computed in slices.</summary>
    /// <param name="graph">All that the step computes.</param>
    /// <param name="loss">What is differentiated.</param>
    public static bool ArePossible(Graph graph, Value loss)
    {
        var parts = new Dictionary<Value, Part>();
        foreach (Node node in graph.Nodes)
        {
            Part? part = PartOf(node, Array.ConvertAll(node.Inputs, input => parts.GetValueOrDefault(input, PartOf(input))));
            if (part is null)
            {
                return false;
            }

            foreach (Value output in node.Outputs)
            {
                if (part != Part.Mean && PartOf(output) != part)
                {
                    return false;
                }

                parts[output] = part.Value;
            }
        }

        return parts.GetValueOrDefault(loss) == Part.Mean;
    }

    /// <summary>
    /// Whether a graph that was recorded for inference with so many examples along axis 0 of all inputs computes every output's
    /// part of an example from that example alone.
    /// </summary>
    public static bool AreIndependent(Graph graph, ReadOnlySpan<Value> outputs, int examples)
    {
        HashSet<Value> parted = [.. graph.Inputs];
        foreach (Node node in graph.Nodes)
        {
            bool[] hasExamples = Array.ConvertAll(node.Inputs, parted.Contains);
            if (!Array.Exists(hasExamples, has => has))
            {
                continue;
            }

            if (!node.Op.TreatsExamplesAlone(hasExamples, Array.ConvertAll(node.Inputs, input => input.TensorType))
                || Array.Exists(node.Outputs, output => output.Shape.Rank == 0 || output.Shape[0] != examples))
            {
                return false;
            }

            parted.UnionWith(node.Outputs);
        }

        foreach (Value output in outputs)
        {
            if (!parted.Contains(output))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// How many examples at a time are computed fastest: few enough that what lies between the operators stays in the cache and
    /// that several threads have slices of their own, enough that the weights are not read more than the examples, and that a
    /// slice outlasts what it costs to begin it. Decided by the shapes alone, so that no bit depends on the number of threads.
    /// All of them where that is best.
    /// </summary>
    /// <param name="graph">What <see cref="AreIndependent"/> said yes to.</param>
    /// <param name="examples">How many there are.</param>
    public static int Best(Graph graph, int examples)
    {
        const double leastWork = 3e6, mostBytes = 3 << 20;
        const int slices = 8;
        double work = 1, widest = 1, weights = 0;
        foreach (Node node in graph.Nodes)
        {
            double elements = node.Outputs.Max(output => (double)output.Shape.Count);
            widest = Math.Max(widest, elements * sizeof(float));
            work += node.Op switch
            {
                DenseOp => elements * node.Inputs[1].Shape[0],
                ConvolutionOp => elements * node.Inputs[1].Shape.Count / node.Inputs[1].Shape[-1],
                _ => elements,
            };
        }

        foreach (Value constant in graph.Nodes.SelectMany(node => node.Inputs).Distinct())
        {
            weights += constant.Kind is ValueKind.Constant or ValueKind.Parameter ? constant.Shape.Count * sizeof(float) : 0;
        }

        double bytes = 2 * widest / examples;
        double least = Math.Max(Math.Max(leastWork * examples / work, weights / (2 * bytes)), 1);
        double wanted = Math.Max(least, Math.Min(examples / slices, mostBytes / bytes));
        for (int slice = (int)Math.Ceiling(wanted); slice < examples; slice++)
        {
            if (examples % slice == 0)
            {
                return slice;
            }
        }

        return examples;
    }

    private static Part PartOf(Value value) =>
        value.Shape.Rank > 0 && value.Shape[0] == Dim.Batch ? Part.Examples : Part.Whole;

    private static Part? PartOf(Node node, Part[] inputs)
    {
        bool[] hasExamples = Array.ConvertAll(inputs, part => part == Part.Examples);
        if (Array.Exists(inputs, part => part == Part.Mean))
        {
            // Of what may be done with the mean, the sum of a loss and a penalty.
            return node.Op is BinaryOp { IsSum: true } && !Array.Exists(hasExamples, has => has) ? Part.Mean : null;
        }

        if (!Array.Exists(hasExamples, has => has))
        {
            return Part.Whole;
        }

        return node.Op.AveragesExamples(inputs.Length) ? Part.Mean
            : node.Op.TreatsExamplesAlone(hasExamples, Array.ConvertAll(node.Inputs, input => input.TensorType)) ? Part.Examples
            : null;
    }
}
