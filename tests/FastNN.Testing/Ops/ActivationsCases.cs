namespace FastNN.Testing;

internal sealed class ActivationsCases : IOpCases
{
    internal static readonly Activation[] Functions =
    [
        Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu, Activation.GeluTanh,
    ];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (Activation activation in Functions)
            {
                foreach (int size in new[] { 1, 3, 7, 13, 17, 31, 33, 129 })
                {
                    yield return Case(activation, new Shape(size), 3);
                }

                yield return Case(activation, new Shape(3, 7, 13), 12);
                yield return Case(activation, new Shape(129, 1031), 3);
            }

            // Without a positive slope the output does not tell the input's sign.
            yield return Case(Activation.LeakyReLU, new Shape(33), 3, slope: -0.2f);
            yield return Case(Activation.LeakyReLU, new Shape(33), 3, slope: 0);
        }
    }

    private static OpCase Case(Activation activation, Shape shape, double range, float slope = 0.01f) => new(
        $"{activation}{(slope == 0.01f ? "" : $" slope {slope}")} {shape}", [OpInput.AwayFromZero("x", shape, range)],
        values => values[0].Activate(activation, slope), values => Forward(activation, slope, values[0]))
    {
        Samples = shape.Count > 10_000 ? 12 : 48,
        ReferenceBackward = (values, dY) => [Backward(activation, slope, values[0], dY)],
    };

    internal static double[] Forward(Activation activation, float slope, double[] x)
    {
        var y = new double[x.Length];
        ActivationsReference.Forward(activation, slope, x, y);
        return y;
    }

    internal static double[] Backward(Activation activation, float slope, double[] x, double[] dY)
    {
        var dX = new double[x.Length];
        ActivationsReference.Backward(activation, slope, x, dY, dX);
        return dX;
    }
}
