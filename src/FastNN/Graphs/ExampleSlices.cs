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
