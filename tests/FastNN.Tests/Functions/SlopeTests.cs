using FastNN.Functions;

namespace FastNN.Tests.Functions;

/// <summary>Every gradient that was written by hand against the derivative of the function's own text, over the places its row names.</summary>
internal sealed class SlopeTests
{
    private const int Places = 2001;

    private static IEnumerable<string> Functions => FunctionTable.Unary.Select(function => function.Info.Name);

    [TestCaseSource(nameof(Functions))]
    public void A_gradient_is_the_derivative_of_the_functions_text(string name)
    {
        UnaryFunction function = FunctionTable.Unary.Single(row => row.Info.Name == name);
        double worst = function.Accept(default(Worst));
        Assert.That(worst, Is.LessThan(2e-6), "the largest difference, beside a derivative of 1");
    }

    [Test]
    public void A_wrong_gradient_would_be_seen() => Assert.That(Difference<Wrong>(Wrong.Info), Is.GreaterThan(0.1));

    private static double Difference<TFunction>(FunctionInfo info)
        where TFunction : struct, IUnaryFunction
    {
        Scalars scalars = info.Defaults;
        Reads reads = info.ReadsWith(scalars);
        double worst = 0;
        foreach (double x in info.Samples.Spread(Places))
        {
            Dual y = TFunction.Value(Dual.Variable(x), scalars);
            Dual argument = Dual.Constant(reads == Reads.Output ? y.Value : x);
            double slope = TFunction.Gradient(argument, Dual.Constant(1), scalars).Value;
            worst = Math.Max(worst, Math.Abs(slope - y.Slope) / Math.Max(1, Math.Abs(y.Slope)));
        }

        return worst;
    }

    private readonly struct Worst : IUnaryVisitor<double>
    {
        public double Visit<TFunction>(UnaryFunction function)
            where TFunction : struct, IUnaryFunction => Difference<TFunction>(function.Info);
    }

    /// <summary>x^2 with the gradient of x^3.</summary>
    private readonly struct Wrong : IUnaryFunction
    {
        public static FunctionInfo Info => new("Wrong", "x^2");

        public static T Value<T>(T x, Scalars s)
            where T : struct, ILanes<T> => x * x;

        public static T Gradient<T>(T x, T dY, Scalars s)
            where T : struct, ILanes<T> => 3f * x * x * dY;
    }
}
