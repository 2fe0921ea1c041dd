using FastNN.Tests.Graphs;
using FastNN.Tests.Reference;

namespace FastNN.Tests.Ops;

internal sealed class ActivationsTests : OpFixture<ActivationsTests>, IOpCases
{
    private static readonly Activation[] Functions =
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
            yield return Case(Activation.LeakyReLU(-0.2f), new Shape(33), 3);
            yield return Case(Activation.LeakyReLU(0), new Shape(33), 3);
        }
    }

    [Test]
    public void At_zero_and_beyond_the_exponentials_range_nothing_is_lost([ValueSource(nameof(Functions))] Activation activation)
    {
        double[] x = [0, -0.0, 1e-30, -1e-30, 30, -30, 90, -90, 1e4, -1e4, float.MaxValue, -float.MaxValue];
        var @case = new OpCase(
            $"{activation}", [new OpInput("x", new Shape(x.Length), (_, _) => x)], values => values[0].Activate(activation),
            values => Forward(activation, values[0]));
        using OpRun run = @case.Compile(One);
        run.Run();
        double[] values = @case.Draw()[0];
        Near.Check("y", run.Output, Forward(activation, values), 1e-6);
        Near.Check("dx", run.Gradients[0], Backward(activation, values, OpCase.DrawUpstream(x.Length)), 1e-6);
    }

    [Test]
    public void NaN_stays_NaN([ValueSource(nameof(Functions))] Activation activation)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input(new Shape(35));
        Value y = x.Activate(activation);
        using var run = new GraphRun(One, graph, [y], null, []);
        run.Set(x, Enumerable.Repeat(float.NaN, 35).ToArray());
        run.Upload();
        run.Forward();
        Assert.That(run.Read(y), Is.All.NaN);
    }

    private static OpCase Case(Activation activation, Shape shape, double range) => new(
        $"{activation} {shape}", [OpInput.AwayFromZero("x", shape, range)],
        values => values[0].Activate(activation), values => Forward(activation, values[0]))
    {
        ReferenceBackward = (values, dY) => [Backward(activation, values[0], dY)],
    };

    private static double[] Forward(Activation activation, double[] x)
    {
        var y = new double[x.Length];
        ActivationsReference.Forward(activation, x, y);
        return y;
    }

    private static double[] Backward(Activation activation, double[] x, double[] dY)
    {
        var dX = new double[x.Length];
        ActivationsReference.Backward(activation, x, dY, dX);
        return dX;
    }
}
