using FastNN.Kernels;
using static FastNN.Testing.RecurrenceReference;

namespace FastNN.Testing;

/// <summary>
/// Recurrent sequences of every cell, in both directions, with and without biases, first states and lengths. The reference has
/// no backward of its own: central differences of it are what gradients are held to.
/// </summary>
internal sealed class RecurrenceCases : IOpCases
{
    private static readonly RecurrentCell[] Cells =
        [RecurrentCell.Tanh, RecurrentCell.ReLU, RecurrentCell.Lstm, RecurrentCell.Gru];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (RecurrentCell cell in Cells)
            {
                // Everything together, and each thing alone.
                yield return Case(new(cell, 4, 3, 5, 7, false, Bias: true, State: true, Lengths: true));
                yield return Case(new(cell, 4, 3, 5, 7, true, Bias: true, State: true, Lengths: true));
                yield return Case(new(cell, 3, 2, 3, 4, false, Bias: false, State: false, Lengths: false));
                yield return Case(new(cell, 3, 2, 3, 4, true, Bias: true, State: false, Lengths: false));
                yield return Case(new(cell, 3, 2, 3, 4, true, Bias: false, State: true, Lengths: false));
                yield return Case(new(cell, 5, 4, 2, 3, true, Bias: false, State: false, Lengths: true));

                // Sizes: one of everything, more sequences than a tile has rows, and than a block of CUDA, wider than a panel.
                yield return Case(new(cell, 1, 1, 1, 1, false, Bias: true, State: true, Lengths: false));
                yield return Case(new(cell, 1, 5, 3, 2, true, Bias: true, State: false, Lengths: false));
                yield return Case(new(cell, 2, 13, 4, 17, false, Bias: true, State: true, Lengths: false));
                yield return Case(new(cell, 3, 33, 7, 3, true, Bias: true, State: true, Lengths: true));
                yield return Case(new(cell, 2, 3, 31, 33, false, Bias: true, State: true, Lengths: false));
                yield return Case(new(cell, 2, 2, 3, 129, true, Bias: true, State: false, Lengths: false));

                // One sequence alone, whose units threads share; panels that end within a gate.
                yield return Case(new(cell, 5, 1, 3, 128, false, Bias: true, State: true, Lengths: true));
                yield return Case(new(cell, 3, 1, 4, 72, true, Bias: true, State: false, Lengths: true));
                yield return Case(new(cell, 3, 1, 2, 64, true, Bias: false, State: true, Lengths: false));

                // Gradients that arrive at some outputs only.
                yield return Case(new(cell, 4, 3, 2, 5, false, Bias: true, State: true, Lengths: false), 0);
                yield return Case(new(cell, 4, 3, 2, 5, true, Bias: true, State: true, Lengths: true), 1);
            }

            yield return Case(new(RecurrentCell.Lstm, 4, 3, 2, 5, false, Bias: true, State: true, Lengths: false), 2);
        }
    }

    /// <summary>Records one direction of one layer.</summary>
    public static Value[] Record(Sizes sizes, ReadOnlySpan<Value> values)
    {
        int at = 3;
        Value? inputBias = sizes.Bias ? values[at++] : null, stateBias = sizes.Bias ? values[at++] : null;
        Value? state = sizes.State ? values[at++] : null;
        Value? cell = sizes.State && sizes.Cell == RecurrentCell.Lstm ? values[at++] : null;
        Value? lengths = sizes.Lengths ? values[at] : null;
        (Value x, Value input, Value weight) = (values[0], values[1], values[2]);
        return sizes.Cell switch
        {
            RecurrentCell.Lstm => x.Lstm(input, weight, inputBias, stateBias, state, cell, lengths, sizes.IsReverse),
            RecurrentCell.Gru => x.Gru(input, weight, inputBias, stateBias, state, lengths, sizes.IsReverse),
            _ =>
                x.SimpleRnn(
                    input, weight, inputBias, stateBias, state, lengths, sizes.Cell == RecurrentCell.ReLU, sizes.IsReverse),
        };
    }

    /// <param name="only">The one output that is looked at; default all.</param>
    private static OpCase Case(Sizes sizes, int? only = null)
    {
        int width = sizes.Gates * sizes.Hidden;
        double limit = 1 / Math.Sqrt(sizes.Hidden);
        var states = new Shape(sizes.Batch, sizes.Hidden);
        List<OpInput> inputs =
        [
            OpInput.Uniform("x", new Shape(sizes.Steps, sizes.Batch, sizes.Inputs)),
            OpInput.Uniform("input weight", new Shape(sizes.Inputs, width)),
            OpInput.Uniform("state weight", new Shape(sizes.Hidden, width), -2 * limit, 2 * limit),
        ];
        if (sizes.Bias)
        {
            inputs.Add(OpInput.Uniform("input bias", new Shape(width)));
            inputs.Add(OpInput.Uniform("state bias", new Shape(width)));
        }

        if (sizes.State)
        {
            inputs.Add(OpInput.Uniform("h", states));
            if (sizes.Cell == RecurrentCell.Lstm)
            {
                inputs.Add(OpInput.Uniform("c", states));
            }
        }

        if (sizes.Lengths)
        {
            inputs.Add(OpInput.Integers("lengths", new Shape(sizes.Batch), 0, sizes.Steps, DType.Int32));
        }

        string[] options = [
            .. new[]
            {
                (sizes.IsReverse, "reverse"), (sizes.Bias, "biases"), (sizes.State, "first states"), (sizes.Lengths, "lengths"),
                (only is not null, $"output {only} alone"),
            }.Where(option => option.Item1).Select(option => option.Item2)];
        return new OpCase(
            $"{sizes.Cell} {inputs[0].Shape} to {sizes.Hidden}, {string.Join(", ", options)}", [.. inputs],
            values =>
            {
                Value[] outputs = Record(sizes, values);
                return only is { } one ? outputs[one] : Join(outputs);
            },
            values => only is { } one ? Forward(sizes, values)[one] : [.. Forward(sizes, values).SelectMany(output => output)])
        {
            Samples = sizes.Batch * sizes.Hidden > 200 ? 4 : 10,
            Tolerance = 4e-6 * sizes.Steps * Math.Sqrt(sizes.Batch),
        };
    }

    private static Value Join(Value[] outputs) => Operators.Concat(
        0, Array.ConvertAll(outputs, output => output.Reshape(new Shape((int)output.Shape.Count))));
}
