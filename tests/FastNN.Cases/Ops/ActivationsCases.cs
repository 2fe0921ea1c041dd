using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>Every function of one number in the table, at odd sizes, over the places that its row names.</summary>
internal sealed class ActivationsCases : IOpCases
{
    /// <summary>Functions whose values and gradients have limits at infinity that float can hold.</summary>
    internal static readonly Activation[] Functions =
    [
        Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu, Activation.GeluTanh,
    ];

    /// <summary>All of the table, with the default parameters.</summary>
    internal static IEnumerable<Activation> All => FunctionTable.Unary.Select(row => new Activation(row, row.Info.Defaults));

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (Activation activation in All)
            {
                foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129 })
                {
                    yield return Case(activation, new Shape(size));
                }

                yield return Case(activation, new Shape(3, 7, 13));
                yield return Case(activation, new Shape(129, 1031));
            }

            // Without a positive slope the output does not tell the input's sign.
            yield return Case(Activation.LeakyReLU(-0.2f), new Shape(33));
            yield return Case(Activation.LeakyReLU(0), new Shape(33));

            // Bounds between the samples' kinks and a threshold away from 0.
            yield return Case(Activation.Of<Clamp>(-0.02f, 0.04f), new Shape(129));
            yield return Case(Activation.Threshold(0.01f, -0.5f), new Shape(129));
        }
    }

    private static OpCase Case(Activation activation, Shape shape) => new(
        $"{activation} {shape}", [OpInput.From("x", shape, activation.Function.Info.Samples)],
        values => values[0].Activate(activation), values => Forward(activation, values[0]))
    {
        Samples = shape.Count > 10_000 ? 12 : 48,
        ReferenceBackward = (values, dY) => [Backward(activation, values[0], dY)],
    };

    internal static double[] Forward(Activation activation, double[] x)
    {
        var y = new double[x.Length];
        ActivationsReference.Forward(activation, x, y);
        return y;
    }

    internal static double[] Backward(Activation activation, double[] x, double[] dY)
    {
        var dX = new double[x.Length];
        ActivationsReference.Backward(activation, x, dY, dX);
        return dX;
    }
}
