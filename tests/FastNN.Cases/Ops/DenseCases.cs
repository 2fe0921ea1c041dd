namespace FastNN.Testing;

internal sealed class DenseCases : IOpCases
{
    internal static readonly Activation[] Epilogues =
    [
        Activation.ReLU, Activation.LeakyReLU, Activation.Sigmoid, Activation.Tanh, Activation.Gelu, Activation.GeluTanh,
    ];

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach ((int m, int k, int n) in new[]
            {
                (1, 1, 1), (1, 129, 129), (1, 31, 1), (3, 7, 13), (7, 1, 33), (13, 17, 31), (17, 33, 129), (31, 129, 3),
                (33, 3, 17), (129, 31, 33),
                (129, 13, 7), (4, 10, 1), (32, 784, 64), (4, 400, 120), (257, 130, 97),
            })
            {
                yield return Case(new Shape(m, k), n);
            }

            yield return Case(new Shape(33, 17), 31, bias: false);
            yield return Case(new Shape(13), 7);
            yield return Case(new Shape(2, 3, 5, 7), 13);
            foreach (Activation activation in Epilogues)
            {
                yield return Case(new Shape(1, 17), 3, activation: activation);
                yield return Case(new Shape(33, 31), 129, activation: activation);
                yield return Case(new Shape(13, 7), 17, bias: false, activation: activation);
            }
        }
    }

    internal static OpCase Case(Shape x, int n, bool bias = true, Activation activation = default)
    {
        int k = x[-1];
        int m = (int)(x.Count / k);
        List<OpInput> inputs = [OpInput.Uniform("x", x), OpInput.Uniform("weight", new Shape(k, n))];
        if (bias)
        {
            inputs.Add(OpInput.Uniform("bias", new Shape(n)));
        }

        double[] Product(double[][] values)
        {
            var z = new double[m * n];
            DenseReference.Forward(values[0], values[1], bias ? values[2] : [], z, m, k, n);
            return z;
        }

        return new OpCase(
            $"{x} to {n}{(bias ? "" : " no bias")}{Fused.Suffix(activation)}", [.. inputs],
            values => values[0].Dense(values[1], values.ElementAtOrDefault(2)).Activate(activation).AsInnerNode(),
            values => Fused.Forward(activation, Product(values)))
        {
            Tolerance = 2e-6 * Math.Sqrt(Math.Max(k, Math.Max(m, n))),
            Samples = (long)m * k * n > 200_000 ? 6 : 48,
            ReferenceBackward = (values, dY) =>
            {
                double[] dZ = Fused.Backward(activation, Product(values), dY);
                var dX = new double[m * k];
                var dWeight = new double[k * n];
                var dBias = new double[n];
                DenseReference.BackwardData(dZ, values[1], dX, m, k, n);
                DenseReference.BackwardWeight(values[0], dZ, dWeight, dBias, m, k, n);
                return [dX, dWeight, dBias];
            },
        };
    }
}
